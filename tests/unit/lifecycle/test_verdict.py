"""How an attempt ends: each way, and which wins when several hold."""

import pytest
from tests.support.builders import SETTINGS, a_pod, a_run, a_status, at, ended, observe

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import PodView
from actor_operator.lifecycle.facts import Verdict
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.verdict import verdict_of

TIMING_OUT = a_run(status=a_status(started=2, stop=Reason.TIMEOUT))
"""A run whose timeout is committed."""

ABORTING = a_run(status=a_status(started=2, stop=Reason.ABORT_IMMEDIATE))
"""A run whose abort is committed."""

RUNNING = a_run(status=a_status(started=2))
"""A run that is told to be running."""


def judge(observed: Observed, now: float = 100) -> Verdict | None:
    return verdict_of(observed, at(now), SETTINGS.limits)


def outcome(observed: Observed, now: float = 100) -> tuple[Phase, Reason] | None:
    verdict = judge(observed, now)
    return (verdict.phase, verdict.reason) if verdict else None


def timed_out_pod(code: int) -> Observed:
    """The kubelet has stopped the pod at its deadline, 61 s after the run's creation."""
    pod = a_pod(ended=ended(code, after=62), phase="Failed", reason="DeadlineExceeded")
    return observe(pod, run=RUNNING)


GOES_ON = [
    pytest.param(observe(None), id="a run without pod"),
    pytest.param(observe(a_pod(scheduled="0/1 nodes")), id="a pod that waits for a node"),
    pytest.param(observe(a_pod(waiting="ContainerCreating")), id="a container that is being made"),
    pytest.param(observe(a_pod(running=2), run=RUNNING), id="a container that runs"),
    pytest.param(
        observe(a_pod(running=2, reason="DeadlineExceeded"), run=RUNNING),
        id="a container that is being stopped at the deadline",
    ),
    pytest.param(observe(a_pod(running=2), run=TIMING_OUT), id="a run that is timing out"),
    pytest.param(observe(a_pod(running=2), run=ABORTING), id="a run that is being aborted"),
    pytest.param(
        observe(a_pod(running=2, deleted=5), run=RUNNING), id="a pod that is being deleted"
    ),
    pytest.param(
        observe(a_pod(running=2, disrupted="EvictionByEvictionAPI"), run=RUNNING),
        id="a pod that is being evicted",
    ),
]


@pytest.mark.parametrize("observed", GOES_ON)
def test_there_is_no_verdict_while_a_container_may_run(observed: Observed) -> None:
    assert judge(observed, now=30) is None


# The container ended by itself


def test_exit_code_0_succeeds() -> None:
    verdict = judge(observe(a_pod(ended=ended(0, after=7))))

    assert verdict == Verdict(
        Phase.SUCCEEDED, Reason.COMPLETED, "The actor ended with exit code 0.", 0, at(7)
    )


def test_another_exit_code_fails_and_is_kept() -> None:
    verdict = judge(observe(a_pod(ended=ended(7, after=9))))

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.FAILED, Reason.CONTAINER_FAILED)
    assert (verdict.exit_code, verdict.finished_at) == (7, at(9))
    assert not verdict.platform


def test_a_signal_that_the_runtime_reports_is_named() -> None:
    verdict = judge(observe(a_pod(ended=ended(137, signal=9))))

    assert verdict is not None
    assert verdict.message == "The actor ended with exit code 137 (signal 9)."


def test_the_end_of_the_container_is_the_end_before_the_pod_says_so() -> None:
    """The kubelet gives the pod's phase about a second later."""
    assert outcome(observe(a_pod(ended=ended(0), phase="Running"))) == (
        Phase.SUCCEEDED,
        Reason.COMPLETED,
    )


def test_out_of_memory_is_named_with_the_memory_of_the_run() -> None:
    verdict = judge(observe(a_pod(ended=ended(137, reason="OOMKilled"), memory=256)))

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.FAILED, Reason.OOM_KILLED)
    assert verdict.exit_code == 137
    assert "more than its 256 MB" in verdict.message


def test_out_of_memory_of_a_pod_with_a_spoilt_annotation_names_the_limit_without_number() -> None:
    verdict = judge(observe(a_pod(ended=ended(137, reason="OOMKilled"), annotated=False)))

    assert verdict is not None
    assert "more than its memory limit" in verdict.message


def test_a_container_that_succeeds_after_a_child_ran_out_of_memory_succeeds() -> None:
    """Runtimes say OOMKilled of the container whichever of its processes was killed."""
    verdict = judge(observe(a_pod(ended=ended(0, reason="OOMKilled"))))

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.SUCCEEDED, Reason.COMPLETED)


def test_exit_code_137_without_reason_is_a_failed_container() -> None:
    """Not every runtime tells of memory."""
    assert outcome(observe(a_pod(ended=ended(137)))) == (Phase.FAILED, Reason.CONTAINER_FAILED)


@pytest.mark.parametrize("reason", ["StartError", "ContainerCannotRun"])
def test_an_entry_point_that_cannot_run_is_a_start_error(reason: str) -> None:
    container = ended(128, reason=reason, started_at=None, message='exec: "/nope"')
    verdict = judge(observe(a_pod(ended=container)))

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.FAILED, Reason.START_ERROR)
    assert verdict.exit_code == 128
    assert '"/nope"' in verdict.message


