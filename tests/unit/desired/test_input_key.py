"""The key for secret fields of an input, as a run gets it."""

import pytest
from tests.support.builders import KEYRING, a_run

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.run import RunView
from actor_operator.constants import ANNOTATION_INPUT_KEY
from actor_operator.desired.input_key import (
    MOST_CHARACTERS,
    annotation,
    input_key_variables,
    passphrase,
)
from actor_operator.desired.keyring import KEY_BYTES, Keyring
from actor_operator.errors import TerminalError

KEY = KEYRING.active_id


def run_with(text: str | None, name: str = "hello") -> RunView:
    """A run with an annotation."""
    annotations = {} if text is None else {ANNOTATION_INPUT_KEY: text}
    metadata = Metadata(name=name, namespace="team", uid="u", annotations=annotations)
    return RunView(metadata=metadata, spec=a_run().spec)


def test_a_run_gets_its_key_and_what_unlocks_it() -> None:
    assert input_key_variables(run_with(annotation(KEY, "bG9ja2Vk")), KEYRING) == {
        "APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE": "bG9ja2Vk",
        "APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE": passphrase(KEYRING, KEY, "team", "hello"),
    }


@pytest.mark.parametrize(
    "text",
    [None, "", "bG9ja2Vk", f"{KEY}:", f"{KEY}:not base64", f"{KEY}:{'a' * MOST_CHARACTERS}"],
)
def test_a_run_without_a_key_gets_nothing(text: str | None) -> None:
    assert input_key_variables(run_with(text), KEYRING) == {}


def test_a_key_opens_nothing_of_another_run() -> None:
    phrases = {
        passphrase(KEYRING, KEY, namespace, name)
        for namespace in ("team", "other")
        for name in ("hello", "again")
    }
    assert len(phrases) == 4


def test_an_older_key_of_the_installation_is_still_known() -> None:
    old = bytes(KEY_BYTES)
    before, rotated = Keyring("old", {"old": old}), Keyring("new", {"old": old, "new": b"n" * 32})
    run = run_with(annotation("old", "bG9ja2Vk"))
    assert input_key_variables(run, rotated) == input_key_variables(run, before)


def test_a_run_whose_key_is_gone_is_told_so() -> None:
    with pytest.raises(TerminalError) as caught:
        input_key_variables(run_with(annotation("gone", "bG9ja2Vk")), KEYRING)
    assert caught.value.reason == Reason.INPUT_KEY_UNAVAILABLE
