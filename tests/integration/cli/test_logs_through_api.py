"""``actorctl logs --api``: logs that the API server keeps."""

import json

import pytest
from tests.integration.api.world import World
from tests.integration.cli.api_user import ApiUser


@pytest.mark.parametrize("options", [(), ("-f",)], ids=["now", "to the end"])
async def test_the_log_is_there_when_the_pod_is_gone(
    world: World, user: ApiUser, options: tuple[str, ...]
) -> None:
    started = json.loads(await user.done("run", "quick", "--wait", "--api", "-o", "json"))

    text = await user.done("logs", started["id"], *options, "--api")

    lines = text.splitlines()
    assert "ACTOR: Starting the container." in lines[2]


async def test_a_run_that_is_not_there_has_no_log(user: ApiUser) -> None:
    result = await user("logs", "abcdefghijklmnopq", "--api")

    assert result.exit_code == 1
    assert "was not found" in result.stderr


async def test_the_api_gives_whole_logs_only(user: ApiUser) -> None:
    result = await user("logs", "abcdefghijklmnopq", "--api", "--tail", "1")

    assert result.exit_code == 2
    assert "--tail" in result.stderr


async def test_a_token_is_of_no_use_for_a_cluster(user: ApiUser) -> None:
    result = await user("logs", "hello", "--token-file", __file__)

    assert result.exit_code == 2
    assert "--token-file is for --api" in result.stderr
