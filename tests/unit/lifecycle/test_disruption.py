"""Pods that were taken away from under their run."""

import pytest
from msgspec.structs import replace
from tests.support.builders import SETTINGS, a_pod, a_run, a_status, at, ended, observe

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import PodView, Terminated
from actor_operator.lifecycle.facts import Verdict
from actor_operator.lifecycle.verdict import verdict_of

RUNNING = a_run(status=a_status(started=2))
"""A run that is told to be running."""

STOPPED = ended(143, after=12)
"""The container was stopped by SIGTERM."""

POLITE = ended(0, after=12)
"""The container was stopped by SIGTERM, and exited 0."""


def judge(pod: PodView | None, now: float = 40) -> Verdict | None:
    return verdict_of(observe(pod, run=RUNNING), at(now), SETTINGS.limits)


@pytest.mark.parametrize("container", [STOPPED, POLITE], ids=["exit 143", "exit 0"])
@pytest.mark.parametrize(
    ("kubernetes", "ours"),
    [
        ("EvictionByEvictionAPI", Reason.EVICTED_BY_API),
        ("PreemptionByScheduler", Reason.PREEMPTED),
        ("DeletionByTaintManager", Reason.NODE_LOST),
        ("DeletionByPodGC", Reason.NODE_LOST),
        ("TerminationByKubelet", Reason.EVICTED),
        ("SomethingNew", Reason.EVICTED),
    ],
)
def test_a_pod_that_was_taken_away_fails_with_the_cause_whatever_its_code(
    kubernetes: str, ours: Reason, container: Terminated
) -> None:
    pod = a_pod(ended=container, disrupted=kubernetes, disrupted_at=10)
    verdict = judge(pod)

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.FAILED, ours)
    assert verdict.platform
    assert "Make room." in verdict.message
    assert verdict.finished_at == at(12)


@pytest.mark.parametrize("container", [STOPPED, POLITE], ids=["exit 143", "exit 0"])
def test_a_kubelet_tells_of_an_eviction_only_after_the_end(container: Terminated) -> None:
    pod = a_pod(ended=container, disrupted="TerminationByKubelet", disrupted_at=14)
    verdict = judge(pod)

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.FAILED, Reason.EVICTED)
    assert verdict.disruption


@pytest.mark.parametrize("container", [STOPPED, POLITE], ids=["exit 143", "exit 0"])
def test_a_pod_that_someone_deleted_fails_whatever_its_code(container: Terminated) -> None:
    verdict = judge(a_pod(ended=container, deleted=11))

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.FAILED, Reason.POD_DELETED)
    assert verdict.platform


@pytest.mark.parametrize("reason", ["NodeLost", "NodeShutdown", "Shutdown", "Terminated"])
def test_a_pod_that_ended_with_its_node_fails_whatever_its_code(reason: str) -> None:
    verdict = judge(a_pod(ended=POLITE, phase="Failed", reason=reason, message="going down"))

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.FAILED, Reason.NODE_SHUTDOWN)
    assert "going down" in verdict.message


def test_a_kubelet_that_shuts_down_its_node_is_not_taken_for_one_that_evicts() -> None:
    by_kubelet = "TerminationByKubelet"
    pod = a_pod(ended=POLITE, phase="Failed", reason="Terminated", disrupted=by_kubelet)
    verdict = judge(pod)

    assert verdict is not None
    assert (verdict.reason, verdict.disruption) == (Reason.NODE_SHUTDOWN, True)


def test_a_container_that_was_found_dead_when_its_node_was_started_has_not_failed() -> None:
    found, own = ended(255, reason="Unknown"), ended(255, reason="Error")
    verdict, failure = judge(a_pod(ended=found, phase="Failed")), judge(a_pod(ended=own))

    assert verdict is not None
    assert failure is not None
    assert (verdict.reason, verdict.disruption) == (Reason.NODE_SHUTDOWN, True)
    assert (failure.reason, failure.disruption) == (Reason.CONTAINER_FAILED, False)


def test_of_a_node_whose_clock_is_behind_no_end_is_taken_to_have_come_before() -> None:
    pod = a_pod(accepted=-119, ended=ended(0, after=-100, started_at=at(-118)), deleted=15)
    verdict = judge(pod)

    assert verdict is not None
    assert verdict.reason == Reason.POD_DELETED


