"""Taking pods away: what is stopped, what is removed, and what stays for its log."""

from datetime import datetime

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.pod import PodView
from actor_operator.constants import LABEL_ENVIRONMENT
from actor_operator.lifecycle.actions import Action, DeletePod, DeleteSecret, StopPod
from actor_operator.lifecycle.expiry import forced_at, signal_due
from actor_operator.lifecycle.observed import Observed

ABORT_GRACE_SECONDS = 1
"""Grace of an immediate abort; 0 would remove the pod object while its container still runs."""


def secret_of(pod: PodView) -> tuple[DeleteSecret, ...]:
    """Delete the environment Secret of a pod."""
    suffix = pod.metadata.labels.get(LABEL_ENVIRONMENT)
    return (DeleteSecret(pod.namespace, f"{pod.name}-{suffix}"),) if suffix else ()


def is_removed_at_once(pod: PodView) -> bool:
    """Whether a pod was deleted as we do it, with its Secret before it."""
    grace = pod.metadata.deletion_grace_period_seconds or 0
    return pod.metadata.deletion_timestamp is not None and grace <= ABORT_GRACE_SECONDS


def secret_of_gone(pod: PodView) -> tuple[DeleteSecret, ...]:
    """Delete what a pod that somebody else removed has left; ours went with its Secret."""
    return () if is_removed_at_once(pod) else secret_of(pod)


def remove_at_once(pod: PodView) -> tuple[Action, ...]:
    """Remove a pod, unless that is under way; its Secret first: later nobody knows its name."""
    if is_removed_at_once(pod):
        return ()
    delete = DeletePod(pod.namespace, pod.name, pod.uid, ABORT_GRACE_SECONDS)
    return (*secret_of(pod), delete)


def stop_pods(observed: Observed, now: datetime, *, keep_log: bool) -> tuple[Action, ...]:
    """Carry out a committed stop on every pod that may run.

    ``keep_log`` says whether an immediate abort leaves the pod and its log, too.
    """
    live = [pod for pod in observed.previous if not pod.has_ended]
    actions = [action for pod in live for action in remove_at_once(pod)]
    if observed.pod is not None and observed.pod_exists and not observed.pod.has_ended:
        gently = keep_log or observed.stopping is Reason.ABORT_GRACEFUL
        actions += _stop_current(observed, observed.pod, now, gently=gently)
    return tuple(actions)


def _stop_current(
    observed: Observed, pod: PodView, now: datetime, *, gently: bool
) -> tuple[Action, ...]:
    if observed.stopping is Reason.TIMEOUT and pod.status.start_time is not None:
        return ()  # the kubelet has taken it and stops it itself
    if not gently or observed.pod_started_at is None:
        return remove_at_once(pod)
    due, forced = signal_due(observed), forced_at(observed)
    if forced is not None and now >= forced:
        return remove_at_once(pod)  # the pod's own grace would be longer
    told = pod.metadata.deletion_timestamp is not None or pod.spec.active_deadline_seconds == 1
    if told or (due is not None and now < due):
        return ()
    return (StopPod(pod.namespace, pod.name, pod.uid),)


def clear_the_way(observed: Observed, grace_seconds: int) -> tuple[Action, ...]:
    """What to do with earlier pods before the next one is made.

    Pods of an earlier attempt go at once. In the same attempt a container that still runs (a
    reboot) gets its grace, and of those that have ended the newest stays, for its log.
    """
    actions: list[Action] = []
    for pod in observed.in_the_way:
        if pod.has_ended or not observed.is_of_this_attempt(pod):
            actions += remove_at_once(pod)
        elif pod.metadata.deletion_timestamp is None:
            actions.append(DeletePod(pod.namespace, pod.name, pod.uid, grace_seconds))
    superseded = [pod for pod in observed.previous if pod not in observed.in_the_way]
    for pod in superseded[:-1]:
        actions += remove_at_once(pod)
    return tuple(actions)


def tidy(observed: Observed) -> tuple[tuple[Action, ...], tuple[str, ...]]:
    """What to do for a finished run, and what is still left of it (``status.cleanup``)."""
    if not observed.status.cleanup:
        return (), ()
    live = [pod for pod in observed.pods if not pod.has_ended]
    actions: list[Action] = [action for pod in live for action in remove_at_once(pod)]
    for pod in observed.pods:
        actions += secret_of(pod) if pod.has_ended else ()
    if observed.pod is not None and not observed.pod_exists:
        actions += secret_of_gone(observed.pod)
    return tuple(actions), observed.status.cleanup if live else ()


def remove_stray(pod: PodView) -> tuple[Action, ...]:
    """What to do with a pod of a finished run: nothing needs it, and it must not run on."""
    return () if pod.has_ended else remove_at_once(pod)
