from hypothesis import given
from hypothesis import strategies as st

from actor_operator.desired.keyring import Keyring
from actor_operator.desired.tokens import (
    PREFIX,
    PermissionLevel,
    events_path,
    read_events_path,
    read_run_token,
    run_token,
)

OLD = Keyring("k1", {"k1": b"\x01" * 32})
BOTH = Keyring("k2", {"k1": b"\x01" * 32, "k2": b"\x02" * 32})
OTHER = Keyring("k1", {"k1": b"\x03" * 32})
UID = "0b6b54b1-5a39-4f0a-9d2b-6a0a5c0c9f00"


def token(keyring: Keyring = OLD, attempt: int = 1, uid: str = UID) -> str:
    return run_token(
        keyring,
        namespace="team",
        name="run",
        uid=uid,
        attempt=attempt,
        level=PermissionLevel.LIMITED,
    )


def test_a_token_says_whom_it_is_for() -> None:
    identity = read_run_token(OLD, token(attempt=3))
    assert identity is not None
    assert (identity.namespace, identity.name, identity.uid) == ("team", "run", UID)
    assert identity.attempt == 3
    assert identity.level is PermissionLevel.LIMITED


def test_a_token_is_the_same_each_time_and_another_one_for_the_next_attempt() -> None:
    assert token() == token()
    assert token(attempt=1) != token(attempt=2)


def test_a_token_of_an_older_key_is_known_while_that_key_is() -> None:
    assert read_run_token(BOTH, token(OLD)) is not None
    assert read_run_token(OTHER, token(OLD)) is None
    assert read_run_token(OLD, token(BOTH)) is None


def test_no_symbol_of_a_token_can_be_changed() -> None:
    text = token()
    for place in range(len(PREFIX), len(text)):
        forged = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        # The last symbol of base64 holds bits that stand for nothing.
        if place not in {text.index(".") - 1, len(text) - 1}:
            assert read_run_token(OLD, forged) is None, place


@given(st.text())
def test_what_is_no_token_is_refused(text: str) -> None:
    assert read_run_token(OLD, text) is None
    assert read_run_token(OLD, PREFIX + text) is None


def test_a_path_for_events_says_whom_it_is_for() -> None:
    assert read_events_path(OLD, events_path(OLD, uid=UID, attempt=2)) == (UID, 2)
    assert read_events_path(BOTH, events_path(OLD, uid=UID, attempt=2)) == (UID, 2)
    assert read_events_path(OTHER, events_path(OLD, uid=UID, attempt=2)) is None


def test_a_path_for_events_holds_for_one_attempt_only() -> None:
    path = events_path(OLD, uid=UID, attempt=1)
    assert read_events_path(OLD, path.replace(f"{UID}.1.", f"{UID}.2.")) is None


def test_the_mac_of_a_path_is_none_of_a_token() -> None:
    _, _, mac = events_path(OLD, uid=UID, attempt=1).rpartition(".")
    payload, _, _ = token().removeprefix(PREFIX).partition(".")
    assert read_run_token(OLD, f"{PREFIX}{payload}.{mac}") is None


@given(st.text())
def test_what_is_no_path_is_refused(text: str) -> None:
    assert read_events_path(OLD, text) is None
