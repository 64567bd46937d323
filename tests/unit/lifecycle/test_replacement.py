"""When a run goes on in another pod instead of ending."""

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.builders import (
    KEYRING,
    SETTINGS,
    a_pod,
    a_run,
    a_status,
    an_actor,
    at,
    ended,
    observe,
)

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import Attempt, Options, RebootRequest, RunView, Stats
from actor_operator.lifecycle.decide import Decision, decide
from actor_operator.lifecycle.facts import Cause
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.replacement import unseen_end
from actor_operator.lifecycle.status import summarise

EVICTED = a_pod(ended=ended(0, after=12), disrupted="EvictionByEvictionAPI", disrupted_at=10)
"""A pod that was drained away, whose container was polite."""

RESTARTS = Options("latest", 1024, 60, 2048, "250m", restart_on_error=True)
"""Options of a run that wants to be started again."""


def running(**status: Any) -> RunView:
    return a_run(status=a_status(started=2, **status))


def decided(observed: Observed, now: float = 20) -> Decision:
    return decide(observed, at(now), SETTINGS, KEYRING)


def told(observed: Observed, now: float = 20) -> list[Phase]:
    return [s.phase for s in summarise(observed, decided(observed, now), at(now), SETTINGS)]


# Migration


def test_a_disrupted_run_moves() -> None:
    decision = decided(observe(EVICTED, run=running()))

    assert decision.facts.verdict is None
    assert decision.facts.next_pod is not None
    assert decision.facts.next_pod.cause is Cause.MIGRATION
    assert decision.facts.next_pod.reason == Reason.EVICTED_BY_API
    assert "move 1 of at most 3" in decision.facts.next_pod.message


def test_a_run_that_has_moved_three_times_fails_with_the_cause() -> None:
    verdict = decided(observe(EVICTED, run=running(migrations=3))).facts.verdict

    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.FAILED, Reason.EVICTED_BY_API)
    assert "moved 3 times" in verdict.message


def test_a_run_whose_actor_does_not_want_to_move_fails() -> None:
    stays = an_actor(restart_on_disruption=False)
    verdict = decided(observe(EVICTED, run=running(), actor=stays)).facts.verdict

    assert verdict is not None
    assert verdict.reason == Reason.EVICTED_BY_API


def test_a_disruption_in_which_a_user_aborts_is_an_abort() -> None:
    run = a_run(status=a_status(started=2), abort="Immediate")
    decision = decided(observe(EVICTED, run=run))

    assert (decision.facts.verdict, decision.facts.next_pod) == (None, None)
    assert decision.facts.stop is not None
    assert decision.facts.stop.reason == Reason.ABORT_IMMEDIATE


def test_a_disruption_after_the_deadline_was_told_times_out() -> None:
    pod = a_pod(ended=ended(0, after=61), disrupted="EvictionByEvictionAPI", disrupted_at=61)
    run = running(stop=Reason.TIMEOUT, since=at(61))
    verdict = decided(observe(pod, run=run), now=62).facts.verdict

    assert verdict is not None
    assert verdict.phase is Phase.TIMED_OUT


def test_between_two_pods_the_time_may_run_out() -> None:
    run = running(timeout_at=at(61), pod_name="hello-x-2")

    assert told(observe(None, run=run), now=61) == [Phase.TIMING_OUT, Phase.TIMED_OUT]


def test_a_run_learnt_of_at_once_is_told_to_have_run_before_it_moves() -> None:
    observed = observe(EVICTED)
    first, second = summarise(observed, decided(observed), at(20), SETTINGS)

    assert (first.phase, first.migrations) == (Phase.RUNNING, 0)
    assert (second.phase, second.migrations) == (Phase.RUNNING, 1)
    assert first.pod_name != second.pod_name
    assert second.timeout_at == at(61)


def test_a_pod_that_its_node_refuses_is_followed_by_another() -> None:
    decision = decided(observe(a_pod(phase="Failed", reason="OutOfcpu")))

    assert decision.facts.next_pod is not None
    assert decision.facts.next_pod.reason == Reason.NODE_REJECTED


# restartOnError


@pytest.mark.parametrize(
    "pod",
    [
        a_pod(ended=ended(1)),
        a_pod(ended=ended(137, reason="OOMKilled")),
        a_pod(ended=ended(137), phase="Failed", reason="Evicted"),
    ],
    ids=["exit 1", "out of memory", "disk full"],
)
def test_a_run_that_wants_it_is_started_again_after_an_error(pod: PodView) -> None:
    decision = decided(observe(pod, run=running(options=RESTARTS)))

    assert decision.facts.next_pod is not None
    assert decision.facts.next_pod.cause is Cause.RESTART
    assert decided(observe(pod, run=running())).facts.next_pod is None


@pytest.mark.parametrize(
    "pod",
    [a_pod(ended=ended(0)), a_pod(ended=ended(128, reason="StartError"), phase="Failed")],
    ids=["exit 0", "cannot start"],
)
def test_what_cannot_be_mended_by_another_try_is_not_tried_again(pod: PodView) -> None:
    observed = observe(pod, run=running(options=RESTARTS))

    assert decided(observed).facts.next_pod is None


