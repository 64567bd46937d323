"""Every derived name and identifier.

Names of children come from the run's name and uid, never from other text of a user, and are the
same each time: creating an object twice is refused by the API server, which is our guard against
a second pod.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import lru_cache

from actor_operator.api.views.metadata import ObjectView
from actor_operator.api.views.run import RunStatus
from actor_operator.constants import API_RUN, LABEL_API

ID_LENGTH = 17
"""Length of Apify's ids of runs, actors, builds, users and storages."""

ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
"""Symbols of our ids; a part of Apify's, because names in Kubernetes have no capitals."""

ID_PATTERN = re.compile(rf"[a-z][a-z0-9]{{{ID_LENGTH - 1}}}")
"""The form of an id that is also a name in Kubernetes: it begins with a letter."""

UID_SUFFIX_LENGTH = 4
"""Symbols of the run's uid in the names of its children."""

ENVIRONMENT_SUFFIX_LENGTH = 16
"""Symbols (80 bits) that nobody can guess in the name of an environment Secret."""

WEB_LABEL_LENGTH = 26
"""Symbols (130 bits) that nobody can guess in the host name of a run."""


@dataclass(frozen=True, slots=True)
class RunIds:
    """The ids of a run and of the storages that it has by default."""

    run: str
    key_value_store: str
    dataset: str
    request_queue: str


def ids(run: ObjectView) -> RunIds:
    """The ids of a run: the same in the operator and in the API server, whatever the status says.

    A run that the API server made has its id as its name: the client is told of it, and its
    storages are made, before the run exists. The label that says so is reserved by a policy; a
    name of another form is no id in any case.
    """
    made_by_api = run.metadata.labels.get(LABEL_API) == API_RUN
    is_id = made_by_api and ID_PATTERN.fullmatch(run.name) is not None
    return ids_of(run.name if is_id else object_id("run", run.uid))


def ids_of(run_id: str) -> RunIds:
    """The ids that follow from that of a run."""
    return RunIds(
        run=run_id,
        key_value_store=object_id("keyValueStore", run_id),
        dataset=object_id("dataset", run_id),
        request_queue=object_id("requestQueue", run_id),
    )


def pod_number(status: RunStatus) -> int:
    """Which pod of the run is the current one: 1 + all that ever called for another one."""
    stats = status.stats
    return status.attempt + stats.migration_count + stats.restart_count + stats.reboot_count


def pod_name(run: str, uid: str, number: int) -> str:
    """Name of a pod: at most 50 + 1 + 4 + 1 + digits symbols."""
    return f"{child_name(run, uid)}-{number}"


@lru_cache(maxsize=8192)
def child_name(run: str, uid: str) -> str:
    """Name of the run's Service and route."""
    return f"{run}-{_base32(hashlib.sha256(uid.encode()).digest())[:UID_SUFFIX_LENGTH]}"


def environment_suffix(key: bytes, uid: str, number: int, content: bytes) -> str:
    """End of the name of the environment Secret of a pod.

    Equal content gives an equal name, so that a Secret that exists already is done. Without the
    key nobody can make one before us.
    """
    text = b"\0".join((uid.encode(), str(number).encode(), hashlib.sha256(content).digest()))
    return _base32(hmac.digest(key, text, "sha256"))[:ENVIRONMENT_SUFFIX_LENGTH]


def web_label(key: bytes, uid: str) -> str:
    """The first part of the run's host name: the same for all its life, and not to be guessed.

    Unlike the name of a Secret it is public to whoever gets the URL, and tells nothing of the run.
    """
    return _base32(hmac.digest(key, b"\0".join((b"web", uid.encode())), "sha256"))[
        :WEB_LABEL_LENGTH
    ]


@lru_cache(maxsize=8192)  # the same few are asked for at each look at a run
def object_id(kind: str, uid: str) -> str:
    """A 17-symbol id for something that belongs to an object, the same for ever.

    Parameters
    ----------
    kind
        What the id is of: ``run``, ``dataset``, ``actor`` …
    uid
        The uid of the object, or another text that is unique for the kind.
    """
    number = int.from_bytes(hashlib.sha256(f"{kind}:{uid}".encode()).digest(), "big")
    symbols = []
    for _ in range(ID_LENGTH):
        number, rest = divmod(number, len(ID_ALPHABET))
        symbols.append(ID_ALPHABET[rest])
    return "".join(symbols)


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()
