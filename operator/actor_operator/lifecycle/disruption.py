"""Pods that were taken away from under their run."""

from datetime import datetime

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import PodView, Terminated
from actor_operator.lifecycle.facts import Verdict
from actor_operator.lifecycle.observed import Observed
from actor_operator.settings import LimitSettings

TARGET_REASONS = {
    "EvictionByEvictionAPI": Reason.EVICTED_BY_API,
    "PreemptionByScheduler": Reason.PREEMPTED,
    "DeletionByTaintManager": Reason.NODE_LOST,
    "DeletionByPodGC": Reason.NODE_LOST,
    "TerminationByKubelet": Reason.EVICTED,
}
"""Reasons of the pod condition DisruptionTarget (KEP-3329), and ours."""

BY_KUBELET = "TerminationByKubelet"
"""Reason of DisruptionTarget that the kubelet tells only after it has ended the containers."""

SHUTDOWN_REASONS = frozenset({"NodeLost", "NodeShutdown", "Shutdown", "Terminated"})
"""Reasons of a pod that ended with its node."""


UNKNOWN_END = ("Unknown", 255)
"""containerd's reason and code for a container that it found dead when it was started."""

LOST_CONTAINER = "ContainerStatusUnknown"
"""The kubelet's reason for a container of which it cannot say how it ended."""


def disrupted(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """The pod went away while the run needed it, and nothing of it runs any more."""
    pod = observed.pod
    cause = disruption_of(pod) if pod is not None else None
    if cause is None and observed.gone_since is not None and not (pod and pod.has_ended):
        cause = (Reason.POD_VANISHED, "The pod is gone and nobody saw how it ended.")
    if cause is None or observed.may_run(now):
        return None
    ended = pod.terminated if pod else None
    return Verdict(
        phase=Phase.FAILED,
        reason=cause[0],
        message=cause[1],
        exit_code=ended.exit_code if ended else None,
        finished_at=(ended.finished_at if ended else None) or now,
        platform=True,
        disruption=True,
    )


def disruption_of(pod: PodView) -> tuple[Reason, str] | None:
    """What took the pod away, in a word and a sentence; None: nothing, or only after its end."""
    if _ended_before(pod):
        return None
    sign = pod.condition("DisruptionTarget")
    by_kubelet = sign is None or sign.reason == BY_KUBELET
    if by_kubelet and pod.status.reason in SHUTDOWN_REASONS:
        return Reason.NODE_SHUTDOWN, f"The pod's node was shut down: {pod.status.message}"
    if sign and sign.status == "True":
        reason = TARGET_REASONS.get(sign.reason, Reason.EVICTED)
        return reason, f"The pod was taken away: {sign.message or sign.reason}"
    if pod.deletion_requested_at is not None:
        return _deletion_of(pod)
    return _lost(pod.terminated) if pod.terminated is not None else None


def _lost(ended: Terminated) -> tuple[Reason, str] | None:
    """Whether the node has lost a container of which it says that it has ended."""
    if ended.reason == LOST_CONTAINER:
        return Reason.NODE_LOST, "The node cannot say what became of the container."
    if (ended.reason, ended.exit_code) == UNKNOWN_END:
        return Reason.NODE_SHUTDOWN, "The node was started anew; the container ended with it."
    return None


def _deletion_of(pod: PodView) -> tuple[Reason, str]:
    """A pod with a node that goes without a grace was removed before its container had ended."""
    no_grace = pod.metadata.deletion_grace_period_seconds == 0
    if no_grace and pod.spec.node_name and not pod.has_ended:
        return Reason.POD_VANISHED, "Someone removed the pod by force; nobody saw how it ended."
    return Reason.POD_DELETED, "Someone deleted the pod while the run needed it."


def node_unreachable(pod: PodView) -> bool:
    """Whether the node has stopped answering.

    The node controller then takes the pod's Ready away, without a reason; that the container is
    ready is the kubelet's own last word. Nobody may ask for the node: the operator has no right.
    """
    ready = pod.condition("Ready")
    lost = ready is not None and ready.status != "True" and not ready.reason
    return lost and pod.container is not None and pod.container.ready and not pod.has_ended


def _ended_before(pod: PodView) -> bool:
    """Whether the container had ended by itself before the disruption began."""
    ended = pod.terminated
    if ended is None or ended.finished_at is None:
        return False
    sign = pod.condition("DisruptionTarget")
    if pod.clock_is_behind or (sign is not None and sign.reason == BY_KUBELET):
        return False
    began = [pod.deletion_requested_at, sign.last_transition_time if sign else None]
    moments = [moment for moment in began if moment is not None]
    return bool(moments) and ended.finished_at < min(moments)
