"""``actorctl token``: tokens are made, shown once, listed, and revoked."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.cli.conftest import Actorctl
from tests.support.apiserver import ApiServer

from actor_operator.api.v1alpha1.actor_token import TokenScope


@pytest.fixture(autouse=True)
async def _team(server: ApiServer) -> None:
    server.create("namespaces", {"metadata": {"name": "team"}})


def tokens(server: ApiServer) -> list[Any]:
    return list(server.objects("actortokens"))


def spec_of_only(server: ApiServer) -> dict[str, Any]:
    (found,) = tokens(server)
    spec: dict[str, Any] = found["spec"]
    return spec


async def test_a_token_is_shown_once_and_only_its_hash_is_stored(
    server: ApiServer, actorctl: Actorctl
) -> None:
    result = await actorctl("token", "create", "team")

    value = result.stdout.strip()
    assert result.exit_code == 0
    assert value.startswith("apify_api_")
    assert len(value) >= len("apify_api_") + 43, "256 bits"
    assert spec_of_only(server) == {
        "account": "team",
        "sha256": hashlib.sha256(value.encode()).hexdigest(),
        "scopes": [str(scope) for scope in TokenScope],
    }
    sent = json.dumps([request.body for request in server.requests if request.is_write])
    assert value not in sent
    assert value not in result.stderr


async def test_two_tokens_of_an_account_are_two(server: ApiServer, actorctl: Actorctl) -> None:
    one, other = [(await actorctl("token", "create", "team")).stdout for _ in range(2)]

    assert one != other
    assert len({found["metadata"]["name"] for found in tokens(server)}) == 2


async def test_a_token_may_be_limited_in_what_it_allows_and_in_time(
    server: ApiServer, actorctl: Actorctl
) -> None:
    words = ("--scope", "read", "--scope", "write", "--expires", "30d", "--name", "ci")
    result = await actorctl("token", "create", "team", *words)

    assert result.exit_code == 0
    spec = spec_of_only(server)
    ends = datetime.fromisoformat(spec["expiresAt"])
    assert spec["scopes"] == ["read", "write"]
    assert timedelta(days=29, hours=23) < ends - datetime.now(UTC) <= timedelta(days=30)
    assert tokens(server)[0]["metadata"]["name"] == "ci"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("team", "--scope", "all"), "'all' is not one of 'read', 'write', 'run', 'admin'"),
        (("team", "--expires", "soon"), "a number with m, h or d behind it, such as 30d"),
        (("team", "--expires", "0d"), "a number with m, h or d behind it, such as 30d"),
        ((), "Missing argument 'ACCOUNT'"),
    ],
)
async def test_wrong_usage_is_told_and_makes_nothing(
    server: ApiServer, actorctl: Actorctl, words: tuple[str, ...], problem: str
) -> None:
    result = await actorctl("token", "create", *words)

    assert result.exit_code == 2
    assert problem in result.stderr
    assert tokens(server) == []


async def test_an_account_that_is_mistyped_gets_no_token(
    server: ApiServer, actorctl: Actorctl
) -> None:
    result = await actorctl("token", "create", "taem")

    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "Error: There is no namespace taem."
    assert result.stdout == ""
    assert tokens(server) == []


async def test_tokens_are_listed_without_what_they_say(
    server: ApiServer, actorctl: Actorctl
) -> None:
    value = (await actorctl("token", "create", "team", "--name", "ci")).stdout.strip()
    over = {"account": "team", "sha256": "0" * 64, "scopes": ["read"]}
    over["expiresAt"] = "2020-01-01T00:00:00Z"
    server.create("actortokens", {"metadata": {"name": "old"}, "spec": over})
    server.create("actortokens", {"metadata": {"name": "x"}, "spec": {**over, "account": "other"}})

    everything, one = await actorctl("token", "list"), await actorctl("token", "list", "team")

    rows = [line.split() for line in one.stdout.splitlines()]
    assert rows[0] == ["NAME", "ACCOUNT", "SCOPES", "EXPIRES", "AGE"]
    assert sorted(row[:3] for row in rows[1:]) == [
        ["ci", "team", "read,write,run,admin"],
        ["old", "team", "read"],
    ]
    assert "2020-01-01T00:00:00Z (over)" in one.stdout
    assert len(everything.stdout.splitlines()) == 4
    assert value not in everything.stdout


async def test_a_token_is_revoked_by_its_name(server: ApiServer, actorctl: Actorctl) -> None:
    await actorctl("token", "create", "team", "--name", "ci")
    await actorctl("token", "create", "team", "--name", "stays")

    result = await actorctl("token", "revoke", "ci")

    assert result.exit_code == 0
    assert [found["metadata"]["name"] for found in tokens(server)] == ["stays"]


async def test_a_token_that_is_not_there_cannot_be_revoked(actorctl: Actorctl) -> None:
    result = await actorctl("token", "revoke", "ci")

    assert result.exit_code == 1
    assert "There is no token 'ci'" in result.stderr