def test_a_container_of_which_no_end_is_known_ends_now() -> None:
    verdict = judge(observe(a_pod(ended=ended(1, finished_at=None))), now=33)

    assert verdict is not None
    assert verdict.finished_at == at(33)


# Disk


def test_an_eviction_for_the_runs_own_disk_use_is_the_actors_fault() -> None:
    pod = a_pod(ended=ended(137), phase="Failed", reason="Evicted", message="exceeds 2048Mi")
    verdict = judge(observe(pod, run=RUNNING))

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.FAILED, Reason.STORAGE_LIMIT_EXCEEDED)
    assert verdict.exit_code == 137
    assert "its 2048 MB. exceeds 2048Mi" in verdict.message
    assert not verdict.platform


def test_an_eviction_that_leaves_no_word_of_the_container_is_still_for_the_disk() -> None:
    pod = a_pod(phase="Failed", reason="Evicted")
    verdict = judge(observe(pod, run=RUNNING), now=40)

    assert verdict is not None
    assert (verdict.reason, verdict.exit_code) == (Reason.STORAGE_LIMIT_EXCEEDED, None)
    assert verdict.finished_at == at(40)


def test_an_evicted_pod_that_someone_deletes_afterwards_was_still_evicted() -> None:
    pod = a_pod(ended=ended(137, finished_at=None), phase="Failed", reason="Evicted", deleted=20)

    assert outcome(observe(pod, run=RUNNING)) == (Phase.FAILED, Reason.STORAGE_LIMIT_EXCEEDED)


def test_an_eviction_for_the_nodes_sake_is_a_disruption() -> None:
    pod = a_pod(
        ended=ended(137, after=12),
        phase="Failed",
        reason="Evicted",
        disrupted="TerminationByKubelet",
        disrupted_at=10,
    )

    assert outcome(observe(pod, run=RUNNING)) == (Phase.FAILED, Reason.EVICTED)


# Timeout


@pytest.mark.parametrize("code", [0, 1, 143, 137])
def test_a_pod_that_the_kubelet_stopped_at_its_deadline_timed_out_whatever_its_code(
    code: int,
) -> None:
    verdict = judge(timed_out_pod(code))

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.TIMED_OUT, Reason.TIMED_OUT)
    assert (verdict.exit_code, verdict.finished_at) == (code, at(62))
    assert "timeout of 60 s" in verdict.message


def test_a_deadline_that_came_before_the_container_ran_names_the_image() -> None:
    pod = a_pod(waiting="ContainerCreating", phase="Failed", reason="DeadlineExceeded")
    verdict = judge(observe(pod), now=63)

    assert verdict is not None
    assert (verdict.phase, verdict.exit_code) == (Phase.TIMED_OUT, None)
    assert verdict.finished_at == at(63)
    assert "the time to fetch the image counts" in verdict.message


def test_an_end_after_the_deadline_waits_for_the_pods_last_word() -> None:
    """The kubelet tells of the container's end a second before it says why the pod ended."""
    pod = a_pod(ended=ended(0, after=61))

    assert judge(observe(pod, run=RUNNING), now=62) is None
    assert judge(observe(pod, run=RUNNING), now=90.9) is None


def test_an_end_after_the_deadline_of_which_the_kubelet_never_speaks_timed_out() -> None:
    """As when the node dies in that very second."""
    pod = a_pod(ended=ended(0, after=61))

    assert outcome(observe(pod, run=RUNNING), now=91) == (Phase.TIMED_OUT, Reason.TIMED_OUT)


def test_an_end_in_the_second_of_the_deadline_that_was_natural_counts_as_natural() -> None:
    """Times are cut off to seconds: the pod's phase says that the kubelet did not stop it."""
    pod = a_pod(ended=ended(0, after=61), phase="Succeeded")

    assert outcome(observe(pod, run=RUNNING), now=62) == (Phase.SUCCEEDED, Reason.COMPLETED)


def test_an_end_before_the_deadline_waits_for_nothing() -> None:
    pod = a_pod(ended=ended(0, after=60))

    assert outcome(observe(pod, run=RUNNING), now=60) == (Phase.SUCCEEDED, Reason.COMPLETED)


def test_a_run_without_timeout_waits_for_nothing() -> None:
    pod = a_pod(timeout=0, ended=ended(0, after=5000))
    run = a_run(status=a_status(started=2, timeout=0))

    assert outcome(observe(pod, run=run), now=5000) == (Phase.SUCCEEDED, Reason.COMPLETED)


@pytest.mark.parametrize(
    ("code", "end"),
    [(0, (Phase.SUCCEEDED, Reason.COMPLETED)), (3, (Phase.FAILED, Reason.CONTAINER_FAILED))],
)
def test_a_timing_out_run_whose_container_ended_by_itself_keeps_its_own_end(
    code: int, end: tuple[Phase, Reason]
) -> None:
    phase = "Succeeded" if code == 0 else "Failed"
    pod = a_pod(ended=ended(code, after=61), phase=phase)

    assert outcome(observe(pod, run=TIMING_OUT), now=63) == end