def times(*seconds: float) -> tuple[datetime, ...]:
    return tuple(at(second) for second in seconds)


@pytest.mark.parametrize(
    ("earlier", "again"),
    [(times(1, 2), True), (times(1, 2, 3), False), (times(-50, 2, 3), True)],
    ids=["two", "three", "three, one of them long ago"],
)
def test_fewer_than_three_restarts_in_a_minute(
    earlier: tuple[datetime, ...], *, again: bool
) -> None:
    run = running(options=RESTARTS, restarted_at=earlier)

    assert (decided(observe(a_pod(ended=ended(1)), run=run)).facts.next_pod is not None) is again


def test_a_failed_run_that_a_user_aborts_is_not_started_again() -> None:
    """Its natural end was seen before the abort was committed: that end wins."""
    run = replace(running(options=RESTARTS), spec=a_run(abort="Immediate").spec)

    assert told(observe(a_pod(ended=ended(1)), run=run)) == [Phase.FAILED]


def test_restarts_are_counted_with_their_times() -> None:
    run = running(options=RESTARTS, restarted_at=times(-50, 2, 3), stats=Stats(restart_count=7))
    observed = observe(a_pod(run=run, number=8, ended=ended(1)), run=run)
    (status,) = summarise(observed, decided(observed), at(20), SETTINGS)

    assert status.stats.restart_count == 8
    assert status.restarted_at == times(2, 3, 20)
    scheduled = status.condition(ConditionType.POD_SCHEDULED)
    assert scheduled is not None
    assert scheduled.reason == Reason.RESTARTED


# Reboot


@pytest.mark.parametrize(
    ("request_", "done", "due"),
    [
        (RebootRequest(1, 1), 0, True),
        (RebootRequest(1, 1), 1, False),
        (RebootRequest(1, 3), 1, False),
        (RebootRequest(2, 1), 0, False),
    ],
    ids=["asked for", "done", "not the next one", "another attempt"],
)
def test_a_reboot_is_done_once(request_: RebootRequest, done: int, *, due: bool) -> None:
    run = replace(
        running(stats=Stats(reboot_count=done)), spec=replace(a_run().spec, reboot=request_)
    )

    assert (decided(observe(a_pod(running=2), run=run)).facts.next_pod is not None) is due


def test_a_reboot_that_is_asked_for_while_the_pod_is_lost_is_done_by_the_move() -> None:
    """Else the pod that has just come would be replaced as well."""
    run = a_run(status=a_status(started=2), reboot=RebootRequest(1, 1))
    observed = observe(EVICTED, run=run)
    (status,) = summarise(observed, decided(observed), at(20), SETTINGS)

    assert (status.stats.migration_count, status.stats.reboot_count) == (1, 1)
    assert status.pod_name == a_pod(number=3).name
    moved = replace(run, status=status)
    again = observe(a_pod(run=moved, number=3, running=30), run=moved, previous=(EVICTED,))
    assert decided(again, 31).facts.next_pod is None


def test_a_run_that_has_not_started_is_not_rebooted() -> None:
    run = a_run(reboot=RebootRequest(1, 1))

    assert decided(observe(a_pod(), run=run)).facts.next_pod is None


# A container whose end nobody saw


def again(phase: Phase, *, started: bool = True, exit_code: int | None = None) -> RunView:
    """A run in its second attempt, by how the first one ended."""
    first = Attempt(1, phase, "", at(2) if started else None, at(10), exit_code)
    return a_run(status=a_status(attempt=2, attempts=(first,)))


def test_a_container_of_an_aborted_attempt_may_run_on_unseen() -> None:
    assert unseen_end(again(Phase.ABORTED)) == at(10)


def test_an_attempt_that_never_had_a_pod_has_not_waited_for_it() -> None:
    (first,) = again(Phase.ABORTED).status.attempts
    second = Attempt(2, Phase.ABORTED, "", None, at(20))

    assert unseen_end(a_run(status=a_status(attempt=3, attempts=(first, second)))) == at(10)


@pytest.mark.parametrize(
    "run",
    [
        again(Phase.FAILED),
        again(Phase.ABORTED, started=False),
        again(Phase.ABORTED, exit_code=143),
        a_run(status=a_status()),
        a_run(
            status=a_status(
                attempt=2, end=Phase.FAILED, attempts=again(Phase.ABORTED).status.attempts
            )
        ),
    ],
    ids=["failed", "never ran", "seen", "first attempt", "over"],
)
def test_of_any_other_attempt_nothing_runs_on(run: RunView) -> None:
    assert unseen_end(run) is None


def test_a_container_that_a_reboot_left_may_run_on_unseen() -> None:
    rebooted = Condition(ConditionType.POD_SCHEDULED, "False", Reason.REBOOTED, "", at(12))
    run = a_run(status=a_status(started=2, conditions=(rebooted,)))

    assert unseen_end(run) == at(12)
