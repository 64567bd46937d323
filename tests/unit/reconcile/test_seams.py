"""What a run's steps mean for the metrics."""

import re
from datetime import datetime

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from tests.support.builders import a_pod, a_run, a_status, at

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import Failure, RunStatus, Stats
from actor_operator.metrics import Metrics
from actor_operator.reconcile.seams import Seams


class FixedClock:
    """Twenty seconds after the run's creation."""

    def now(self) -> datetime:
        return at(20)


def sums(registry: CollectorRegistry) -> dict[str, float]:
    """The sums of all seams of which something was measured."""
    samples = [sample for family in registry.collect() for sample in family.samples]
    name = "actor_operator_run_seam_seconds"
    count = {s.labels["seam"]: s.value for s in samples if s.name == f"{name}_count"}
    return {
        sample.labels["seam"]: sample.value
        for sample in samples
        if sample.name == f"{name}_sum" and count[sample.labels["seam"]]
    }


def measured(
    before: RunStatus | None, after: RunStatus, pod: PodView | None = None
) -> dict[str, float]:
    """What is measured at one step."""
    registry = CollectorRegistry()
    seams = Seams(metrics=Metrics(registry), clock=FixedClock())
    seams.status_written(a_run(status=before), a_run(status=after), pod)
    return sums(registry)


def measured_of_pod(status: RunStatus) -> dict[str, float]:
    """What is measured when a run gets a pod, twelve seconds after its creation."""
    registry = CollectorRegistry()
    seams = Seams(metrics=Metrics(registry), clock=FixedClock())
    seams.pod_created(a_run(status=status), at(12))
    return sums(registry)


def counted(before: RunStatus, after: RunStatus) -> dict[str, float]:
    """Which turns of a run are counted at one step."""
    registry = CollectorRegistry()
    seams = Seams(metrics=Metrics(registry), clock=FixedClock())
    seams.status_written(a_run(status=before), a_run(status=after), None)
    found = {}
    for sample in (sample for family in registry.collect() for sample in family.samples):
        word = re.fullmatch(r"actor_operator_run_(\w+s)_total", sample.name)
        if word and sample.value:
            found[" ".join([word[1], *sample.labels.values()])] = sample.value
    return found


def test_the_ways_from_creation_to_admission_to_pod_are_measured() -> None:
    assert measured_of_pod(RunStatus()) == {"created_to_admitted": 12, "admitted_to_pod": 8}


def test_a_run_that_waited_for_memory_was_admitted_when_its_status_says_so() -> None:
    waited = RunStatus(admitted_at=at(7))

    assert measured_of_pod(waited) == {"created_to_admitted": 7, "admitted_to_pod": 13}


def test_the_way_to_another_attempt_begins_when_it_was_asked_for() -> None:
    again = RunStatus(attempt=2, queued_at=at(9))

    assert measured_of_pod(again)["created_to_admitted"] == 3


def test_the_next_pod_of_an_attempt_is_no_wait_of_a_user() -> None:
    assert measured_of_pod(a_status(started=5)) == {}
    assert measured_of_pod(RunStatus(migrations=1)) == {}


def test_the_ways_to_the_start_and_to_telling_of_it_are_measured_once() -> None:
    started = a_status(started=5)

    assert measured(RunStatus(), started) == {"created_to_started": 5, "started_to_told": 15}
    assert measured(started, started) == {}


def test_the_ways_of_the_pod_to_its_node_and_its_start_are_measured() -> None:
    seams = measured(RunStatus(), a_status(started=5), a_pod(running=5))

    assert (seams["pod_to_scheduled"], seams["scheduled_to_started"]) == (1, 4)


def test_the_ways_to_the_end_and_to_telling_of_it_are_measured_once() -> None:
    ended = a_status(started=5, end=Phase.SUCCEEDED, finished_at=at(12))

    assert measured(a_status(started=5), ended) == {"started_to_finished": 7, "finished_to_told": 8}
    assert measured(ended, ended) == {}


def test_a_run_that_never_started_has_no_way_from_its_start() -> None:
    ended = a_status(end=Phase.FAILED, finished_at=at(12))

    assert measured(RunStatus(), ended) == {"finished_to_told": 8}


def test_clocks_that_differ_give_no_negative_time() -> None:
    assert measured(RunStatus(), a_status(started=25))["started_to_told"] == 0


def test_the_way_to_a_web_server_is_measured_once() -> None:
    ready = Condition(ConditionType.WEB_SERVER_READY, "True", Reason.ENDPOINT_READY)
    started = a_status(started=5)
    serving = replace(started, conditions=(*started.conditions, ready))

    assert measured(started, serving) == {"started_to_ready": 15}
    assert measured(serving, serving) == {}


@pytest.mark.parametrize(
    ("stats", "count"),
    [
        (Stats(migration_count=1), "migrations NodeLost"),
        (Stats(restart_count=1), "restarts"),
        (Stats(reboot_count=1), "reboots"),
    ],
)
def test_new_pods_of_an_attempt_are_counted(stats: Stats, count: str) -> None:
    running = a_status(started=2)
    cause = Condition(ConditionType.POD_SCHEDULED, "False", Reason.NODE_LOST)
    replaced = replace(running, stats=stats, conditions=(*running.conditions, cause))

    assert counted(running, replaced) == {count: 1}
    assert counted(replaced, replaced) == {}


def test_resurrections_are_counted() -> None:
    ended = a_status(end=Phase.FAILED)

    assert counted(ended, RunStatus(attempt=2)) == {"resurrections": 1}


def finished(status: RunStatus) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    seams = Seams(metrics=Metrics(registry), clock=FixedClock())
    seams.status_written(a_run(), a_run(status=status), None)
    return {
        tuple(sample.labels[name] for name in ("phase", "reason", "platform")): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "actor_operator_runs_finished_total"
    }


def test_ends_are_counted_by_phase_reason_and_fault() -> None:
    own = Failure("ContainerFailed", "exit code 1", platform=False)
    ours = Failure("NodeLost", "the node is gone", platform=True)

    assert finished(a_status(end=Phase.SUCCEEDED)) == {("SUCCEEDED", "Completed", "false"): 1}
    assert finished(a_status(end=Phase.FAILED, failure=own)) == {("FAILED", own.reason, "false"): 1}
    assert finished(a_status(end=Phase.FAILED, failure=ours)) == {
        ("FAILED", ours.reason, "true"): 1
    }
    assert finished(a_status(started=1)) == {}
