"""Arithmetic of deadlines. Times of the API server are whole seconds, cut off."""

from datetime import datetime, timedelta

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.views.pod import PodView
from actor_operator.lifecycle.facts import ABORTS
from actor_operator.lifecycle.observed import Observed

TIMEOUT_NOTICE = timedelta(seconds=1)
"""TIMING-OUT is written this long after the deadline, unless the pod says it first."""

CUT_OFF = timedelta(seconds=1)
"""How much later than its text an event may have been."""

LAST_WORD = timedelta(seconds=30)
"""How long after the container's end the kubelet may take to give the pod's final phase."""


STOP_PATIENCE = timedelta(seconds=60)
"""How long after a stop was told a pod may take to end: its grace, and as much again."""


EVENTS_GRACE = timedelta(seconds=25)
"""How long an actor that is told of an abort by an event may go on before it gets SIGTERM."""


FORCED_END = timedelta(seconds=30)
"""How long it may go on at all, as on Apify."""


ASKED_FOR_AFTER = timedelta(seconds=60)
"""How long after its grace a pod may be on its way out before the API server is asked for it."""


def asked_for_at(pod: PodView) -> datetime | None:
    """When a pod that is being deleted should long be gone: its end may have been missed."""
    moment = pod.metadata.deletion_timestamp
    return moment + ASKED_FOR_AFTER if moment is not None else None


def signal_due(observed: Observed) -> datetime | None:
    """When a committed stop is carried out: at once, unless an event has told of it first."""
    since = _stopping_since(observed)
    if since is None:
        return None
    return since + (EVENTS_GRACE if _is_told_by_event(observed) else timedelta())


def forced_at(observed: Observed) -> datetime | None:
    """When a container that an event has told of its abort is killed; None: the kubelet does it."""
    since = _stopping_since(observed)
    return since + FORCED_END if since and _is_told_by_event(observed) else None


def _stopping_since(observed: Observed) -> datetime | None:
    """When the stop was committed."""
    target = observed.status.condition(ConditionType.TERMINATION_TARGET)
    return target.last_transition_time if observed.stopping is not None and target else None


def _is_told_by_event(observed: Observed) -> bool:
    """Whether events tell the actor of the committed stop, as Apify's do unless they say otherwise.

    Without an API server nobody sends any: the signal then comes at once.
    """
    wanted = observed.actor is not None and observed.actor.spec.abort_signal != "Sigterm"
    return wanted and observed.has_events and observed.stopping is Reason.ABORT_GRACEFUL


def given_up_at(observed: Observed) -> datetime | None:
    """When a pod should long have ended that was told to."""
    due = signal_due(observed)
    return due + STOP_PATIENCE if due else None


def deadline(observed: Observed) -> datetime | None:
    """When the attempt's time is up: when the kubelet stops the pod, by the API server's clock.

    The node's own clock may be wrong. But the kubelet took the pod after that got its node, and
    before it was told that the container had started.
    """
    at, pod = kubelets_deadline(observed), observed.pod
    if at is None or pod is None or pod.status.start_time is None or pod.accepted_at is None:
        return at
    if observed.stopping in ABORTS and observed.status.timeout_at is not None:
        return observed.status.timeout_at
    at += pod.accepted_at - pod.status.start_time
    told = observed.status.condition(ConditionType.STARTED)
    if told is None or told.status != "True" or told.last_transition_time is None:
        return at
    return min(at, told.last_transition_time + timedelta(seconds=observed.timeout_secs))


def kubelets_deadline(observed: Observed) -> datetime | None:
    """The deadline by the node's clock, to be compared with times that the node tells.

    That is the pod's ``startTime`` plus its deadline, which is all of the timeout for the first pod
    of an attempt and what is left of it for the others. Between two pods it is what was committed.
    """
    pod = observed.pod
    if not observed.timeout_secs:
        return None
    if pod is None or pod.status.start_time is None:
        return observed.status.timeout_at
    seconds = pod.spec.active_deadline_seconds or observed.timeout_secs
    if observed.stopping in ABORTS:  # a graceful abort has shortened the pod's deadline
        if observed.status.timeout_at is not None:
            return observed.status.timeout_at
        seconds = observed.timeout_secs
    return pod.status.start_time + timedelta(seconds=seconds)


def seconds_left(observed: Observed, now: datetime) -> int | None:
    """Seconds that are left for another pod of the attempt, 1 or more; None: all of them."""
    at = observed.status.timeout_at
    if at is None or not observed.timeout_secs:
        return None
    return max(1, int((at - now).total_seconds()))


def timeout_notice(observed: Observed) -> datetime | None:
    """When TIMING-OUT is due."""
    moment = deadline(observed)
    return moment + TIMEOUT_NOTICE if moment else None


def told_from(since: datetime, hold_back_seconds: float) -> datetime:
    """When a cause of waiting that began at ``since`` has lasted long enough to be told."""
    return since + timedelta(seconds=hold_back_seconds) + CUT_OFF
