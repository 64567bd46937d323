"""The keys of the installation: made once, read by everyone, never guessed."""

from typing import Any, cast

import pytest
from tests.support.toy_cluster import drive
from typing_extensions import override

from actor_operator.desired.keyring import KEY_BYTES, Keyring, parse_keyring
from actor_operator.errors import NotLeaderError, TerminalError
from actor_operator.kube.errors import AlreadyExistsError, ServerError
from actor_operator.reconcile.keys import KeyringHolder, ensure_keyring

KEY = b"\x01" * KEY_BYTES
OTHER = b"\x02" * KEY_BYTES


class OwnSecrets:
    """The Secret of the operator's namespace.

    ``rival`` is what another replica makes just before we do.
    """

    def __init__(
        self, data: dict[str, bytes] | None = None, rival: dict[str, bytes] | None = None
    ) -> None:
        self.data = data
        self.rival = rival
        self.created = 0

    async def read_own(self, namespace: str, name: str) -> dict[str, bytes] | None:
        assert (namespace, name) == ("ours", "actor-operator-keys")
        return self.data

    async def create_own(self, namespace: str, name: str, data: dict[str, bytes]) -> None:
        if self.rival is not None:
            self.data = self.rival
            raise AlreadyExistsError("exists", status=409)
        self.created += 1
        self.data = data


def ensure(secrets: OwnSecrets) -> Keyring:
    return drive(ensure_keyring(cast("Any", secrets), "ours", make_key=lambda size: KEY[:size]))


def test_the_first_leader_makes_a_key() -> None:
    secrets = OwnSecrets()

    assert ensure(secrets) == Keyring("k1", {"k1": KEY})
    assert secrets.data == {"active": b"k1", "k1": KEY}


def test_a_key_that_is_there_stays() -> None:
    secrets = OwnSecrets({"active": b"k2\n", "k1": OTHER, "k2": KEY})
    keyring = ensure(secrets)

    assert (keyring.active_id, keyring.active) == ("k2", KEY)
    assert keyring.keys == {"k1": OTHER, "k2": KEY}
    assert secrets.created == 0


def test_of_two_leaders_that_make_one_the_first_wins() -> None:
    secrets = OwnSecrets(rival={"active": b"k1", "k1": OTHER})

    assert ensure(secrets).active == OTHER


def test_keys_are_random() -> None:
    one, other = OwnSecrets(), OwnSecrets()
    for secrets in (one, other):
        drive(ensure_keyring(cast("Any", secrets), "ours"))

    assert one.data is not None
    assert len(one.data["k1"]) == KEY_BYTES
    assert one.data != other.data


SPOILT = [
    pytest.param({}, "", id="empty"),
    pytest.param({"k1": KEY}, "", id="nothing is active"),
    pytest.param({"active": b"k2", "k1": KEY}, "k2", id="what is active is not there"),
    pytest.param({"active": b"active"}, "active", id="active names itself"),
    pytest.param({"active": b"\xff", "k1": KEY}, "\N{REPLACEMENT CHARACTER}", id="no text"),
    pytest.param({"active": b"k1", "k1": b""}, "k1", id="an empty key"),
    pytest.param({"active": b"k1", "k1": KEY[1:]}, "k1", id="a key that is too short"),
]


@pytest.mark.parametrize(("data", "says"), SPOILT)
def test_a_spoilt_secret_is_said_with_what_to_do(data: dict[str, bytes], says: str) -> None:
    with pytest.raises(TerminalError) as caught:
        parse_keyring(data)

    assert caught.value.reason == "InvalidKeys"
    assert f'it says "{says}"' in str(caught.value)
    assert "delete the Secret" in str(caught.value)


def test_no_key_is_ever_in_a_message() -> None:
    with pytest.raises(TerminalError) as caught:
        parse_keyring({"active": b"k1", "k1": b"secret-bytes"})

    assert "secret-bytes" not in str(caught.value)


def test_the_holder_has_no_key_before_it_leads() -> None:
    holder = KeyringHolder(secrets=cast("Any", OwnSecrets()), namespace="ours")

    with pytest.raises(NotLeaderError):
        holder.current()


def test_the_holder_gives_the_key_that_it_read() -> None:
    secrets = OwnSecrets({"active": b"k1", "k1": KEY})
    holder = KeyringHolder(secrets=cast("Any", secrets), namespace="ours")
    drive(holder.load())

    assert holder.current().active == KEY


def test_a_failure_to_read_is_the_callers() -> None:
    class Broken(OwnSecrets):
        @override
        async def read_own(self, namespace: str, name: str) -> dict[str, bytes] | None:
            raise ServerError("down", status=503)

    with pytest.raises(ServerError):
        ensure(Broken())