TOO_LATE = [
    pytest.param(None, id="gone"),
    pytest.param(a_pod(ended=ended(0, after=63), deleted=62), id="deleted by someone"),
    pytest.param(
        a_pod(ended=ended(0, after=63), disrupted="EvictionByEvictionAPI", disrupted_at=62),
        id="drained",
    ),
    pytest.param(
        a_pod(ended=ended(0, after=63), phase="Failed", reason="NodeShutdown"), id="shut down"
    ),
    pytest.param(a_pod(phase="Failed", reason="UnexpectedAdmissionError"), id="refused anew"),
    pytest.param(a_pod(phase="Failed", reason="Evicted"), id="evicted without a word"),
]


@pytest.mark.parametrize("pod", TOO_LATE)
def test_a_timing_out_run_times_out_whatever_happens_to_its_pod_meanwhile(
    pod: PodView | None,
) -> None:
    assert outcome(observe(pod, run=TIMING_OUT)) == (Phase.TIMED_OUT, Reason.TIMED_OUT)


def test_a_run_that_was_called_timing_out_because_we_heard_late_ends_as_it_really_did() -> None:
    """Its watch lagged: the container had been stopped before the deadline, by its deletion."""
    pod = a_pod(ended=ended(0, after=30), deleted=29)

    assert outcome(observe(pod, run=TIMING_OUT), now=63) == (Phase.FAILED, Reason.POD_DELETED)


# Abort


@pytest.mark.parametrize("stop", [Reason.ABORT_IMMEDIATE, Reason.ABORT_GRACEFUL])
def test_a_committed_abort_ends_as_aborted_once_the_container_has_ended(stop: Reason) -> None:
    run = a_run(status=a_status(started=2, stop=stop))
    verdict = judge(observe(a_pod(ended=ended(137, after=12)), run=run))

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.ABORTED, Reason.ABORTED)
    assert (verdict.exit_code, verdict.finished_at) == (137, at(12))


def test_a_committed_abort_without_pod_ends_at_once() -> None:
    verdict = judge(observe(None, run=a_run(status=a_status(stop=Reason.ABORT_IMMEDIATE))), now=5)

    assert verdict is not None
    assert (verdict.phase, verdict.exit_code, verdict.finished_at) == (Phase.ABORTED, None, at(5))


ABORTED_PODS = [
    pytest.param(a_pod(ended=ended(0)), id="it exited 0"),
    pytest.param(
        a_pod(ended=ended(143), phase="Failed", reason="DeadlineExceeded"),
        id="the kubelet names the deadline that we set to stop it",
    ),
    pytest.param(a_pod(ended=ended(137, reason="OOMKilled")), id="it ran out of memory"),
    pytest.param(a_pod(ended=ended(137), disrupted="EvictionByEvictionAPI"), id="it was drained"),
    pytest.param(a_pod(phase="Failed", reason="Evicted"), id="it was evicted"),
    pytest.param(a_pod(phase="Failed", reason="OutOfcpu"), id="the node refused it"),
]


@pytest.mark.parametrize("pod", ABORTED_PODS)
def test_a_committed_abort_ends_as_aborted_whatever_happens_meanwhile(pod: PodView) -> None:
    assert outcome(observe(pod, run=ABORTING)) == (Phase.ABORTED, Reason.ABORTED)


def test_an_abort_that_is_only_asked_for_does_not_change_how_a_container_has_ended() -> None:
    run = a_run(status=a_status(started=2), abort="Immediate")

    assert outcome(observe(a_pod(ended=ended(0)), run=run)) == (Phase.SUCCEEDED, Reason.COMPLETED)


def test_an_aborting_run_waits_for_a_pod_that_never_started_to_go() -> None:
    run = a_run(status=a_status(stop=Reason.ABORT_IMMEDIATE, since=at(5)))

    assert judge(observe(a_pod(scheduled="no room"), run=run), now=64.9) is None


@pytest.mark.parametrize(
    ("stop", "code", "forced"),
    [
        (Reason.ABORT_GRACEFUL, 137, True),
        (Reason.ABORT_GRACEFUL, 0, False),
        (Reason.ABORT_IMMEDIATE, 137, False),
    ],
)
def test_an_actor_that_ignores_a_graceful_abort_is_said_to_have_been_forced(
    stop: Reason, code: int, *, forced: bool
) -> None:
    run = a_run(status=a_status(started=2, stop=stop, since=at(5)))
    verdict = judge(observe(a_pod(ended=ended(code, after=35)), run=run))

    assert verdict is not None
    assert ("forced" in verdict.message) is forced


def test_the_code_that_the_kubelet_invents_for_a_lost_container_is_not_told() -> None:
    ended_so = ended(137, reason="ContainerStatusUnknown")
    verdict = judge(observe(a_pod(ended=ended_so, phase="Failed", reason="Evicted")))

    assert verdict is not None
    assert (verdict.reason, verdict.exit_code) == (Reason.STORAGE_LIMIT_EXCEEDED, None)
