"""Which stop is decided: asked for, due, or committed."""

import pytest
from tests.support.builders import KEYRING, SETTINGS, a_pod, a_run, a_status, at, ended, observe

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.run import RunView
from actor_operator.lifecycle.decide import decide
from actor_operator.lifecycle.observed import Observed

GRACEFUL, IMMEDIATE, TIMEOUT = Reason.ABORT_GRACEFUL, Reason.ABORT_IMMEDIATE, Reason.TIMEOUT


def stop_of(observed: Observed, now: float = 3) -> Reason | None:
    stop = decide(observed, at(now), SETTINGS, KEYRING).facts.stop
    return stop.reason if stop else None


RUNNING = a_pod(running=2)

CASES = [
    pytest.param(a_run(), 3, None, id="nothing stops a run by itself"),
    pytest.param(a_run(abort="Immediate"), 3, IMMEDIATE, id="a user asks at once"),
    pytest.param(a_run(abort="Graceful"), 3, GRACEFUL, id="a user asks gracefully"),
    pytest.param(
        a_run(abort="Immediate", abort_attempt=2),
        3,
        None,
        id="a request for another attempt is none",
    ),
    pytest.param(a_run(), 61.9, None, id="the time is not over yet"),
    pytest.param(a_run(), 62, TIMEOUT, id="the time is over"),
    pytest.param(a_run(abort="Immediate"), 62, IMMEDIATE, id="an abort comes before a timeout"),
    pytest.param(
        a_run(status=a_status(started=2, stop=TIMEOUT, since=at(61)), abort="Immediate"),
        62,
        IMMEDIATE,
        id="a timing-out run can be aborted",
    ),
    pytest.param(
        a_run(status=a_status(started=2, stop=TIMEOUT)), 5, TIMEOUT, id="a timeout stays committed"
    ),
    pytest.param(
        a_run(status=a_status(started=2, stop=IMMEDIATE)),
        3,
        IMMEDIATE,
        id="a committed abort stays when the request is removed",
    ),
    pytest.param(
        a_run(status=a_status(started=2, stop=GRACEFUL)),
        3,
        GRACEFUL,
        id="a committed graceful abort stays when the request is removed",
    ),
    pytest.param(
        a_run(status=a_status(started=2, stop=GRACEFUL), abort="Immediate"),
        3,
        IMMEDIATE,
        id="a graceful abort can be made immediate",
    ),
    pytest.param(
        a_run(status=a_status(started=2, stop=IMMEDIATE), abort="Graceful"),
        3,
        IMMEDIATE,
        id="an immediate abort cannot be made graceful",
    ),
]


@pytest.mark.parametrize(("run", "now", "reason"), CASES)
def test_stop(run: RunView, now: float, reason: Reason | None) -> None:
    assert stop_of(observe(RUNNING, run=run), now) == reason


def test_a_pod_that_says_that_its_deadline_is_exceeded_is_timing_out_before_its_second() -> None:
    assert stop_of(observe(a_pod(running=2, reason="DeadlineExceeded")), 61) == TIMEOUT


def test_a_run_whose_container_has_ended_is_not_timing_out_by_the_clock() -> None:
    """The kubelet's last word decides whether the deadline was the cause."""
    assert stop_of(observe(a_pod(ended=ended(0, after=61))), 70) is None


def test_a_pod_that_no_kubelet_has_taken_never_times_out() -> None:
    assert stop_of(observe(a_pod(scheduled="no room")), 599) is None


def test_a_run_without_timeout_never_times_out() -> None:
    assert stop_of(observe(a_pod(running=2, timeout=0)), 1e7) is None


def test_a_timed_out_verdict_brings_its_stop_along() -> None:
    pod = a_pod(ended=ended(143, after=61), phase="Failed", reason="DeadlineExceeded")

    assert stop_of(observe(pod), 63) == TIMEOUT


def test_an_abort_that_came_too_late_leaves_no_trace() -> None:
    assert stop_of(observe(a_pod(ended=ended(0)), run=a_run(abort="Immediate")), 12) is None


def test_the_words_of_a_committed_timeout_are_kept() -> None:
    run = a_run(status=a_status(started=2, stop=TIMEOUT, since=at(61)))
    stop = decide(observe(RUNNING, run=run), at(63), SETTINGS, KEYRING).facts.stop

    assert stop is not None
    assert stop.message == "As it was."
