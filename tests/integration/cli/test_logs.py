"""``actorctl logs``: what a container wrote, and why there may be nothing."""

from collections.abc import Callable

import pytest
from tests.integration.cli.conftest import (
    RUNNING,
    Actorctl,
    a_pod,
    a_run,
    condition,
    ended,
    eventually,
    in_time,
)
from tests.support.apiserver import ApiServer, PodHandle, on

SetStatus = Callable[..., None]

ON_POD = RUNNING | {"podName": "x-1"}
"""The status of a run whose container has started in a pod."""


@pytest.fixture
def pod(server: ApiServer) -> PodHandle:
    """The pod of a run `x`, with two lines in its log."""
    server.create("actorruns", a_run("x"))
    server.create("pods", a_pod("x-1"))
    return server.pod("default", "x-1").schedule().run().print("one\ntwo\n")


async def test_the_log_so_far_is_printed(
    actorctl: Actorctl, pod: PodHandle, set_status: SetStatus
) -> None:
    set_status("x", ON_POD)

    result = await actorctl("logs", "x")

    assert (result.exit_code, result.stdout) == (0, "one\ntwo\n")


async def test_the_end_of_the_log_comes_with_times_if_wanted(
    actorctl: Actorctl, pod: PodHandle, set_status: SetStatus
) -> None:
    set_status("x", ON_POD)

    result = await actorctl("logs", "x", "--tail", "1", "--timestamps")

    assert result.stdout == "2026-03-01T12:00:00.000000002Z two\n"


async def test_a_followed_log_goes_on_over_cuts_and_repeats_nothing(
    server: ApiServer, actorctl: Actorctl, pod: PodHandle, set_status: SetStatus
) -> None:
    set_status("x", ON_POD)
    server.faults.reset(on("get", "pods/log", nth=2), during=True)
    command = actorctl.start("logs", "-f", "x")
    await eventually(lambda: len(server.requests.of("get", "pods/log")) >= 3)
    pod.print("three\n").exit(0)
    set_status("x", ended("SUCCEEDED"))

    result = await in_time(command)

    assert result.exit_code == 0
    assert result.stdout == "one\ntwo\nthree\n"
    assert result.stderr == ""


async def test_a_log_that_cannot_be_read_for_long_is_told_of_once(
    server: ApiServer, actorctl: Actorctl, pod: PodHandle, set_status: SetStatus
) -> None:
    set_status("x", ON_POD)
    server.faults.fail(500, on("get", "pods/log", times=3))
    command = actorctl.start("logs", "-f", "x")
    await eventually(lambda: len(server.requests.of("get", "pods/log")) >= 4)
    pod.exit(0)
    set_status("x", ended("SUCCEEDED"))

    result = await in_time(command)

    assert result.stdout == "one\ntwo\n"
    assert result.stderr.count("The log is interrupted, still trying: ") == 1


async def test_a_followed_log_goes_on_in_the_next_pod(
    server: ApiServer, actorctl: Actorctl, pod: PodHandle, set_status: SetStatus
) -> None:
    set_status("x", ON_POD)
    command = actorctl.start("logs", "-f", "x", "--timestamps")
    await eventually(lambda: server.requests.of("get", "pods/log"))
    pod.exit(137)
    server.create("pods", a_pod("x-2"))
    set_status("x", {"podName": "x-2", "migrations": 1})
    second = server.pod("default", "x-2").schedule()
    await eventually(lambda: server.requests.of("get", "pods/log", "x-2"))
    second.run().print("three\n").exit(0)
    set_status("x", ended("SUCCEEDED"))

    result = await in_time(command)

    assert [line.split()[1] for line in result.stdout.splitlines()] == ["one", "two", "three"]


async def test_following_begins_with_the_last_lines_if_wanted(
    actorctl: Actorctl, pod: PodHandle, set_status: SetStatus
) -> None:
    pod.exit(0)
    set_status("x", ON_POD, ended("SUCCEEDED"))

    result = await in_time(actorctl.start("logs", "-f", "x", "--tail", "1"))

    assert result.stdout == "two\n"


async def test_a_followed_log_that_may_not_be_read_is_an_error(
    server: ApiServer, actorctl: Actorctl, pod: PodHandle, set_status: SetStatus
) -> None:
    set_status("x", ON_POD)
    server.faults.fail(403, on("get", "pods/log", times=None))

    result = await in_time(actorctl.start("logs", "-f", "x"))

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")


async def test_a_followed_log_whose_pod_is_gone_says_so(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    set_status("x", ON_POD, ended("SUCCEEDED"))

    result = await in_time(actorctl.start("logs", "-f", "x"))

    assert result.stderr == "The pod x-1 is gone, and its log with it.\n"


async def test_a_run_that_waits_has_no_log_yet_and_says_why(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    waiting = condition("PodScheduled", "False", "Unschedulable", "no node fits")
    set_status("x", {"observedGeneration": 1, "conditions": [waiting]})

    result = await actorctl("logs", "x")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: x has no log yet: it is READY, no node fits",
        "Hint: Wait for it with: actorctl logs -f x",
    ]


async def test_a_container_that_has_not_started_has_no_log_yet(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    server.create("pods", a_pod("x-1"))
    set_status("x", {"podName": "x-1", "observedGeneration": 1})

    result = await actorctl("logs", "x")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: x has no log yet: it is READY.\n")


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (ended("SUCCEEDED"), "the pod of a finished run is kept for a while only"),
        (ended("ABORTED", "Aborted"), "an immediate abort takes the pod away"),
    ],
)
async def test_a_log_that_is_gone_is_told_with_the_cause(
    server: ApiServer,
    actorctl: Actorctl,
    set_status: SetStatus,
    last: dict[str, object],
    why: str,
) -> None:
    server.create("actorruns", a_run("x"))
    stopping = {"phase": "ABORTING"} if last["phase"] == "ABORTED" else {}
    set_status("x", ON_POD, stopping, last)

    result = await actorctl("logs", "x")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: There is no log of x any more: {why}")


async def test_a_run_that_never_had_a_container_says_why(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    set_status("x", ended("FAILED", "BuildNotFound", conditions=[]))

    result = await actorctl("logs", "-f", "x")

    assert result.exit_code == 1
    assert result.stderr == "Error: x is FAILED and never had a container: It is BuildNotFound.\n"
