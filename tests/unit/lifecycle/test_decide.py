"""What to do for a run, and when to look at it again."""

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.builders import (
    KEYRING,
    SETTINGS,
    SUFFIX,
    a_pod,
    a_resolved,
    a_run,
    a_status,
    an_actor,
    at,
    blocked,
    ended,
    observe,
)

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunStatus
from actor_operator.constants import LABEL_ENVIRONMENT, MAX_INPUT_BYTES
from actor_operator.lifecycle.actions import (
    CreatePod,
    DeletePod,
    DeleteSecret,
    RestoreSecret,
    StopPod,
)
from actor_operator.lifecycle.decide import Decision, admit_first, decide
from actor_operator.lifecycle.observed import Observed

POD = a_pod().name
"""Name of the run's first pod."""

SECRET = DeleteSecret("team", f"{POD}-{SUFFIX}")
"""The environment Secret goes."""

KILL = DeletePod("team", POD, "pod-uid", 1)
"""The pod is killed at once."""

LATE = 1e6
"""Seconds after which everything that time can change has changed."""


def decided(observed: Observed, now: float = 3) -> Decision:
    return decide(observed, at(now), SETTINGS, KEYRING)


# Starting


def test_a_new_run_gets_its_secret_and_pod() -> None:
    decision = decided(observe(None))

    (action,) = decision.actions
    assert isinstance(action, CreatePod)
    assert action.objects.pod_name == POD
    assert decision.resolved == a_resolved(timeout=3600)
    assert decision.facts.verdict is None


@pytest.mark.parametrize(
    "pod",
    [
        a_pod(scheduled="no room"),
        a_pod(waiting="ImagePullBackOff"),
        a_pod(running=2),
        a_pod(running=2, deleted=3),
        a_pod(running=2, disrupted="EvictionByEvictionAPI"),
    ],
    ids=["pending", "waiting", "running", "being deleted", "being evicted"],
)
def test_a_run_with_a_pod_gets_no_other(pod: PodView) -> None:
    observed = observe(pod)

    assert decided(observed).actions == ()
    assert decided(observed).resolved == a_resolved()


def test_a_run_whose_earlier_pod_still_ends_waits_for_it() -> None:
    assert decided(observe(None, previous=(a_pod(running=2, deleted=3),))).actions == ()


def test_a_run_that_was_refused_waits_for_its_turn_and_is_then_tried_again() -> None:
    observed = observe(None, blocked=blocked(retry=5))

    assert decided(observed, now=4.9).actions == ()
    assert decided(observed, now=4.9).wake_at == at(5)
    assert isinstance(decided(observed, now=5).actions[0], CreatePod)


def test_a_run_whose_stop_is_due_gets_no_pod() -> None:
    assert decided(observe(None, run=a_run(abort="Immediate"))).actions == ()


# What cannot start


def test_an_actor_that_is_missing_is_waited_for_ten_seconds() -> None:
    observed = Observed(a_run())

    waiting = decided(observed, now=9.9)
    failed = decided(observed, now=10)

    assert waiting.facts.verdict is None
    assert (waiting.facts.admitted.status, waiting.facts.admitted.reason) == (
        "False",
        Reason.ACTOR_NOT_FOUND,
    )
    assert failed.facts.verdict is not None
    assert failed.facts.verdict.reason == failed.facts.admitted.reason == Reason.ACTOR_NOT_FOUND
    assert not waiting.actions + failed.actions


def test_a_missing_actor_is_told_of_before_it_fails_the_run() -> None:
    """Told after the hold-back of a second, and the second by which times are cut off."""
    observed = Observed(a_run())

    assert decided(observed, now=0).wake_at == at(2)
    assert decided(observed, now=2).wake_at == at(10)


def test_a_build_that_is_missing_is_waited_for_too() -> None:
    observed = observe(None, run=a_run(build="later"))

    assert decided(observed, now=9).facts.verdict is None
    verdict = decided(observed, now=10).facts.verdict
    assert verdict is not None
    assert verdict.reason == Reason.BUILD_NOT_FOUND


def test_what_cannot_come_later_fails_at_once() -> None:
    run = a_run(input={"a": "x" * MAX_INPUT_BYTES})
    decision = decided(observe(None, run=run), now=0)

    verdict = decision.facts.verdict
    assert verdict is not None
    assert (verdict.phase, verdict.reason) == (Phase.FAILED, Reason.INPUT_TOO_LARGE)
    assert decision.facts.admitted.status == "False"
    assert decision.actions == ()
    assert decision.wake_at is None


# Stopping: the order of committed statuses decides


