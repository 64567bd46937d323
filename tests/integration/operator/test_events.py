"""The Events that the operator writes about runs, as the API server has them."""

import asyncio
from typing import Any

import pytest
from tests.integration.operator.bench import NAME, Bench, Workload
from tests.support.apiserver import on
from tests.support.history import Object

from actor_operator.api.views.run import RunView
from actor_operator.lifecycle.events import RunEvent
from actor_operator.reconcile import event_writer, events

WAIT = 0.3
"""Seconds that a wait must last to be told, in place of five."""

MINUTE = 1.0
"""Seconds in which a cause is told once, in place of sixty."""

AGAIN = RunEvent("Warning", "Flaps", "Watch", "It is so again.")
"""What is told over and over."""

TOLD = {
    "fails": (Workload("fails"), ["Warning/ContainerFailed"]),
    "times out": (
        Workload("endless", {"timeoutSecs": 1}),
        ["Warning/TimingOut", "Warning/TimedOut"],
    ),
    "is aborted": (Workload("endless", abort=("RUNNING", "Immediate")), ["Normal/Aborted"]),
    "has no Actor": (Workload("nobody"), ["Warning/ActorNotFound"]),
    "gets no image": (
        Workload("unpullable"),
        ["Warning/ImagePullRetry", "Warning/ImagePullFailed"],
    ),
}
"""What happens to a run, and the Events about it."""


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "WAIT_SECONDS", WAIT)
    monkeypatch.setattr(event_writer, "REPEAT_SECONDS", MINUTE)


def events_about(bench: Bench, name: str = NAME) -> list[Object]:
    """The Events about a run, the oldest first."""
    found = [e for e in bench.server.objects("events", "default") if of_run(e) == name]
    return sorted(found, key=lambda event: event["eventTime"])


def of_run(event: Any) -> str:
    """The run that an Event is about, empty when it is about something else."""
    about = event["regarding"]
    return str(about["name"]) if about["kind"] == "ActorRun" else ""


def words(bench: Bench, name: str = NAME) -> list[str]:
    """Type and reason of each Event about a run."""
    return [f"{event['type']}/{event['reason']}" for event in events_about(bench, name)]


async def told(bench: Bench, expected: list[str], name: str = NAME) -> None:
    """Wait until a run has its Events, and see that there are no more."""
    await bench.until("its Events are there", lambda: len(words(bench, name)) >= len(expected))
    await asyncio.sleep(2 * WAIT)
    assert words(bench, name) == expected


async def test_a_run_that_starts_and_ends_by_itself_makes_none(bench: Bench) -> None:
    await bench.leading(bench.start())
    await bench.drive(Workload())

    await told(bench, [])


@pytest.mark.parametrize("fate", TOLD)
async def test_what_befalls_a_run_is_told(bench: Bench, fate: str) -> None:
    workload, expected = TOLD[fate]
    await bench.leading(bench.start())
    await bench.drive(workload)

    await told(bench, expected)


async def test_an_event_names_the_run_its_pod_and_who_says_it(bench: Bench) -> None:
    await bench.leading(bench.start())
    await bench.drive(Workload("fails"))
    await told(bench, ["Warning/ContainerFailed"])

    (event,) = events_about(bench)
    run = bench.server.get("actorruns", "default", NAME)
    (pod,) = bench.server.objects("pods", "default")
    assert event["regarding"]["uid"] == run["metadata"]["uid"]
    assert event["regarding"]["apiVersion"] == run["apiVersion"]
    assert (event["related"]["name"], event["related"]["uid"]) == (
        pod["metadata"]["name"],
        pod["metadata"]["uid"],
    )
    assert event["reportingController"] == "actor-operator.dev"
    assert event["note"] == "The actor ended with exit code 3."


async def test_a_lost_pod_is_told_with_the_pod_that_was_lost(bench: Bench) -> None:
    await bench.leading(bench.start())
    bench.create(Workload("endless"))
    await bench.phase("RUNNING")
    (lost,) = bench.live_pods()
    bench.server.delete("pods", "default", lost["metadata"]["name"])
    await told(bench, ["Warning/Disrupted"])

    (event,) = events_about(bench)
    assert event["related"]["uid"] == lost["metadata"]["uid"]
    assert event["note"].startswith("PodDeleted: ")
    assert event["note"].endswith(f"The next pod is {bench.status()['podName']}.")
    bench.abort()
    await bench.phase("ABORTED")


async def test_a_cause_that_comes_again_and_again_is_written_once_a_minute(bench: Bench) -> None:
    await bench.leading(bench.start())
    bench.create(Workload("endless"))
    await bench.phase("RUNNING")
    replica = bench.replicas[0]
    run = replica.operator.stores.runs.get("default", NAME)
    assert isinstance(run, RunView)
    for _ in range(50):
        replica.operator.controller._events._writer.tell(AGAIN, run, None)
        await asyncio.sleep(MINUTE / 20)
    await bench.until(
        "all are counted",
        lambda: [(e.get("series") or {}).get("count") for e in events_about(bench)] == [50],
    )

    writes = bench.server.requests.of("write", "events")
    assert [request.verb for request in writes].count("create") == 1
    assert len(writes) <= 5
    bench.abort()
    await bench.phase("ABORTED")


async def test_an_api_server_that_takes_no_events_stands_in_no_runs_way(bench: Bench) -> None:
    await bench.leading(bench.start())
    bench.server.faults.hang(on("create", "events", times=None))
    for name in ("one", "two", "three"):
        bench.create(Workload("fails"), name)
    for name in ("one", "two", "three"):
        await bench.phase("FAILED", name)
    bench.create(Workload(), "four")
    await bench.phase("SUCCEEDED", "four")

    assert words(bench, "one") == []


async def test_without_the_right_to_write_events_runs_go_on_and_the_loss_is_counted(
    bench: Bench,
) -> None:
    replica = bench.start()
    await bench.leading(replica)
    bench.server.faults.fail(403, on("create", "events", times=None))
    await bench.drive(Workload("fails"))

    registry = replica.operator.metrics.registry
    await bench.until(
        "it is counted",
        lambda: registry.get_sample_value("actor_operator_events_total", {"result": "failed"}) == 1,
    )


async def test_only_the_leader_writes_events(bench: Bench) -> None:
    await bench.leading(bench.start())
    bench.start()
    await bench.drive(Workload("fails"))

    await told(bench, ["Warning/ContainerFailed"])
