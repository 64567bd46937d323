"""How a run gets the key for the secret fields of its input, which the API server has encrypted.

The API server makes a key pair for the run, locks the private key with a passphrase, and puts it
into an annotation of the run. The passphrase is derived from the keys of the installation, on both
sides: nobody who reads the run has it, and it is stored nowhere. The SDKs get both as variables.
"""

import re

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.run import RunView
from actor_operator.constants import ANNOTATION_INPUT_KEY
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.tokens import derived_text
from actor_operator.errors import TerminalError

LABEL = b"actor-operator.dev/input-key"

MOST_CHARACTERS = 8192
"""Longest annotation: a key of 4096 bits has 4,700."""

_FORM = re.compile(r"(?P<key_id>[-._a-zA-Z0-9]+):(?P<locked>[A-Za-z0-9+/]+={0,2})")


def passphrase(keyring: Keyring, key_id: str, namespace: str, name: str) -> str:
    """What the private key of a run is locked with.

    Parameters
    ----------
    keyring
        The keys of the installation.
    key_id
        The one that is used, which must be there.
    namespace, name
        Of the run.
    """
    return derived_text(keyring.keys[key_id], LABEL, f"{namespace}/{name}")


def annotation(key_id: str, locked: str) -> str:
    """What the annotation says: which key the passphrase comes from, and the locked private key."""
    return f"{key_id}:{locked}"


def input_key_variables(run: RunView, keyring: Keyring) -> dict[str, str]:
    """The variables with which the SDKs read secret fields; none where there are none.

    Raises
    ------
    TerminalError
        InputKeyUnavailable, when the key of the installation is gone that was in use at the start.
    """
    text = run.metadata.annotations.get(ANNOTATION_INPUT_KEY, "")
    found = _FORM.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    if found is None:
        return {}
    if found["key_id"] not in keyring.keys:
        raise TerminalError(
            Reason.INPUT_KEY_UNAVAILABLE,
            "The input has secret fields, and the installation's key with which they could be read"
            " was removed. Start a new run with the same input.",
        )
    return {
        "APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE": found["locked"],
        "APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE": passphrase(
            keyring, found["key_id"], run.namespace, run.name
        ),
    }
