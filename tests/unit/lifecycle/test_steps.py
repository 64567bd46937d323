"""Which statuses are written: every step in order, nothing twice, passing causes held back."""

import pytest
from msgspec.structs import replace
from tests.support.builders import (
    KEYRING,
    SETTINGS,
    a_pod,
    a_run,
    a_status,
    at,
    blocked,
    ended,
    observe,
)

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import STEPS, Phase
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunStatus, RunView
from actor_operator.lifecycle.decide import decide
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.status import summarise


def statuses(observed: Observed, now: float) -> tuple[RunStatus, ...]:
    decision = decide(observed, at(now), SETTINGS, KEYRING)
    return summarise(observed, decision, at(now), SETTINGS)


def phases(observed: Observed, now: float = 20) -> list[Phase]:
    return [status.phase for status in statuses(observed, now)]


READY, RUNNING, TIMING_OUT = Phase.READY, Phase.RUNNING, Phase.TIMING_OUT

TIMED_OUT_POD = a_pod(ended=ended(143, after=61), phase="Failed", reason="DeadlineExceeded")
NEVER_RAN = a_pod(waiting="ContainerCreating", phase="Failed", reason="DeadlineExceeded")
TOLD_RUNNING = a_run(status=a_status(started=2))
TOLD_TIMING_OUT = a_run(status=a_status(started=2, stop=Reason.TIMEOUT))
TOLD_ABORTING = a_run(status=a_status(started=2, stop=Reason.ABORT_IMMEDIATE))

PATHS = [
    pytest.param(a_run(), a_pod(running=2), [RUNNING], id="it runs"),
    pytest.param(a_run(), a_pod(ended=ended(0)), [RUNNING, Phase.SUCCEEDED], id="a very short run"),
    pytest.param(a_run(), a_pod(ended=ended(1)), [RUNNING, Phase.FAILED], id="a short failure"),
    pytest.param(
        a_run(),
        a_pod(ended=ended(128, reason="StartError", started_at=None)),
        [Phase.FAILED],
        id="what never started was never running",
    ),
    pytest.param(
        a_run(),
        TIMED_OUT_POD,
        [RUNNING, TIMING_OUT, Phase.TIMED_OUT],
        id="the operator was away for the whole run and its timeout",
    ),
    pytest.param(
        TOLD_RUNNING,
        TIMED_OUT_POD,
        [TIMING_OUT, Phase.TIMED_OUT],
        id="the operator was away for the timeout",
    ),
    pytest.param(TOLD_TIMING_OUT, TIMED_OUT_POD, [Phase.TIMED_OUT], id="the timeout was told"),
    pytest.param(
        a_run(), NEVER_RAN, [TIMING_OUT, Phase.TIMED_OUT], id="the deadline came before the start"
    ),
    pytest.param(
        TOLD_TIMING_OUT,
        a_pod(ended=ended(0, after=61), phase="Succeeded"),
        [Phase.SUCCEEDED],
        id="it ended by itself while timing out",
    ),
    pytest.param(
        a_run(abort="Immediate"), a_pod(running=2), [RUNNING, Phase.ABORTING], id="abort at once"
    ),
    pytest.param(
        a_run(abort="Immediate"), a_pod(scheduled="full"), [Phase.ABORTING], id="abort of a wait"
    ),
    pytest.param(a_run(abort="Immediate"), None, [Phase.ABORTING], id="abort without pod"),
    pytest.param(
        a_run(abort="Immediate"),
        a_pod(ended=ended(0)),
        [RUNNING, Phase.SUCCEEDED],
        id="end and abort are first seen together",
    ),
    pytest.param(TOLD_ABORTING, a_pod(ended=ended(0)), [Phase.ABORTED], id="the abort was told"),
    pytest.param(
        replace(TOLD_TIMING_OUT, spec=a_run(abort="Immediate").spec),
        a_pod(running=2),
        [Phase.ABORTING],
        id="abort while timing out",
    ),
    pytest.param(TOLD_RUNNING, a_pod(ended=ended(0)), [Phase.SUCCEEDED], id="the run was told"),
]


