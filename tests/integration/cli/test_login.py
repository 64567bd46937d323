"""``actorctl login`` and ``logout``: what is kept, where, and what wins over it."""

import json
import socket
import stat
from pathlib import Path

import pytest
from tests.integration.api.world import OWNER, STRANGER, World
from tests.integration.cli.api_user import ApiUser


@pytest.fixture
def stranger(world: World, tmp_path: Path) -> ApiUser:
    """Somebody who is not logged in."""
    return ApiUser(world, tmp_path / "elsewhere")


async def test_a_login_says_whose_token_it_is_and_is_its_owners_alone(
    world: World, stranger: ApiUser
) -> None:
    token = await world.token(OWNER)

    result = await stranger("login", "--url", f"{world.url}/v2/", stdin=f"{token}\n")

    assert result.exit_code == 0
    assert result.stdout == f"You are logged in to {world.url} as {OWNER}.\n"
    assert token not in result.output
    assert json.loads(stranger.login_file.read_bytes()) == {"url": world.url, "token": token}
    assert stat.S_IMODE(stranger.login_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(stranger.login_file.parent.stat().st_mode) == 0o700


async def test_a_token_that_is_not_valid_is_not_kept(stranger: ApiUser) -> None:
    url = stranger.world.url

    result = await stranger("login", "--url", url, "--token", "apify_api_wrong")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: The token is not valid (any more).",
        f"Hint: Log in with a token that is valid: actorctl login --url {url}",
    ]
    assert not stranger.login_file.exists()


async def test_a_failed_login_leaves_the_one_before(user: ApiUser) -> None:
    before = user.login_file.read_bytes()

    result = await user("login", "--url", user.world.url, stdin="apify_api_wrong\n")

    assert result.exit_code == 1
    assert user.login_file.read_bytes() == before


@pytest.mark.parametrize("stdin", ["", "\n", "two words\n", "t\u00f6ken\n"])
async def test_what_is_no_token_is_found_before_it_is_sent(stranger: ApiUser, stdin: str) -> None:
    result = await stranger("login", "--url", stranger.world.url, stdin=stdin)

    assert result.exit_code == 2
    assert "That is no token" in result.stderr


@pytest.mark.parametrize("url", ["api.test", "ftp://api.test", "https://me:secret@api.test", ""])
async def test_what_is_no_address_is_wrong_usage(stranger: ApiUser, url: str) -> None:
    result = await stranger("login", "--url", url, stdin="x\n")

    assert result.exit_code == 2
    assert "is no address of an API" in result.stderr


async def test_an_api_that_does_not_answer_is_told_with_what_to_do(stranger: ApiUser) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    result = await stranger("login", "--url", url, stdin="x\n")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: The API {url} does not answer: ")
    assert "Hint: Is it up, and is the address right?" in result.stderr


async def test_what_is_another_server_is_called_so(stranger: ApiUser) -> None:
    url = stranger.world.server.url

    result = await stranger("login", "--url", url, stdin="x\n")

    assert result.exit_code == 1
    assert f"Error: What answers at {url} does not speak the Apify API: 404" in result.stderr


async def test_logging_out_forgets_the_token(user: ApiUser) -> None:
    assert str(user.login_file) in await user.done("logout")
    assert not user.login_file.exists()

    result = await user("storage", "ls")

    assert result.exit_code == 2
    assert "Error: It is not known which API is meant." in result.stderr
    assert "Hint: Log in: actorctl login --url URL." in result.stderr
    assert await user.done("logout") == "You were not logged in.\n"


async def test_the_environment_wins_over_the_login(world: World, user: ApiUser) -> None:
    token = await world.token(STRANGER)
    async with world.client(token) as client:
        answer = await client.post("/v2/datasets?name=of-the-stranger")

    user.env["APIFY_TOKEN"] = token

    assert await user.done("storage", "ls", "-o", "name") == f"{answer.json()['data']['id']}\n"


async def test_a_token_of_the_login_is_never_sent_to_another_api(user: ApiUser) -> None:
    other = "http://127.0.0.1:1"
    user.env["APIFY_API_BASE_URL"] = other

    result = await user("storage", "ls")

    assert result.exit_code == 2
    assert f"Error: There is no token for the API {other}." in result.stderr


async def test_a_token_can_come_from_a_file(
    world: World, stranger: ApiUser, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{await world.token(OWNER)}\n")

    result = await stranger("storage", "ls", "--api", world.url, "--token-file", str(file))

    assert (result.exit_code, result.stderr) == (
        0,
        "There are no storages. Those of runs have no name: --unnamed.\n",
    )


async def test_a_login_that_is_broken_is_told_of(user: ApiUser) -> None:
    user.login_file.write_text("{")

    result = await user("storage", "ls")

    assert result.exit_code == 1
    assert f"Error: The login in {user.login_file} cannot be read: " in result.stderr


async def test_a_token_that_may_not_write_is_told_which_one_would(
    world: World, user: ApiUser
) -> None:
    user.env["APIFY_TOKEN"] = await world.token(OWNER, "read")

    result = await user("storage", "push", "request-queue", "~q", "http://a.test/")

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Hint: Use a token that may do it")


async def test_options_about_a_cluster_are_refused(user: ApiUser) -> None:
    result = await user("-n", "default", "storage", "ls")

    assert result.exit_code == 2
    assert "in the API the token says which account is meant." in result.stderr


async def test_with_v_requests_are_shown_without_the_token(user: ApiUser) -> None:
    token = json.loads(user.login_file.read_bytes())["token"]

    result = await user("storage", "ls", "datasets", "-v")

    assert "GET /datasets: 200 (" in result.stderr
    assert token not in result.output
