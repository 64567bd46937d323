"""``actorctl resurrect`` and ``actorctl reboot``: what is asked for, and how it is waited for."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.cli.conftest import (
    RUNNING,
    Actorctl,
    a_pod,
    a_run,
    ended,
    eventually,
    in_time,
)
from tests.support.apiserver import ApiServer, on

SetStatus = Callable[..., None]

AGAIN = {
    "phase": "READY",
    "attempt": 2,
    "finished": False,
    "finishedAt": None,
    "failure": None,
    "exitCode": None,
    "podName": "x-2",
    "conditions": [],
}
"""The status of a run whose second attempt has begun."""


def request(server: ApiServer, field: str = "resurrect") -> dict[str, Any] | None:
    """What is asked for in the spec of the run x."""
    asked: dict[str, Any] | None = server.get("actorruns", "default", "x")["spec"].get(field)
    return asked


@pytest.fixture
def finished(server: ApiServer, set_status: SetStatus) -> None:
    """A run x that has failed."""
    server.create("actorruns", a_run("x"))
    set_status("x", RUNNING | {"podName": "x-1"}, ended("FAILED", "OOMKilled"))


async def test_the_next_attempt_is_asked_for(
    finished: None, server: ApiServer, actorctl: Actorctl
) -> None:
    result = await actorctl("resurrect", "x")

    assert (result.exit_code, result.stdout) == (0, "x is being resurrected, for attempt 2.\n")
    assert request(server) == {"attempt": 2}


async def test_what_the_attempt_shall_have_is_asked_for(
    finished: None, server: ApiServer, actorctl: Actorctl
) -> None:
    words = ("--build", "beta", "--memory", "2048", "--timeout", "0", "--no-restart-on-error")

    result = await actorctl("resurrect", "x", *words, "--max-items", "7", "-o", "json")

    assert json.loads(result.stdout)["spec"]["resurrect"] == request(server)
    assert request(server) == {
        "attempt": 2,
        "build": "beta",
        "memoryMbytes": 2048,
        "timeoutSecs": 0,
        "restartOnError": False,
        "limits": {"maxItems": 7},
    }


async def test_wishes_of_an_earlier_resurrection_do_not_come_back(
    finished: None, server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    await actorctl("resurrect", "x", "--memory", "2048", "--max-items", "7")
    set_status("x", AGAIN, AGAIN | RUNNING, ended("FAILED", "OOMKilled"))

    result = await actorctl("resurrect", "x", "--build", "beta")

    assert result.stdout == "x is being resurrected, for attempt 3.\n"
    assert request(server) == {"attempt": 3, "build": "beta"}


async def test_a_new_limit_on_items_leaves_that_on_costs_as_it_was(
    finished: None, server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    options = {"build": "latest", "memoryMbytes": 128, "timeoutSecs": 0, "diskMbytes": 256}
    set_status("x", {"options": options | {"cpu": "32m", "maxTotalChargeUsd": 1.5}})

    await actorctl("resurrect", "x", "--max-items", "7")

    asked = request(server)
    assert asked is not None
    assert asked["limits"] == {"maxItems": 7, "maxTotalChargeUsd": 1.5}


async def test_a_run_that_is_not_finished_is_refused(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    set_status("x", RUNNING)

    result = await actorctl("resurrect", "x")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: x is RUNNING: only a finished run can be resurrected.",
        "Hint: Wait for its end, or stop it: actorctl abort x --wait",
    ]
    assert request(server) is None


async def test_another_wish_for_an_attempt_that_is_asked_for_is_refused(
    finished: None, server: ApiServer, actorctl: Actorctl
) -> None:
    await actorctl("resurrect", "x", "--memory", "2048")

    result = await actorctl("resurrect", "x", "--memory", "4096")

    assert result.exit_code == 1
    assert "what an attempt was resurrected with never changes" in result.stderr
    assert request(server) == {"attempt": 2, "memoryMbytes": 2048}


async def test_waiting_passes_over_the_end_of_the_attempt_before(
    finished: None, server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    command = actorctl.start("resurrect", "x", "--wait", "-o", "name")
    await eventually(lambda: server.watches.open("actorruns"))
    set_status("x", AGAIN, AGAIN | RUNNING, ended("SUCCEEDED"))

    result = await in_time(command)

    assert result.exit_code == 0
    assert result.stdout == "actorrun.actor-operator.dev/x\n"
    assert result.stderr.splitlines()[0] == "x is being resurrected, for attempt 2."
    assert result.stderr.splitlines()[-1] == "x SUCCEEDED after 90s."
    assert "FAILED" not in result.stderr


async def test_only_the_log_of_the_new_attempt_is_shown(
    finished: None, server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    for name, line in (("x-1", "old"), ("x-2", "new")):
        server.create("pods", a_pod(name))
        server.pod("default", name).schedule().run().print(f"{line}\n").exit(0)
    command = actorctl.start("resurrect", "x", "--logs")
    await eventually(lambda: server.watches.open("actorruns"))
    set_status("x", AGAIN, AGAIN | RUNNING, ended("SUCCEEDED"))

    result = await in_time(command)

    assert (result.exit_code, result.stdout) == (0, "new\n")


async def test_a_run_that_was_replaced_meanwhile_is_not_resurrected(
    finished: None, server: ApiServer, actorctl: Actorctl
) -> None:
    def replace(_request: object) -> None:
        server.delete("actorruns", "default", "x")
        server.create("actorruns", a_run("x"))

    server.faults.call(replace, on("patch", "actorruns"))

    result = await actorctl("resurrect", "x")

    assert result.exit_code == 1
    assert result.stderr == "Error: The run x was deleted meanwhile.\n"
    assert request(server) is None


async def test_a_reboot_names_the_attempt_and_counts(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    set_status("x", RUNNING)

    first = await actorctl("reboot", "x")
    again = await actorctl("reboot", "x")
    set_status("x", {"stats": {"rebootCount": 1}})
    second = await actorctl("reboot", "x")

    assert first.stdout == "x is being rebooted.\n"
    assert again.stdout == "x is being rebooted already.\n"
    assert second.stdout == "x is being rebooted.\n"
    assert request(server, "reboot") == {"attempt": 1, "count": 2}


async def test_only_a_running_run_is_rebooted(
    finished: None, server: ApiServer, actorctl: Actorctl
) -> None:
    result = await actorctl("reboot", "x")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: x is FAILED: only a RUNNING run can be rebooted.",
        "Hint: How it is: actorctl explain x",
    ]
    assert request(server, "reboot") is None
