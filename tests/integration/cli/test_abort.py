"""``actorctl abort``: what is asked for, and when there is nothing to ask."""

from collections.abc import Callable

from tests.integration.cli.conftest import (
    RUNNING,
    Actorctl,
    a_run,
    condition,
    ended,
    eventually,
    in_time,
)
from tests.support.apiserver import ApiServer

SetStatus = Callable[..., None]

ABORTING = {
    "phase": "ABORTING",
    "conditions": [condition("TerminationTarget", "True", "AbortImmediate")],
}
"""The status of a run that is being stopped."""


def request(server: ApiServer, name: str) -> dict[str, object] | None:
    """What is asked for in the run's spec."""
    asked: dict[str, object] | None = server.get("actorruns", "default", name)["spec"].get("abort")
    return asked


async def test_an_abort_names_the_current_attempt(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    set_status(
        "x", RUNNING, ended("FAILED", "Failed"), {"phase": "READY", "attempt": 2, "finished": False}
    )

    result = await actorctl("abort", "x")

    assert (result.exit_code, result.stdout) == (0, "x is being aborted at once.\n")
    assert request(server, "x") == {"attempt": 2, "mode": "Immediate"}


async def test_a_graceful_abort_can_become_an_immediate_one_but_not_the_reverse(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.create("actorruns", a_run("x"))

    first = await actorctl("abort", "x", "--graceful")
    assert first.stdout == "x is being aborted gracefully.\n"
    assert request(server, "x") == {"attempt": 1, "mode": "Graceful"}

    await actorctl("abort", "x")
    assert request(server, "x") == {"attempt": 1, "mode": "Immediate"}

    last = await actorctl("abort", "x", "--graceful")
    assert last.exit_code == 0
    assert last.stdout == "x is being aborted at once already.\n"
    assert request(server, "x") == {"attempt": 1, "mode": "Immediate"}


async def test_a_repeated_abort_writes_nothing(server: ApiServer, actorctl: Actorctl) -> None:
    server.create("actorruns", a_run("x"))
    await actorctl("abort", "x")
    server.requests.clear()

    result = await actorctl("abort", "x")

    assert result.exit_code == 0
    assert server.requests.of("write") == []


async def test_a_finished_run_needs_no_abort(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    set_status("x", RUNNING, ended("SUCCEEDED"))

    result = await actorctl("abort", "x")

    assert (result.exit_code, result.stdout) == (
        0,
        "x is SUCCEEDED already: there is nothing to abort.\n",
    )
    assert request(server, "x") is None


async def test_waiting_ends_with_the_verdict_of_each_run(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    for name in ("one", "two"):
        server.create("actorruns", a_run(name))
        set_status(name, RUNNING)
    command = actorctl.start("abort", "one", "two", "--wait")
    await eventually(lambda: len(server.watches.open("actorruns")) == 2)
    for name in ("one", "two"):
        set_status(name, ABORTING, ended("ABORTED", "Aborted"))

    result = await in_time(command)

    assert result.exit_code == 0
    assert sorted(result.stdout.splitlines()[2:]) == [
        "one ABORTED after 90s.",
        "two ABORTED after 90s.",
    ]


async def test_unknown_runs_do_not_keep_the_others_alive(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.create("actorruns", a_run("x"))

    result = await actorctl("abort", "nope", "x", "never")

    assert result.exit_code == 1
    assert request(server, "x") is not None
    assert result.stderr.count("Error: There is no run") == 2
