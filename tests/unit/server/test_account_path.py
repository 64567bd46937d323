"""Base URLs that name the account."""

from typing import Any

import pytest

from actor_operator.server.account_path import ACCOUNT, AccountPath


async def seen(path: str, kind: str = "http") -> tuple[str, bytes, str | None]:
    """What the application behind it sees of a path."""
    found: dict[str, Any] = {}

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        found.update(scope)

    async def nothing(*_: Any) -> Any:
        return None

    scope = {"type": kind, "path": path, "raw_path": path.encode()}
    await AccountPath(app)(scope, nothing, nothing)
    return found["path"], found["raw_path"], found.get(ACCOUNT)


async def test_the_account_is_taken_from_the_path() -> None:
    path = "/v2/datasets/x/items"

    assert await seen(f"/accounts/team-a{path}") == (path, path.encode(), "team-a")
    assert await seen("/accounts/team-a/v2") == ("/v2", b"/v2", "team-a")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/datasets",
        "/accounts/team",
        "/accounts/team/v20",
        "/accounts/Team/v2/datasets",
        "/accounts/-team/v2/datasets",
        "/accounts/a/accounts/b/v2",
        "/v2/accounts/team/v2",
        "//accounts/team/v2",
    ],
)
async def test_other_paths_stay_as_they_are(path: str) -> None:
    assert await seen(path) == (path, path.encode(), None)


async def test_sockets_have_no_account() -> None:
    assert await seen("/accounts/team/v2", "websocket") == (
        "/accounts/team/v2",
        b"/accounts/team/v2",
        None,
    )