def test_an_abort_that_is_asked_for_is_told_before_it_is_carried_out() -> None:
    decision = decided(observe(a_pod(running=2), run=a_run(abort="Immediate")))

    assert decision.facts.stop is not None
    assert decision.facts.stop.reason == Reason.ABORT_IMMEDIATE
    assert decision.actions == ()


def test_a_committed_abort_removes_secret_and_pod() -> None:
    run = a_run(status=a_status(started=2, stop=Reason.ABORT_IMMEDIATE))

    assert decided(observe(a_pod(running=2), run=run)).actions == (SECRET, KILL)


def test_a_pod_without_label_is_removed_without_secret() -> None:
    run = a_run(status=a_status(started=2, stop=Reason.ABORT_IMMEDIATE))
    pod = a_pod(running=2)
    unlabelled = replace(pod, metadata=replace(pod.metadata, labels={}))

    assert decided(observe(unlabelled, run=run)).actions == (KILL,)


def test_a_pod_that_is_being_deleted_is_not_deleted_again() -> None:
    run = a_run(status=a_status(started=2, stop=Reason.ABORT_IMMEDIATE))

    assert decided(observe(a_pod(running=2, deleted=2, grace=1), run=run)).actions == ()


def test_an_immediate_abort_shortens_the_grace_of_a_deletion_that_goes_on() -> None:
    run = a_run(status=a_status(started=2, stop=Reason.ABORT_IMMEDIATE))

    actions = decided(observe(a_pod(running=2, deleted=2, grace=30), run=run)).actions
    assert DeletePod("team", POD, "pod-uid", 1) in actions


def test_a_graceful_abort_lets_the_kubelet_stop_the_pod_once() -> None:
    run = a_run(status=a_status(started=2, stop=Reason.ABORT_GRACEFUL))

    assert decided(observe(a_pod(running=2), run=run)).actions == (StopPod("team", POD, "pod-uid"),)
    assert decided(observe(a_pod(running=2, active_deadline=1), run=run)).actions == ()


def test_a_graceful_abort_of_what_never_started_removes_the_pod() -> None:
    run = a_run(status=a_status(stop=Reason.ABORT_GRACEFUL))

    assert decided(observe(a_pod(scheduled="no room"), run=run)).actions == (SECRET, KILL)


def test_a_graceful_abort_that_is_made_immediate_removes_the_pod_once_that_is_told() -> None:
    graceful = a_run(status=a_status(started=2, stop=Reason.ABORT_GRACEFUL), abort="Immediate")
    immediate = a_run(status=a_status(started=2, stop=Reason.ABORT_IMMEDIATE), abort="Immediate")
    pod = a_pod(running=2, active_deadline=1)

    first, second = decided(observe(pod, run=graceful)), decided(observe(pod, run=immediate))

    assert first.facts.stop is not None
    assert first.facts.stop.reason == Reason.ABORT_IMMEDIATE
    assert first.actions == ()
    assert second.actions == (SECRET, KILL)


def test_a_committed_abort_before_the_pod_leaves_no_secret_of_an_operator_that_died() -> None:
    decision = decided(observe(None, run=a_run(status=a_status(stop=Reason.ABORT_IMMEDIATE))))

    (secret,) = decision.actions
    assert isinstance(secret, DeleteSecret)
    assert secret.name.startswith("hello-mzx7-1-")


def test_a_committed_abort_whose_pod_is_gone_ends_without_anything_to_do() -> None:
    status = replace(a_status(stop=Reason.ABORT_IMMEDIATE), pod_name="hello-mzx7-1")

    decision = decided(observe(None, run=a_run(status=status)))

    assert decision.actions == ()
    assert decision.facts.verdict is not None
    assert decision.facts.verdict.phase is Phase.ABORTED


# Ending


@pytest.mark.parametrize(
    "pod",
    [
        a_pod(ended=ended(0)),
        a_pod(ended=ended(1)),
        a_pod(ended=ended(143), phase="Failed", reason="DeadlineExceeded"),
    ],
    ids=["succeeded", "failed", "timed out"],
)
def test_the_secret_goes_before_the_end_is_told_and_the_pod_stays_for_its_log(pod: PodView) -> None:
    decision = decided(observe(pod))

    assert decision.facts.verdict is not None
    assert decision.actions == (SECRET,)
    assert decision.resolved == a_resolved()


def test_the_secret_of_a_pod_that_vanished_goes_under_the_name_that_it_was_made_with() -> None:
    (create,) = decided(observe(None, run=a_run(timeout_secs=60))).actions
    assert isinstance(create, CreatePod)
    status = a_status(started=2, pod_name=create.objects.pod_name)
    run = a_run(status=status, timeout_secs=60)

    actor = an_actor(restart_on_disruption=False)

    decision = decided(observe(None, run=run, actor=actor, gone_since=at(3)))

    assert decision.facts.verdict is not None
    assert decision.actions == (DeleteSecret("team", create.objects.secret_name),)