def test_a_started_run_whose_pod_is_gone_fails_and_says_that_nobody_saw_the_end() -> None:
    verdict = verdict_of(observe(None, run=RUNNING, gone_since=at(3)), at(40), SETTINGS.limits)

    assert verdict is not None
    assert (verdict.reason, verdict.exit_code) == (Reason.POD_VANISHED, None)
    assert verdict.finished_at == at(40)


def test_a_pod_that_is_committed_and_not_made_yet_is_not_gone() -> None:
    observed = observe(None, run=a_run(status=a_status(started=2, pod_name="hello-x-2")))

    assert verdict_of(observed, at(40), SETTINGS.limits) is None


def test_a_container_whose_end_nobody_saw_may_run_until_its_grace_is_over() -> None:
    observed = observe(a_pod(running=2), run=RUNNING, gone_since=at(10), lingers_until=at(40))

    assert verdict_of(observed, at(39), SETTINGS.limits) is None
    verdict = verdict_of(observed, at(40), SETTINGS.limits)
    assert verdict is not None
    assert verdict.reason == Reason.POD_VANISHED


def test_a_container_that_was_last_seen_to_have_ended_by_itself_decides() -> None:
    observed = observe(a_pod(ended=ended(0, after=9)), run=RUNNING, gone_since=at(10))
    verdict = verdict_of(observed, at(10), SETTINGS.limits)

    assert verdict is not None
    assert verdict.phase is Phase.SUCCEEDED


def test_a_container_of_which_the_node_knows_nothing_is_lost_and_has_not_failed() -> None:
    verdict = judge(a_pod(ended=ended(137, reason="ContainerStatusUnknown"), phase="Failed"))

    assert verdict is not None
    assert (verdict.reason, verdict.disruption) == (Reason.NODE_LOST, True)


def test_a_pod_that_was_preempted_before_its_container_ran_fails_with_that_cause() -> None:
    pod = a_pod(phase="Failed", disrupted="PreemptionByScheduler")
    verdict = verdict_of(observe(pod), at(5), SETTINGS.limits)

    assert verdict is not None
    assert verdict.reason == Reason.PREEMPTED


NATURAL = [
    pytest.param(a_pod(ended=POLITE, deleted=13), id="its pod was deleted a second later"),
    pytest.param(
        a_pod(ended=POLITE, disrupted="DeletionByPodGC", disrupted_at=13),
        id="its pod was collected a second later",
    ),
]


@pytest.mark.parametrize("pod", NATURAL)
def test_a_container_that_had_ended_before_succeeds(pod: PodView) -> None:
    verdict = judge(pod)

    assert verdict is not None
    assert verdict.phase is Phase.SUCCEEDED


def test_an_end_in_the_very_second_of_the_deletion_counts_as_taken_away() -> None:
    """Times are cut off to seconds: exit 0 after SIGTERM must never be a success."""
    verdict = judge(a_pod(ended=POLITE, deleted=12))

    assert verdict is not None
    assert verdict.reason == Reason.POD_DELETED


def test_a_condition_that_is_false_is_no_disruption() -> None:
    pod = a_pod(ended=POLITE, disrupted="EvictionByEvictionAPI")
    condition = pod.status.conditions[1]
    calm = replace(
        pod,
        status=replace(
            pod.status, conditions=(pod.status.conditions[0], replace(condition, status="False"))
        ),
    )
    verdict = judge(calm)

    assert verdict is not None
    assert verdict.phase is Phase.SUCCEEDED


def test_a_pod_that_was_removed_by_force_has_vanished() -> None:
    pod = a_pod(running=2, deleted=12, grace=0)
    verdict = verdict_of(observe(pod, run=RUNNING, gone_since=at(12)), at(42), SETTINGS.limits)

    assert verdict is not None
    assert verdict.reason == Reason.POD_VANISHED
    assert "by force" in verdict.message


def test_a_pod_without_a_node_goes_at_once_and_is_only_deleted() -> None:
    pod = a_pod(scheduled="no room", deleted=12, grace=0)
    verdict = verdict_of(observe(pod, gone_since=at(12)), at(12), SETTINGS.limits)

    assert verdict is not None
    assert verdict.reason == Reason.POD_DELETED
