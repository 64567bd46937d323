"""Tokens and paths that the operator gives to a run, and that the API server knows again.

Both sides hold the same keys, so nothing is stored: a token says whom it is for, and its mac says
that we made it. Keys for different purposes are derived from one (HKDF-Expand, RFC 5869, of which
one block is all that is needed: our keys are random, so nothing has to be extracted).
"""

import base64
import hmac
from enum import StrEnum

import msgspec

from actor_operator.desired.keyring import Keyring

PREFIX = "apify_run_"
"""How run tokens begin, so that people and scanners of secrets know them."""

TOKEN_LABEL = b"actor-operator.dev/run-token"
EVENTS_LABEL = b"actor-operator.dev/events"

EVENTS_PATH = "/events/"
"""Where the sockets for events are."""


class PermissionLevel(StrEnum):
    """What the token of a run allows (Apify's names)."""

    LIMITED = "LIMITED_PERMISSIONS"
    """Its own run, its own storages and those that it made or that its input names."""

    FULL = "FULL_PERMISSIONS"
    """All storages and runs of the account, but no deletion of runs."""


class RunIdentity(msgspec.Struct, frozen=True, array_like=True):
    """Whom a run token is for."""

    key_id: str
    namespace: str
    name: str
    uid: str
    attempt: int
    level: PermissionLevel


def run_token(
    keyring: Keyring, *, namespace: str, name: str, uid: str, attempt: int, level: PermissionLevel
) -> str:
    """The token of an attempt of a run, the same each time."""
    identity = RunIdentity(keyring.active_id, namespace, name, uid, attempt, level)
    payload = _text(msgspec.json.encode(identity))
    return f"{PREFIX}{payload}.{derived_text(keyring.active, TOKEN_LABEL, payload)}"


def read_run_token(keyring: Keyring, token: str) -> RunIdentity | None:
    """Whom a token is for; None: it is none of ours.

    That the attempt still lives is not looked at.
    """
    payload, _, mac = token.removeprefix(PREFIX).partition(".")
    if not token.startswith(PREFIX) or not mac:
        return None
    try:
        identity = msgspec.json.decode(_bytes(payload), type=RunIdentity)
    except (ValueError, msgspec.MsgspecError):
        return None
    key = keyring.keys.get(identity.key_id)
    if key is None or not _equal(mac, derived_text(key, TOKEN_LABEL, payload)):
        return None
    return identity


def events_path(keyring: Keyring, *, uid: str, attempt: int) -> str:
    """Path of the socket on which an attempt of a run gets its events; nobody can guess it."""
    name = f"{uid}.{attempt}"
    return f"{EVENTS_PATH}{name}.{derived_text(keyring.active, EVENTS_LABEL, name)}"


def read_events_path(keyring: Keyring, path: str) -> tuple[str, int] | None:
    """Uid and attempt that an events path is for; None: it is none of ours."""
    name, _, mac = path.removeprefix(EVENTS_PATH).rpartition(".")
    uid, _, attempt = name.rpartition(".")
    known = any(_equal(mac, derived_text(key, EVENTS_LABEL, name)) for key in keyring.keys.values())
    if not known or not attempt.isascii() or not attempt.isdigit():
        return None
    return uid, int(attempt)


def derived_text(key: bytes, label: bytes, text: str) -> str:
    """What only who has the key can make of a text; something else for each purpose."""
    derived = hmac.digest(key, label + b"\x01", "sha256")
    return _text(hmac.digest(derived, text.encode(), "sha256"))


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
