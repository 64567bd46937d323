"""``actorctl accounts adopt``: what is written on the namespace, and what is refused."""

import pytest
from tests.integration.cli.conftest import Actorctl
from tests.support.apiserver import ApiServer

OLD = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(autouse=True)
async def _team(server: ApiServer) -> None:
    server.create("namespaces", {"metadata": {"name": "team"}})


async def test_the_namespace_says_whose_account_it_adopts(
    server: ApiServer, actorctl: Actorctl
) -> None:
    result = await actorctl("accounts", "adopt", "team", "--from-uid", OLD)

    assert result.exit_code == 0, result.stderr
    (team,) = [one for one in server.objects("namespaces") if one["metadata"]["name"] == "team"]
    assert team["metadata"]["annotations"] == {"actor-operator.dev/adopt": OLD}


async def test_a_namespace_does_not_adopt_itself(server: ApiServer, actorctl: Actorctl) -> None:
    (team,) = [one for one in server.objects("namespaces") if one["metadata"]["name"] == "team"]

    result = await actorctl("accounts", "adopt", "team", "--from-uid", team["metadata"]["uid"])

    assert result.exit_code == 1
    assert "nothing to adopt" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody", "--from-uid", OLD), "There is no namespace nobody"),
        (("team", "--from-uid", "No uid!"), "a uid has small letters"),
        (("team",), "Missing option '--from-uid'"),
    ],
)
async def test_what_cannot_be_adopted_is_refused_and_nothing_written(
    server: ApiServer, actorctl: Actorctl, words: tuple[str, ...], said: str
) -> None:
    result = await actorctl("accounts", "adopt", *words)

    assert result.exit_code != 0
    assert said in result.stderr
    assert not [request for request in server.requests if request.is_write]


async def test_accounts_are_shown_without_and_with_the_name_of_the_command(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.create("actoraccounts", {"metadata": {"name": "team"}, "spec": {"maxRuns": 3}})

    tables = [(await actorctl("accounts", *words)).stdout for words in ((), ("show",))]

    assert tables[0] == tables[1]
    assert "team" in tables[0]
