"""What must hold of a run's recorded history, compared with what really happened to its pods."""

from tests.support.toy_kubelet import Cause, Truth

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import FINISHED, STEPS, Phase
from actor_operator.api.views.run import RunStatus
from actor_operator.desired.names import pod_number
from actor_operator.lifecycle.replacement import ACTOR_FAILED, MAX_MIGRATIONS, MAX_RESTARTS

TAKEN = {
    Reason.POD_DELETED,
    Reason.POD_VANISHED,
    Reason.EVICTED,
    Reason.EVICTED_BY_API,
    Reason.PREEMPTED,
    Reason.NODE_LOST,
    Reason.NODE_SHUTDOWN,
}
"""Reasons of a run whose pod was taken away."""


def check_step(before: RunStatus, after: RunStatus) -> None:
    """One committed status after another."""
    assert after.phase is before.phase or after.phase in STEPS[before.phase]
    assert after.attempt == before.attempt + int(before.finished and not after.finished)
    assert after.finished == (after.phase in FINISHED)
    assert (after.finished_at is not None) == after.finished
    assert after.observed_generation >= before.observed_generation
    if after.attempt != before.attempt:
        check_beginning(before, after)
        return
    assert before.started_at in (None, after.started_at)
    assert before.options in (None, after.options)
    assert after.migrations >= before.migrations
    pods = pod_number(after) - pod_number(before)
    reboots = after.stats.reboot_count - before.stats.reboot_count
    assert pods in {0, 1} or (pods, reboots) == (2, 1)  # a reboot that a move does is counted, too
    assert after != before, "a status is written that says nothing new"
    if before.finished:
        verdict = ("phase", "exit_code", "finished_at", "failure", "stats", "started_at")
        assert all(getattr(after, name) == getattr(before, name) for name in verdict)
    if after.finished_at and after.started_at:
        assert after.finished_at >= after.started_at
    for condition in after.conditions:
        old = before.condition(condition.type)
        moved = old is not None and old.last_transition_time != condition.last_transition_time
        assert not moved or (old is not None and old.status != condition.status)


def check_beginning(before: RunStatus, after: RunStatus) -> None:
    """A resurrection: what an attempt begins with."""
    assert (after.phase, after.started_at, after.exit_code) == (Phase.READY, None, None)
    assert (after.failure, after.timeout_at, after.migrations) == (None, None, 0)
    assert after.attempts == before.attempts
    assert pod_number(after) == pod_number(before) + 1
    assert after.stats.run_time_secs == before.stats.run_time_secs
    assert ids(after) == ids(before)


def ids(status: RunStatus) -> tuple[str | None, ...]:
    """What stays for the run's whole life."""
    return (
        status.run_id,
        status.default_key_value_store_id,
        status.default_dataset_id,
        status.default_request_queue_id,
        status.input_sha256,
    )


def check_story(
    history: list[RunStatus], truths: list[Truth], *, moves: bool, aborted: set[int]
) -> None:
    """Every attempt against what really happened.

    ``moves`` says whether disruptions migrate, ``aborted`` which attempts a user wanted to stop.
    """
    for number in range(1, history[-1].attempt + 1):
        attempt = [status for status in history if status.attempt == number]
        check_verdict(attempt[-1], attempt, [t for t in truths if t.attempt == number])
        timing_out = any(status.phase is Phase.TIMING_OUT for status in attempt)
        if number not in aborted and not timing_out:
            check_moves(attempt[-1], moves=moves)


def check_moves(status: RunStatus, *, moves: bool) -> None:
    """What another pod could have mended is no failure."""
    reason = status.failure.reason if status.failure else None
    if reason in TAKEN or reason == Reason.NODE_REJECTED:
        assert status.migrations == MAX_MIGRATIONS or not moves
    if reason in ACTOR_FAILED and status.options and status.options.restart_on_error:
        assert len(status.restarted_at) == MAX_RESTARTS


def check_verdict(status: RunStatus, history: list[RunStatus], truths: list[Truth]) -> None:
    """The verdict of an attempt against what really happened in its last pod.

    An earlier one may have ended well after a reboot was committed: it is not what ended the run.
    """
    phases = [s.phase for s in history]
    # After a crash a pod of which nothing was committed has a successor of its name.
    ran = [t for t in truths if t.started is not None and t.name == status.pod_name]
    truth = ran[-1] if ran else None
    if Phase.ABORTING in phases:
        assert status.phase is Phase.ABORTED
    if status.phase is Phase.ABORTED:
        assert Phase.ABORTING in phases
    if status.phase is Phase.SUCCEEDED:
        assert truth is not None
        assert (truth.cause, truth.code, status.exit_code) == (Cause.ITSELF, 0, 0)
    if status.phase is Phase.TIMED_OUT:
        assert Phase.TIMING_OUT in phases
        assert status.timeout_at is not None
        assert status.finished_at is not None
        assert status.finished_at >= status.timeout_at
    if status.phase is Phase.FAILED:
        check_failure(status, truth)


def check_failure(status: RunStatus, truth: Truth | None) -> None:
    """No false failure: what succeeded failed only if nobody can know better.

    A container that ran and went while nobody looked is nobody's success: it gets another pod.
    """
    assert status.failure is not None
    if truth is None or truth.ended is None or status.started_at is None:
        return
    if truth.cause is Cause.ITSELF and truth.code == 0:
        assert status.failure.reason in TAKEN
        taken = truth.taken
        assert taken is not None
        assert taken.replace(microsecond=0) <= truth.ended.replace(microsecond=0) or (
            status.failure.reason == Reason.POD_VANISHED
        )
