"""What a run's steps mean for the metrics."""

from datetime import datetime

from prometheus_client import CollectorRegistry
from tests.support.builders import a_pod, a_run, a_status, at

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import Failure, RunStatus
from actor_operator.metrics import Metrics
from actor_operator.reconcile.seams import Seams


class FixedClock:
    """Twenty seconds after the run's creation."""

    def now(self) -> datetime:
        return at(20)


def measured(
    before: RunStatus | None, after: RunStatus | None, pod: PodView | None = None
) -> dict[str, float]:
    """The sums of all seams after one step; a pod was made when there is no status."""
    registry = CollectorRegistry()
    seams = Seams(metrics=Metrics(registry), clock=FixedClock())
    if after is None:
        seams.pod_created(a_run())
    else:
        seams.status_written(a_run(status=before), a_run(status=after), pod)
    return {
        sample.labels["seam"]: sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "actor_operator_run_seam_seconds_sum"
    }


def test_the_way_from_creation_to_pod_is_measured() -> None:
    assert measured(None, None) == {"created_to_pod": 20}


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


def finished(status: RunStatus) -> dict[tuple[str, str], float]:
    registry = CollectorRegistry()
    seams = Seams(metrics=Metrics(registry), clock=FixedClock())
    seams.status_written(a_run(), a_run(status=status), None)
    return {
        (sample.labels["phase"], sample.labels["reason"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "actor_operator_runs_finished_total"
    }


def test_ends_are_counted_by_phase_and_reason() -> None:
    failure = Failure("OOMKilled", "too much", platform=False)

    assert finished(a_status(end=Phase.SUCCEEDED)) == {("SUCCEEDED", "Completed"): 1}
    assert finished(a_status(end=Phase.FAILED, failure=failure)) == {("FAILED", "OOMKilled"): 1}
    assert finished(a_status(started=1)) == {}
