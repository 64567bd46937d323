"""Taking pods away: how a stop is carried out, and which pods stay for their logs."""

from datetime import datetime

import pytest
from tests.support.builders import (
    KEYRING,
    SETTINGS,
    SUFFIX,
    a_pod,
    a_run,
    a_status,
    an_actor,
    at,
    ended,
    observe,
)

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
from actor_operator.lifecycle.actions import Action, DeletePod, DeleteSecret, StopPod
from actor_operator.lifecycle.decide import decide
from actor_operator.lifecycle.expiry import given_up_at
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.removal import clear_the_way, stop_pods

FIRST = a_pod().name
"""Name of the run's first pod."""

STOP = StopPod("team", FIRST, "pod-uid")
"""The kubelet is to stop it."""

REMOVE = (
    DeleteSecret("team", f"{FIRST}-{SUFFIX}"),
    DeletePod("team", FIRST, "pod-uid", 1),
)
"""It is to go at once."""

EVENTS = an_actor(abort_signal="Events")
"""An Actor that is told of aborts by an event first."""


def stopping(reason: Reason) -> RunView:
    return a_run(status=a_status(started=2, stop=reason, since=at(10)))


def stopped(observed: Observed, now: float = 10, *, keep_log: bool = False) -> tuple[Action, ...]:
    return stop_pods(observed, at(now), keep_log=keep_log)


RUNNING = a_pod(running=2)


def test_an_immediate_abort_takes_pod_and_log() -> None:
    assert stopped(observe(RUNNING, run=stopping(Reason.ABORT_IMMEDIATE))) == REMOVE


def test_an_immediate_abort_may_leave_the_log() -> None:
    run = stopping(Reason.ABORT_IMMEDIATE)

    assert stopped(observe(RUNNING, run=run), keep_log=True) == (STOP,)
    assert stopped(observe(a_pod(), run=run), keep_log=True) == REMOVE, "there is no log"


def test_a_graceful_abort_by_signal_is_carried_out_at_once() -> None:
    observed = observe(RUNNING, run=stopping(Reason.ABORT_GRACEFUL))

    assert stopped(observed) == (STOP,)
    assert given_up_at(observed) == at(70)


def told_by_event(pod: PodView = RUNNING, reason: Reason = Reason.ABORT_GRACEFUL) -> Observed:
    return observe(pod, run=stopping(reason), actor=EVENTS, has_events=True)


def test_an_actor_that_an_event_tells_of_its_abort_gets_a_signal_five_seconds_before_its_end() -> (
    None
):
    observed = told_by_event()

    assert stopped(observed, 34.9) == ()
    assert stopped(observed, 35) == (STOP,)
    assert given_up_at(observed) == at(95)


def test_an_actor_that_neither_event_nor_signal_has_ended_is_killed_after_half_a_minute() -> None:
    signalled = told_by_event(a_pod(running=2, active_deadline=1))

    assert stopped(signalled, 39.9) == ()
    assert stopped(signalled, 40) == REMOVE
    assert stopped(told_by_event(a_pod(running=2, deleted=40, grace=1)), 41) == (), "once"


def test_an_actor_that_ends_after_the_signal_keeps_its_pod_and_log() -> None:
    assert stopped(told_by_event(a_pod(running=2, ended=ended(0))), 40) == ()


def test_a_run_that_is_told_by_event_is_looked_at_when_signal_and_end_are_due() -> None:
    def looked_at(now: float, pod: PodView) -> datetime | None:
        return decide(told_by_event(pod), at(now), SETTINGS, KEYRING).wake_at

    assert looked_at(10, RUNNING) == at(35)
    assert looked_at(35, a_pod(running=2, active_deadline=1)) == at(40)


def test_an_immediate_abort_waits_for_no_event() -> None:
    assert stopped(told_by_event(reason=Reason.ABORT_IMMEDIATE)) == REMOVE


def test_a_pod_that_has_not_started_waits_for_no_event() -> None:
    assert stopped(told_by_event(a_pod())) == REMOVE


def test_without_an_api_server_nobody_sends_events_and_the_signal_comes_at_once() -> None:
    observed = observe(RUNNING, run=stopping(Reason.ABORT_GRACEFUL), actor=EVENTS)

    assert stopped(observed) == (STOP,)
    assert stopped(observed, 60) == (STOP,)
    assert given_up_at(observed) == at(70)


@pytest.mark.parametrize(
    "pod",
    [a_pod(running=2, active_deadline=1), a_pod(running=2, deleted=9)],
    ids=["it was told", "it is being deleted"],
)
def test_a_pod_is_told_once(pod: PodView) -> None:
    assert stopped(observe(pod, run=stopping(Reason.ABORT_GRACEFUL))) == ()


def test_the_kubelet_stops_what_it_has_taken_at_the_timeout_by_itself() -> None:
    run = stopping(Reason.TIMEOUT)

    assert stopped(observe(RUNNING, run=run)) == ()
    assert stopped(observe(a_pod(accepted=None), run=run)) == REMOVE


def test_a_stop_also_takes_the_pod_that_a_reboot_has_left() -> None:
    following = a_pod(number=2)
    run = stopping(Reason.ABORT_IMMEDIATE)
    observed = observe(following, run=run, previous=(RUNNING,))

    assert [a.name for a in stopped(observed) if isinstance(a, DeletePod)] == [
        RUNNING.name,
        following.name,
    ]


# Making way for the next pod


def way(*previous: PodView, attempt: int = 1) -> tuple[Action, ...]:
    run = a_run(status=a_status(attempt=attempt, queued_at=at(100)))
    return clear_the_way(observe(None, run=run, previous=previous), 25)


def test_a_container_that_is_rebooted_gets_its_grace() -> None:
    assert way(RUNNING) == (DeletePod("team", FIRST, "pod-uid", 25),)
    assert way(a_pod(running=2, deleted=3)) == ()


def test_a_pod_of_an_earlier_attempt_goes_with_its_log() -> None:
    assert way(a_pod(ended=ended(0), phase="Succeeded"), attempt=2) == REMOVE
    assert way(RUNNING, attempt=2) == REMOVE


def test_of_the_pods_of_an_attempt_the_last_one_stays() -> None:
    pods = [a_pod(number=number, ended=ended(1), phase="Failed") for number in (1, 2, 3)]

    assert [a.name for a in way(*pods) if isinstance(a, DeletePod)] == [p.name for p in pods[:2]]
