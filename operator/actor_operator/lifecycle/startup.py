"""Runs whose container could not be started: checks of the verdict's chain.

Each of them leaves a pod behind that might still start; ``status.cleanup`` says so until it is
gone.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.lifecycle.facts import POD_CLEANUP, Verdict
from actor_operator.lifecycle.observed import Observed
from actor_operator.settings import LimitSettings

PULL_ERRORS = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable"},
)
"""Waiting reasons of the kubelet: the image could not be fetched; it tries again."""

CONFIG_ERROR = "CreateContainerConfigError"
"""Waiting reason of the kubelet: a Secret, or a key of one, is missing."""

RUNTIME_ERRORS = frozenset({"CreateContainerError", "RunContainerError"})
"""Waiting reasons of the kubelet: the container runtime did not do it."""

CONFIG_ERROR_WINDOW = timedelta(seconds=60)
"""How long a missing Secret is waited for."""

RUNTIME_WINDOW = timedelta(minutes=5)
"""How long the container runtime is waited for."""


def failed(
    observed: Observed, now: datetime, reason: Reason, message: str, *, platform: bool = False
) -> Verdict:
    """FAILED before the container ran; what pods there are, are still to be removed."""
    left = any(not pod.is_over for pod in observed.pods)
    return Verdict(
        phase=Phase.FAILED,
        reason=reason,
        message=message,
        finished_at=now,
        platform=platform,
        cleanup=(POD_CLEANUP,) if left else (),
    )


def refused_by_node(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """The kubelet refused the pod, or it ended without a word about its container."""
    pod = observed.pod
    if pod is None or not pod.is_over or pod.terminated is not None:
        return None
    message = f"The node refused the pod: {pod.status.message or pod.status.reason}"
    found = failed(observed, now, Reason.NODE_REJECTED, message, platform=True)
    return replace(found, disruption=True)


def init_failed(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """An init container failed that something else has put into the pod: another would, too."""
    pod = observed.pod
    found = pod.failed_init if pod is not None and pod.is_over else None
    ended = found.state.terminated if found is not None else None
    if found is None or ended is None:
        return None
    oom = ended.reason == "OOMKilled"
    reason = Reason.INIT_OOM_KILLED if oom else Reason.INIT_FAILED
    how = "used more memory than it may" if oom else f"ended with exit code {ended.exit_code}"
    message = f"The init container {found.name}, which is not the Actor's, {how}."
    return failed(observed, now, reason, message, platform=True)


def refused_by_api_server(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """The API server, or the account, refused the pod for good."""
    blocked = observed.blocked
    if blocked is None or not blocked.final:
        return None
    found = failed(observed, now, blocked.reason, blocked.message)
    return replace(found, shortage=blocked.shortage)


def invalid_image(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """The image's name cannot be read."""
    reason, message = waiting_for(observed)
    if reason != "InvalidImageName":
        return None
    return failed(
        observed, now, Reason.INVALID_IMAGE, f"Correct the image of the Actor's build: {message}"
    )


def image_pull_failed(observed: Observed, now: datetime, limits: LimitSettings) -> Verdict | None:
    """The image could not be fetched for the whole pull window."""
    reason, message = waiting_for(observed)
    window = timedelta(seconds=limits.image_pull_seconds)
    if reason not in PULL_ERRORS or not _accepted_before(observed, now - window):
        return None
    return failed(
        observed,
        now,
        Reason.IMAGE_PULL_FAILED,
        f"The image could not be fetched within {limits.image_pull_seconds:g} s: {message}",
    )


def config_error(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """Something that the container needs stayed missing."""
    reason, message = waiting_for(observed)
    if reason != CONFIG_ERROR or not _accepted_before(observed, now - CONFIG_ERROR_WINDOW):
        return None
    return failed(
        observed,
        now,
        Reason.CONTAINER_CONFIG_ERROR,
        f"Something that the Actor's environment names is missing: {message}",
    )


def runtime_unavailable(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """The container runtime stayed unable to make the container."""
    reason, message = waiting_for(observed)
    if reason not in RUNTIME_ERRORS or not _accepted_before(observed, now - RUNTIME_WINDOW):
        return None
    message = f"The node's container runtime could not make the container: {message}"
    return failed(observed, now, Reason.RUNTIME_UNAVAILABLE, message, platform=True)


def pending_too_long(observed: Observed, now: datetime, limits: LimitSettings) -> Verdict | None:
    """Whatever it waited for, the run has not started within the pending limit."""
    until = pending_until(observed, now, limits)
    if observed.pod_started_at is not None or until is None or now < until:
        return None
    reason, cause = _pending_cause(observed)
    message = f"The run could not start within {limits.pending_seconds:g} s: {cause}"
    return failed(observed, now, reason, message, platform=True)


def pending_until(observed: Observed, now: datetime, limits: LimitSettings) -> datetime | None:
    """When the run has waited too long for what it waits for; None: it may wait for ever.

    It counts from the first try and not from the run's creation: a run that was made while no
    operator was there, or that stood in a long queue, gets its time too.
    """
    if observed.pod is not None:
        since = observed.pod.metadata.creation_timestamp or observed.attempt_began
    elif observed.blocked is not None:
        if observed.blocked.retry_at is None:
            return None  # its account's queue
        since = observed.blocked.since
    else:
        since = waits_for_pod_since(observed) if observed.previous else now
    return since + timedelta(seconds=limits.pending_seconds)


def waits_for_pod_since(observed: Observed) -> datetime:
    """Since when the run waits until its earlier pods have ended."""
    scheduled = observed.status.condition(ConditionType.POD_SCHEDULED)
    if scheduled is None or scheduled.status != "False" or scheduled.last_transition_time is None:
        return observed.attempt_began
    return scheduled.last_transition_time


def waiting_for(observed: Observed) -> tuple[str, str]:
    """The kubelet's reason and message for a container that waits; empty when it does not."""
    waiting = observed.pod.waiting if observed.pod else None
    return (waiting.reason, waiting.message or waiting.reason) if waiting else ("", "")


def _accepted_before(observed: Observed, moment: datetime) -> bool:
    """Whether the kubelet has had the pod since before a moment."""
    accepted = observed.pod.accepted_at if observed.pod else None
    return accepted is not None and accepted <= moment


def _pending_cause(observed: Observed) -> tuple[Reason, str]:
    if observed.pod is None:
        if observed.blocked:
            return observed.blocked.reason, observed.blocked.message
        return Reason.WAITING_FOR_PREVIOUS_POD, "a pod of this run has not ended yet."
    scheduled = observed.pod.condition("PodScheduled")
    if scheduled is None or scheduled.status != "True":
        return Reason.NOT_SCHEDULED, scheduled.message if scheduled else "no scheduler answered."
    reason, message = waiting_for(observed)
    if reason in PULL_ERRORS:
        return Reason.IMAGE_PULL_FAILED, message
    return Reason.RUNTIME_UNAVAILABLE, message or "the kubelet said nothing of the container."
