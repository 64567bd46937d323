"""``actorctl run --api``: runs that are started, followed and waited for through the API."""

import asyncio
import json
import signal

import pytest
from tests.integration.api.world import AUTHOR, OWNER, World
from tests.integration.cli.api_user import ApiUser
from tests.integration.cli.conftest import PATIENCE


async def test_a_run_is_started_with_all_that_was_said(world: World, user: ApiUser) -> None:
    words = ("--memory", "512", "--timeout", "60", "--build", "latest", "--input", '{"a": "ä"}')

    run = json.loads(await user.done("run", "quick", *words, "--api", "-o", "json"))

    made = world.server.get("actorruns", OWNER, run["id"])
    assert run["options"]["memoryMbytes"] == 512
    assert run["options"]["timeoutSecs"] == 60
    assert made["spec"]["actor"] == "quick"
    store = run["defaultKeyValueStoreId"]
    assert json.loads(await user.done("storage", "get", "key-value-store", store, "INPUT")) == {
        "a": "ä"
    }


async def test_what_to_do_next_is_said_beside_the_result(world: World, user: ApiUser) -> None:
    result = await user("run", "quick", "--api", world.url)

    run = result.stdout.split()[0]
    assert result.stdout == f"{run} created.\n"
    (output, items) = result.stderr.splitlines()
    assert output.startswith("  See its output: actorctl storage get key-value-store ")
    assert items.endswith(f" --api {world.url}")


@pytest.mark.parametrize(
    ("actor", "code", "words"),
    [("quick", 0, "SUCCEEDED after "), ("fails", 1, ": Actor failed with exit code 3.")],
)
async def test_waiting_ends_with_the_runs_exit_code(
    user: ApiUser, actor: str, code: int, words: str
) -> None:
    result = await user("run", actor, "--wait", "--api")

    first, *_, last = result.stdout.splitlines()
    run = first.removesuffix(" created.")
    assert result.exit_code == code, result.output
    assert last.startswith(run)
    assert words in last


async def test_a_public_actor_of_another_account_can_be_run(world: World, user: ApiUser) -> None:
    run = json.loads(await user.done("run", f"{AUTHOR}/public-quick", "--api", "-o", "json"))

    made = world.server.get("actorruns", OWNER, run["id"])
    assert made["spec"]["actor"] == f"{AUTHOR}/public-quick"


async def test_an_unknown_actor_is_refused_in_the_apis_words(user: ApiUser) -> None:
    result = await user("run", "nothing", "--api")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: Actor was not found.",
        "Hint: It does not exist, or the token may not see it.",
    ]


async def test_an_input_that_is_larger_than_a_cluster_takes_goes_through_the_api(
    user: ApiUser,
) -> None:
    text = json.dumps({"a": "x" * 100_000})

    result = await user("run", "quick", "--api", "--input", "-", "-o", "name", stdin=text)

    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--api", "--name", "x"), "Runs that the API starts have no --name"),
        (("--api", "nowhere"), "'nowhere' is no address of an API"),
        (("--token-file", __file__), "--token-file is for --api"),
        (("-n", "x", "--api"), "in the API the token says which account is meant"),
    ],
)
async def test_what_does_not_belong_together_is_wrong_usage(
    user: ApiUser, words: tuple[str, ...], sentence: str
) -> None:
    result = await user("run", "quick", *words)

    assert result.exit_code == 2
    assert sentence in result.stderr


async def test_the_log_alone_is_standard_output(world: World, user: ApiUser) -> None:
    result = await user("run", "quick", "--logs", "--api")

    assert result.exit_code == 0, result.output
    assert "ACTOR:" in result.stdout
    assert "created." not in result.stdout
    assert result.stderr.splitlines()[-1].split()[1] == "SUCCEEDED"


async def test_ctrl_c_says_that_the_run_goes_on(world: World, user: ApiUser) -> None:
    words = ("run", "endless", "--wait", "--api")
    async with asyncio.timeout(PATIENCE), user.process(*words) as started:
        assert started.stdout is not None
        run = (await started.stdout.readline()).decode().split()[0]
        while b"RUNNING" not in await started.stdout.readline():
            pass
        started.send_signal(signal.SIGINT)
        _, err = await started.communicate()

    assert started.returncode == 130
    assert err.decode() == f"Interrupted: the run {run} goes on.\n"
    assert "abort" not in world.server.get("actorruns", OWNER, run)["spec"]