def test_a_pod_that_may_still_start_keeps_its_secret_until_it_is_removed() -> None:
    decision = decided(observe(a_pod(waiting="InvalidImageName")))

    assert decision.facts.verdict is not None
    assert decision.facts.verdict.cleanup == ("Pod",)
    assert decision.actions == ()


# Waking up


def with_its_secret(**pod: Any) -> PodView:
    """The pod as `decide` makes it, by the name of its Secret."""
    (action,) = decided(observe(None)).actions
    assert isinstance(action, CreatePod)
    made = a_pod(**pod)
    suffix = action.objects.secret_name.removeprefix(f"{made.name}-")
    labels = {**made.metadata.labels, LABEL_ENVIRONMENT: suffix}
    return replace(made, metadata=replace(made.metadata, labels=labels))


MISSING = "CreateContainerConfigError"


def test_a_secret_that_is_missing_is_made_once_more_before_that_is_told() -> None:
    pod = with_its_secret(waiting=MISSING)
    (action,) = decided(observe(pod)).actions

    assert isinstance(action, RestoreSecret)
    assert action.objects.secret_name.startswith(pod.name)
    told = Condition(ConditionType.STARTED, "False", Reason.CONTAINER_CONFIG_ERROR)
    run = a_run(status=RunStatus(conditions=(told,)))
    assert decided(observe(pod, run=run)).actions == ()


def test_a_secret_of_unknown_content_is_not_made_anew() -> None:
    changed = an_actor(env={"MORE": "1"})

    assert decided(observe(with_its_secret(waiting=MISSING), actor=changed)).actions == ()
    assert decided(observe(with_its_secret(waiting="ErrImagePull"))).actions == ()


def wake(observed: Observed, now: float) -> datetime | None:
    return decided(observed, now).wake_at


def test_a_running_run_is_looked_at_when_its_time_is_over() -> None:
    running = observe(a_pod(running=2), run=a_run(status=a_status(started=2)))

    assert wake(running, 3) == at(62)
    assert wake(running, 62) is None


def test_a_running_run_without_timeout_is_not_looked_at_again() -> None:
    run = a_run(status=a_status(started=2, timeout=0))

    assert wake(observe(a_pod(running=2, timeout=0), run=run), 10) is None


def test_a_waiting_run_is_looked_at_when_its_cause_has_lasted_and_at_each_window() -> None:
    """From the kubelet's taking the pod: hold-back, 60 s, 120 s, 300 s; then the pending limit."""
    observed = observe(a_pod(waiting="ErrImagePull", timeout=0))
    moments, now = [], 1.0
    while (moment := wake(observed, now)) is not None:
        now = (moment - at(0)).total_seconds()
        moments.append(now)
        if decided(observed, now).facts.verdict is not None:
            break

    assert moments == [3, 61, 121]


def test_a_pending_run_is_looked_at_at_the_pending_limit() -> None:
    assert wake(observe(a_pod(scheduled="no room")), 100) == at(600)


def test_a_run_whose_pod_was_just_asked_for_is_looked_at_a_pending_limit_later() -> None:
    assert wake(observe(None), 5000) == at(5600)


def test_a_run_that_awaits_the_kubelets_last_word_is_looked_at_when_it_is_overdue() -> None:
    run = a_run(status=a_status(started=2))

    assert wake(observe(a_pod(ended=ended(0, after=61)), run=run), 62.5) == at(91)


def test_time_alone_changes_nothing_in_the_end() -> None:
    assert wake(observe(a_pod(running=2)), LATE) is None


# Memory


def test_a_run_that_waited_is_told_to_be_admitted_before_its_pod_is_made() -> None:
    """An earlier try may have left a Secret whose content, and name, are not those of the pod."""
    waiting = Condition(
        ConditionType.ADMITTED, "False", Reason.WAITING_FOR_ACCOUNT_MEMORY, "", at(1), 1
    )
    run = a_run(timeout_secs=60, status=RunStatus(queued_at=at(1), conditions=(waiting,)))
    observed = observe(None, run=run)
    (create,) = decided(observed).actions
    assert isinstance(create, CreatePod)
    decision = admit_first(observed, decided(observed), at(9))

    assert decision.actions == (DeleteSecret("team", create.objects.secret_name),)
    assert decision.facts.admitted_at == at(9)
    assert decision.facts.admitted.status == "True"


def test_a_run_that_did_not_wait_gets_its_pod_at_once() -> None:
    observed = observe(None)
    decision = decided(observed)

    assert admit_first(observed, decision, at(9)) is decision