@pytest.mark.parametrize(("run", "pod", "path"), PATHS)
def test_steps(run: RunView, pod: PodView | None, path: list[Phase]) -> None:
    now = 63 if pod in (TIMED_OUT_POD, NEVER_RAN) else 20
    found = phases(observe(pod, run=run), now)

    assert found == path
    before = [run.status.phase, *found]
    assert all(after in STEPS[step] for step, after in zip(before, found, strict=False))


def test_each_step_keeps_what_the_step_before_has_said() -> None:
    running, succeeded = statuses(observe(a_pod(ended=ended(0, after=12))), now=20)

    assert (running.finished_at, running.exit_code, running.finished) == (None, None, False)
    assert running.started_at == succeeded.started_at
    assert succeeded.condition(ConditionType.STARTED) == running.condition(ConditionType.STARTED)


# Nothing is written without news


def test_a_new_run_is_not_written_to_say_that_it_is_ready() -> None:
    assert statuses(observe(None), now=0) == ()
    assert statuses(observe(a_pod()), now=1) == ()


@pytest.mark.parametrize(
    "pod",
    [a_pod(running=2), a_pod(scheduled="no room"), a_pod(waiting="ErrImagePull")],
    ids=["running", "unschedulable", "no image"],
)
def test_what_is_told_is_not_told_again(pod: PodView) -> None:
    (first, *_) = statuses(observe(pod), now=30)
    again = observe(pod, run=a_run(status=first))

    assert statuses(again, now=31) == ()


def test_an_abort_that_is_told_is_not_told_again() -> None:
    *_, aborting = statuses(observe(a_pod(running=2), run=a_run(abort="Immediate")), now=20)
    again = observe(a_pod(running=2), run=a_run(abort="Immediate", status=aborting))

    assert aborting.phase is Phase.ABORTING
    assert statuses(again, now=21) == ()


def test_news_of_a_message_alone_is_not_written() -> None:
    (first, *_) = statuses(observe(a_pod(scheduled="0/1 nodes")), now=30)
    again = observe(a_pod(scheduled="0/2 nodes"), run=a_run(status=first))

    assert statuses(again, now=31) == ()


def test_a_new_generation_is_observed() -> None:
    (first, *_) = statuses(observe(a_pod(running=2)), now=20)
    (second,) = statuses(observe(a_pod(running=2), run=a_run(status=first, generation=2)), now=21)

    assert second.observed_generation == 2
    assert second.phase is RUNNING


def test_another_pod_is_told() -> None:
    status = replace(statuses(observe(a_pod(running=2)), now=20)[-1], pod_name="earlier")
    (second,) = statuses(observe(a_pod(running=2), run=a_run(status=status)), now=21)

    assert second.pod_name == a_pod().name


# Causes of waiting are held back


def test_a_cause_of_waiting_is_told_only_when_it_lasts() -> None:
    """For one second, and the second by which Kubernetes cuts off its times."""
    observed = observe(a_pod(scheduled="no room"))

    assert statuses(observed, now=2.9) == ()
    (status,) = statuses(observed, now=3)
    assert status.phase is READY
    condition = status.condition(ConditionType.POD_SCHEDULED)
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", Reason.UNSCHEDULABLE)


def test_a_refusal_is_held_back_too() -> None:
    observed = observe(None, blocked=blocked(since=10, retry=15))

    assert statuses(observed, now=11.9) == ()
    assert len(statuses(observed, now=12)) == 1


def test_a_cause_that_is_held_back_does_not_hold_back_other_news() -> None:
    observed = observe(a_pod(scheduled="no room"), run=a_run(abort="Immediate"))

    assert phases(observed, now=1) == [Phase.ABORTING]


def test_a_change_of_cause_is_told() -> None:
    (first,) = statuses(observe(a_pod(waiting="ContainerCreating")), now=10)
    (second,) = statuses(observe(a_pod(waiting="ErrImagePull"), run=a_run(status=first)), now=11)

    condition = second.condition(ConditionType.STARTED)
    assert condition is not None
    assert condition.reason == Reason.IMAGE_PULL_BACK_OFF


def test_the_first_thing_told_of_a_waiting_run_is_its_whole_state() -> None:
    (status,) = statuses(observe(a_pod(waiting="ErrImagePull")), now=10)

    assert len(status.conditions) == 8
    assert status.observed_generation == 1
