"""``actorctl run``: what is created, and how a run is waited for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.cli.conftest import (
    RUNNING,
    Actorctl,
    a_pod,
    a_run,
    an_actor,
    condition,
    ended,
    eventually,
    in_time,
)
from tests.support.apiserver import ApiServer, on

SetStatus = Callable[..., None]


async def test_a_run_is_created_with_all_that_was_said(
    server: ApiServer, actorctl: Actorctl
) -> None:
    words = ("--name", "x", "--build", "latest", "--memory", "512", "--timeout", "0")

    result = await actorctl("run", "hello", *words, "--input", '{"message": "Hi"}')

    assert (result.exit_code, result.stdout) == (0, "x created.\n")
    spec = server.get("actorruns", "default", "x")["spec"]
    assert spec == {
        "actor": "hello",
        "build": "latest",
        "memoryMbytes": 512,
        "timeoutSecs": 0,
        "input": {"message": "Hi"},
        "origin": "CLI",
        "whenMemoryExceeded": "Wait",
    }


async def test_what_to_do_next_is_said_beside_the_result(actorctl: Actorctl) -> None:
    result = await actorctl("run", "hello", "--name", "x", "-n", "default")

    assert result.stderr.splitlines() == [
        "  Follow its log: actorctl logs -f x -n default",
        "  See how it is:  actorctl describe x -n default",
        "  Stop it:        actorctl abort x -n default",
    ]


async def test_a_quiet_run_says_only_that_it_was_created(actorctl: Actorctl) -> None:
    result = await actorctl("run", "hello", "--name", "x", "-q")

    assert result.output == "x created.\n"


async def test_a_run_without_a_name_gets_one(server: ApiServer, actorctl: Actorctl) -> None:
    result = await actorctl("run", "hello", "-o", "name")

    (run,) = server.objects("actorruns")
    assert result.stdout == f"actorrun.actor-operator.dev/{run['metadata']['name']}\n"
    assert run["metadata"]["name"].startswith("hello-")


async def test_a_made_up_name_that_is_taken_is_replaced(
    server: ApiServer, actorctl: Actorctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["taken", "free"])
    monkeypatch.setattr("actor_operator.cli.run.generated_name", lambda _: next(names))
    server.create("actorruns", a_run("taken"))

    result = await actorctl("run", "hello")

    assert result.stdout == "free created.\n"


async def test_a_given_name_that_is_taken_is_an_error(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.create("actorruns", a_run("x"))

    result = await actorctl("run", "hello", "--name", "x")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: There is a run 'x' already in the namespace default.",
        "Hint: Choose another --name, or see it: actorctl describe x",
    ]


async def test_an_unknown_actor_is_refused_with_near_names(
    server: ApiServer, actorctl: Actorctl
) -> None:
    result = await actorctl("run", "helo")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: There is no Actor 'helo' in the namespace default.",
        "Hint: Did you mean hello? List them with: actorctl actors",
    ]
    assert server.objects("actorruns") == []


async def test_a_public_actor_of_another_namespace_can_be_run(
    server: ApiServer, actorctl: Actorctl
) -> None:
    other = "actor-operator-system"
    server.create("actors", an_actor("shared", isPublic=True), other)

    result = await actorctl("run", f"{other}/shared", "--name", "x")

    assert result.exit_code == 0
    assert server.get("actorruns", "default", "x")["spec"]["actor"] == f"{other}/shared"


async def test_an_actor_that_may_not_be_seen_is_left_to_the_operator(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.faults.fail(403, on("get", "actors"))

    result = await actorctl("run", "elsewhere/secret", "--name", "x")

    assert result.exit_code == 0


@pytest.mark.parametrize("words", [("--input-file", "-"), ("--input", "-")])
async def test_the_input_can_come_through_a_pipe(
    server: ApiServer, actorctl: Actorctl, words: tuple[str, ...]
) -> None:
    result = await actorctl("run", "hello", "--name", "x", *words, stdin='{"a": "ä"}')

    assert result.exit_code == 0
    assert server.get("actorruns", "default", "x")["spec"]["input"] == {"a": "ä"}


async def test_the_input_can_come_from_a_file(
    server: ApiServer, actorctl: Actorctl, tmp_path: Path
) -> None:
    file = tmp_path / "input.json"
    file.write_text('{"a": 1}')

    await actorctl("run", "hello", "--name", "x", "--input-file", str(file))

    assert server.get("actorruns", "default", "x")["spec"]["input"] == {"a": 1}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--input", "[]"), "it must be a JSON object ({…}), not an array."),
        (("--input", "{}", "--input-file", "-"), "choose one."),
        (("--memory", "300"), "'300' is not one of '128',"),
        (("--timeout", "-1"), "-1 is not in the range"),
        (("--logs", "-o", "json"), "choose one."),
    ],
)
async def test_wrong_usage_is_found_before_anything_is_sent(
    server: ApiServer, actorctl: Actorctl, words: tuple[str, ...], sentence: str
) -> None:
    result = await actorctl("run", "hello", *words)

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(server.requests.of("read")) + len(server.requests.of("write")) == 0


async def test_what_the_server_refuses_is_told_in_its_own_words(actorctl: Actorctl) -> None:
    result = await actorctl("run", "hello", "--name", "x" * 51)

    assert result.exit_code == 1
    assert "the name of an ActorRun has at most 50 lower-case letters" in result.stderr


async def test_a_write_without_an_answer_is_not_to_be_repeated_blindly(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.faults.reset(on("create", "actorruns"), applied=True)

    result = await actorctl("run", "hello", "--name", "x")

    assert result.exit_code == 1
    assert "Hint: The request may have been carried out all the same" in result.stderr


@pytest.mark.parametrize(
    ("last", "code", "verdict"),
    [
        (ended("SUCCEEDED"), 0, "x SUCCEEDED after 90s."),
        (
            ended("FAILED", "OOMKilled", exitCode=137),
            1,
            "x FAILED after 90s: OOMKilled: It is OOMKilled.",
        ),
    ],
)
async def test_waiting_shows_each_phase_and_ends_with_the_runs_exit_code(
    server: ApiServer,
    actorctl: Actorctl,
    set_status: SetStatus,
    last: dict[str, object],
    code: int,
    verdict: str,
) -> None:
    command = actorctl.start("run", "hello", "--name", "x", "--wait")
    await eventually(lambda: server.watches.open("actorruns"))
    set_status("x", RUNNING, last)

    result = await in_time(command)

    assert result.exit_code == code
    lines = result.stdout.splitlines()
    assert [line.rpartition("] ")[2] for line in lines] == [
        "x created.",
        "READY",
        "RUNNING",
        verdict,
    ]


async def test_a_timed_out_run_ends_as_timeout_does(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    command = actorctl.start("run", "hello", "--name", "x", "--wait")
    await eventually(lambda: server.watches.open("actorruns"))
    stopping = {
        "phase": "TIMING-OUT",
        "conditions": [condition("TerminationTarget", "True", "Timeout", "The time is over.")],
    }
    set_status("x", RUNNING, stopping, ended("TIMED-OUT", "TimedOut"))

    result = await in_time(command)

    assert result.exit_code == 124
    assert "TIMING-OUT: The time is over." in result.stdout


async def test_with_an_output_format_only_the_object_is_on_standard_output(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    command = actorctl.start("run", "hello", "--name", "x", "--wait", "-o", "json")
    await eventually(lambda: server.watches.open("actorruns"))
    set_status("x", RUNNING, ended("SUCCEEDED"))

    result = await in_time(command)

    assert json.loads(result.stdout)["status"]["phase"] == "SUCCEEDED"
    assert result.stderr.splitlines()[-1] == "x SUCCEEDED after 90s."


async def test_a_run_that_is_deleted_meanwhile_is_an_error(
    server: ApiServer, actorctl: Actorctl
) -> None:
    command = actorctl.start("run", "hello", "--name", "x", "--wait")
    await eventually(lambda: server.watches.open("actorruns"))
    server.delete("actorruns", "default", "x")

    result = await in_time(command)

    assert result.exit_code == 1
    assert "Error: The run x was deleted before it was finished." in result.stderr


async def test_waiting_survives_cuts_and_lost_history(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    command = actorctl.start("run", "hello", "--name", "x", "--wait")
    await eventually(lambda: server.watches.open("actorruns"))
    async with server.down():
        set_status("x", RUNNING)
        server.compact()
    await eventually(lambda: server.watches.open("actorruns"))
    server.watches.cut("actorruns", abort=True)
    set_status("x", ended("SUCCEEDED"))

    result = await in_time(command)

    assert result.exit_code == 0


async def test_an_outage_is_told_of_once(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    command = actorctl.start("run", "hello", "--name", "x", "--wait")
    await eventually(lambda: server.watches.open("actorruns"))
    await server.restart(1.5)
    set_status("x", RUNNING, ended("SUCCEEDED"))

    result = await in_time(command)

    assert result.exit_code == 0
    assert result.stderr.count("The cluster does not answer, still trying: ") == 1


async def test_a_watch_that_is_forbidden_ends_the_waiting(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.faults.fail(403, on("watch", "actorruns", times=None))

    result = await in_time(actorctl.start("run", "hello", "--name", "x", "--wait"))

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")


async def test_the_log_comes_whole_and_before_the_verdict(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    command = actorctl.start("run", "hello", "--name", "x", "--logs")
    await eventually(lambda: server.watches.open("actorruns"))
    server.create("pods", a_pod("x-1"))
    pod = server.pod("default", "x-1").schedule().run().print("one\n")
    set_status("x", RUNNING | {"podName": "x-1"})
    await eventually(lambda: server.requests.of("get", "pods/log"))
    pod.print("two\n").exit(0)
    set_status("x", ended("SUCCEEDED"))

    result = await in_time(command)

    assert result.exit_code == 0
    assert result.stdout == "one\ntwo\n"
    assert result.output.endswith("two\nx SUCCEEDED after 90s.\n")
    assert result.stderr.startswith("x created.\n")


async def test_a_run_that_never_started_has_no_log_and_ends_all_the_same(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    command = actorctl.start("run", "hello", "--name", "x", "--logs")
    await eventually(lambda: server.watches.open("actorruns"))
    set_status("x", ended("FAILED", "BuildNotFound", conditions=[]))

    result = await in_time(command)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "x FAILED: BuildNotFound: It is BuildNotFound." in result.stderr
