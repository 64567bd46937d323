"""Whatever becomes of the watches, in whatever phase, the run ends as ever."""

import asyncio
from collections.abc import Callable

import pytest
from tests.integration.operator.bench import WATCHED, Bench, Workload, is_work
from tests.support.apiserver import ApiServer, on

MOMENTS = ("create secrets", "create pods", "RUNNING", "delete secrets", "SUCCEEDED")
"""The writes of a plain run: each begins a phase of it."""

SILENCE = 0.5
"""Seconds; much happens in them."""


def cut(server: ApiServer) -> None:
    server.watches.cut()


def reset(server: ApiServer) -> None:
    server.watches.cut(abort=True)


def half_a_line(server: ApiServer) -> None:
    for kind in WATCHED:
        server.watches.send_half_a_line(kind)


def error_500(server: ApiServer) -> None:
    for kind in WATCHED:
        server.watches.send_error(kind, 500)


def error_410(server: ApiServer) -> None:
    for kind in WATCHED:
        server.watches.send_error(kind, 410)


def compaction(server: ApiServer) -> None:
    """Real 410: what was missed can no longer be told."""
    server.watches.cut()
    asyncio.get_running_loop().call_later(0.05, server.compact)


def gone_as_status(server: ApiServer) -> None:
    server.faults.fail(410, on("watch", times=len(WATCHED)))
    server.watches.cut()


def silence(server: ApiServer) -> None:
    silence_of("pods")(server)
    silence_of("actorruns")(server)


def silence_of(kind: str) -> Callable[[ApiServer], None]:
    def act(server: ApiServer) -> None:
        server.watches.hold(kind)
        asyncio.get_running_loop().call_later(SILENCE, server.watches.release, kind)

    return act


def one_event_each(server: ApiServer) -> None:
    for kind in WATCHED:
        server.watches.cut_after_each_event(kind)


FAULTS: dict[str, Callable[[ApiServer], None]] = {
    "are cut": cut,
    "are reset": reset,
    "end in half a line": half_a_line,
    "end in an error": error_500,
    "are told that they are too old": error_410,
    "cannot go on from where they were": compaction,
    "are refused as too old": gone_as_status,
    "fall silent": silence,
    "of pods fall silent": silence_of("pods"),
    "of runs fall silent": silence_of("actorruns"),
    "end after each event": one_event_each,
}
"""What may happen to the watches."""


@pytest.mark.parametrize("moment", range(len(MOMENTS)), ids=[f"at {m}" for m in MOMENTS])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_run_ends_as_ever_when_the_watches(bench: Bench, fault: str, moment: int) -> None:
    server = bench.server
    await bench.leading(bench.start())
    await bench.drive(Workload(), "reference")
    server.faults.call(
        lambda _: FAULTS[fault](server),
        on("write", when=is_work, nth=moment + 1),
        applied=True,
    )

    await bench.drive(Workload())

    assert bench.difference() is None
    assert bench.pods_made() == 1


@pytest.mark.parametrize("kind", WATCHED)
async def test_events_that_are_always_late_lead_to_no_second_pod(bench: Bench, kind: str) -> None:
    await bench.leading(bench.start())
    await bench.drive(Workload(), "reference")
    bench.server.watches.delay(kind, 0.3)

    await bench.drive(Workload())

    assert bench.difference() is None


async def test_runs_go_on_after_the_server_was_away(bench: Bench) -> None:
    await bench.leading(bench.start())
    await bench.drive(Workload(), "reference")

    bench.create(Workload())
    await bench.server.restart(1.0)
    await bench.drive(Workload(), "another")

    await bench.phase("SUCCEEDED")
    assert bench.difference() is None


async def test_an_end_of_which_no_watch_has_told_wins_over_an_abort_that_comes_after_it(
    bench: Bench,
) -> None:
    await bench.leading(bench.start())
    bench.create(Workload("endless"))
    await bench.phase("RUNNING")
    (pod,) = bench.live_pods()

    bench.server.watches.hold("pods")
    bench.server.pod("default", pod["metadata"]["name"]).exit(0)
    bench.abort()

    await bench.phase("SUCCEEDED")
    bench.server.watches.release("pods")
