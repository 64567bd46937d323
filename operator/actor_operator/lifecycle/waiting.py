"""What a run waits for: the conditions Admitted, PodScheduled and Started."""

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.pod import START_ERRORS
from actor_operator.lifecycle.disruption import node_unreachable
from actor_operator.lifecycle.facts import Finding
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.startup import (
    CONFIG_ERROR,
    PULL_ERRORS,
    RUNTIME_ERRORS,
    waiting_for,
    waits_for_pod_since,
)

NOTHING_YET = Finding("Unknown", Reason.PENDING)
"""A condition of which nothing is known yet."""


def admitted(observed: Observed) -> Finding:
    """Whether the run may have a pod."""
    blocked = observed.blocked
    if observed.pod_exists or blocked is None or blocked.reason is Reason.NAME_TAKEN:
        if observed.pod is not None or observed.status.is_true(ConditionType.ADMITTED):
            return Finding("True", Reason.MEMORY_RESERVED, "The account has room for the run.")
        return NOTHING_YET
    # A webhook that does not answer has not said no.
    status = "Unknown" if blocked.reason is Reason.ADMISSION_UNAVAILABLE else "False"
    return Finding(status, blocked.reason, blocked.message, blocked.since)


def scheduled(observed: Observed) -> Finding:
    """Whether a node was found, as the pod says."""
    pod = observed.pod
    if pod is None:
        if observed.in_the_way:
            message = "A pod of this run is still ending; the next one waits for it."
            began = waits_for_pod_since(observed)
            return Finding("False", Reason.WAITING_FOR_PREVIOUS_POD, message, began)
        blocked = observed.blocked
        if blocked is not None and blocked.reason is Reason.NAME_TAKEN:
            return Finding("False", blocked.reason, blocked.message, blocked.since)
        return _as_committed(observed, ConditionType.POD_SCHEDULED)
    condition = pod.condition("PodScheduled")
    if condition is None:
        return _as_committed(observed, ConditionType.POD_SCHEDULED)
    since = condition.last_transition_time
    if condition.status == "True":
        node = f"Assigned to node {pod.spec.node_name}."
        # No cause of waiting: alone it is not worth a write, whatever else is slow.
        return Finding("True", Reason.SCHEDULED, node)
    return Finding("False", Reason.UNSCHEDULABLE, condition.message, since)


def started(observed: Observed) -> Finding:
    """Whether the container has run in this attempt; it stays True."""
    pod = observed.pod
    if observed.started_at is not None:
        if pod is not None and observed.pod_exists and node_unreachable(pod):
            message = f"Node {pod.spec.node_name} does not answer; the container may still run."
            return Finding("True", Reason.NODE_UNREACHABLE, message)
        return Finding("True", Reason.STARTED, "The container has started.")
    if pod is None or not observed.pod_exists:
        return _as_committed(observed, ConditionType.STARTED)
    if pod.status.start_time is None:
        return NOTHING_YET
    if pod.terminated is not None and pod.terminated.reason in START_ERRORS:
        return Finding("False", Reason.START_ERROR, pod.terminated.message)
    reason, message = waiting_for(observed)
    ours = _waiting_reason(reason)
    text = (
        message
        if ours is not Reason.IMAGE_PULLING
        else "The image is fetched, or the container is made."
    )
    return Finding("False", ours, text, pod.accepted_at)


def _waiting_reason(kubelets: str) -> Reason:
    """Our reason for one of the kubelet's."""
    if kubelets in PULL_ERRORS:
        return Reason.IMAGE_PULL_BACK_OFF
    if kubelets == CONFIG_ERROR:
        return Reason.CONTAINER_CONFIG_ERROR
    if kubelets in RUNTIME_ERRORS:
        return Reason.RUNTIME_UNAVAILABLE
    return Reason.IMAGE_PULLING


def _as_committed(observed: Observed, kind: ConditionType) -> Finding:
    condition: Condition | None = observed.status.condition(kind)
    if condition is None:
        return NOTHING_YET
    return Finding(condition.status, condition.reason, condition.message)
