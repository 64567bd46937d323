"""How an attempt ended: an ordered chain of small checks. The order is the priority.

The verdict comes from why the container stopped, then from its code: a container that handles
SIGTERM and exits 0 was still aborted, timed out or taken away (KEP-3329).
"""

from collections.abc import Callable
from datetime import datetime

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import START_ERRORS, Terminated
from actor_operator.lifecycle import startup
from actor_operator.lifecycle.disruption import (
    LOST_CONTAINER,
    disrupted,
    disruption_of,
    node_unreachable,
)
from actor_operator.lifecycle.expiry import LAST_WORD, given_up_at, kubelets_deadline
from actor_operator.lifecycle.facts import ABORTS, Verdict
from actor_operator.lifecycle.observed import Observed
from actor_operator.settings import LimitSettings

SIGKILLED = 137
"""Exit code of a container that was killed: 128 + SIGKILL."""

Check = Callable[[Observed, datetime, LimitSettings], Verdict | None]
"""A check of one way to end; None: not this way."""


def verdict_of(observed: Observed, now: datetime, limits: LimitSettings) -> Verdict | None:
    """The verdict of the attempt, or None while it goes on."""
    chain = ABORTING if observed.stopping in ABORTS else ENDED
    if observed.stopping is None:
        chain = ENDED + NOT_STARTED
    return next((found for check in chain if (found := check(observed, now, limits))), None)


def aborted(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """A committed abort, and no pod is left that runs; or that would end."""
    left = still_there(observed, now)
    if observed.stopping not in ABORTS or (observed.has_live_pod and not left):
        return None
    ended = observed.pod.terminated if observed.pod else None
    return Verdict(
        phase=Phase.ABORTED,
        reason=Reason.ABORTED,
        message=f"The run was aborted{_by_force(observed)}.",
        exit_code=_code_of_stopped(observed),
        finished_at=(ended.finished_at if ended else None) or now,
        cleanup=left,
    )


def _by_force(observed: Observed) -> str:
    """In words, when a container that was told to end had to be killed."""
    if observed.stopping is not Reason.ABORT_GRACEFUL or _code_of_stopped(observed) != SIGKILLED:
        return ""
    return ": it did not end within its grace period, so it was forced to"


def _code_of_stopped(observed: Observed) -> int | None:
    """The exit code of a container that was stopped; None: nobody has seen its end.

    The kubelet gives one also to a container that never ran.
    """
    ended = observed.pod.terminated if observed.pod else None
    return ended.exit_code if ended and observed.pod_started_at else None


def still_there(observed: Observed, now: datetime) -> tuple[str, ...]:
    """What is left of a run whose stop is long over, for ``status.cleanup``.

    The verdict does not wait for a node that does not answer, or for a pod that never goes.
    """
    at = given_up_at(observed)
    if at is None or now < at or not observed.has_live_pod:
        return ()
    unreachable = any(node_unreachable(pod) for pod in observed.pods)
    return (Reason.NODE_UNREACHABLE if unreachable else Reason.POD_STUCK_TERMINATING,)


def timed_out(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """The time is up, and nothing runs any more; or would end."""
    left = still_there(observed, now) if observed.stopping is Reason.TIMEOUT else ()
    if not left and (observed.may_run(now) or not _stopped_by_deadline(observed, now)):
        return None
    seconds, ended = observed.timeout_secs, observed.pod.terminated if observed.pod else None
    message = f"The run was stopped after its timeout of {seconds} s."
    if observed.started_at is None:
        message = (
            f"The timeout of {seconds} s was over before the container ran: the time to fetch the"
            " image counts. Use a longer timeout."
        )
    return Verdict(
        phase=Phase.TIMED_OUT,
        reason=Reason.TIMED_OUT,
        message=message,
        exit_code=_code_of_stopped(observed),
        finished_at=(ended.finished_at if ended else None) or now,
        cleanup=left,
    )


def _stopped_by_deadline(observed: Observed, now: datetime) -> bool:
    """Whether the timeout is why nothing runs any more.

    Once TIMING-OUT is committed, only a container that ended by itself or before the deadline ends
    otherwise: whatever happens to its pod while the kubelet stops it comes too late to be the
    cause.
    """
    pod = observed.pod
    timing_out = observed.stopping is Reason.TIMEOUT and not _ended_in_time(observed)
    if timing_out and (pod is None or pod.terminated is None or disruption_of(pod) is not None):
        return True
    if pod is None:
        # Between two pods nothing is left for the next one.
        at = observed.status.timeout_at
        return observed.timeout_secs > 0 and at is not None and now >= at
    return pod.status.reason == "DeadlineExceeded" or _deadline_unsaid(observed, now)


def disk_full(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """Evicted for its own disk use; an eviction for the node's sake has DisruptionTarget."""
    pod = observed.pod
    if pod is None or pod.status.reason != "Evicted" or pod.condition("DisruptionTarget"):
        return None
    limit = observed.options.disk_mbytes if observed.options else None
    ended = pod.terminated
    # The kubelet invents a code for a container of which it has lost sight.
    known = ended is not None and ended.reason != LOST_CONTAINER
    return Verdict(
        phase=Phase.FAILED,
        reason=Reason.STORAGE_LIMIT_EXCEEDED,
        message=f"The actor wrote more to its disk than its {limit} MB. {pod.status.message}",
        exit_code=ended.exit_code if ended and known else None,
        finished_at=(ended.finished_at if ended else None) or now,
    )


def container_ended(observed: Observed, now: datetime, _: LimitSettings) -> Verdict | None:
    """The container ended by itself: start error, out of memory, exit code."""
    ended = observed.pod.terminated if observed.pod else None
    if ended is None or _awaits_last_word(observed, now):
        return None
    reason, message = _explain(observed, ended)
    return Verdict(
        phase=Phase.SUCCEEDED if reason is Reason.COMPLETED else Phase.FAILED,
        reason=reason,
        message=message,
        exit_code=ended.exit_code,
        finished_at=ended.finished_at or now,
    )


def _explain(observed: Observed, ended: Terminated) -> tuple[Reason, str]:
    if ended.reason in START_ERRORS:
        return Reason.START_ERROR, f"The container could not be started: {ended.message}"
    # Container runtimes say OOMKilled also when only a child of the main process was killed.
    if ended.reason == "OOMKilled" and ended.exit_code != 0:
        memory = f"{observed.options.memory_mbytes} MB" if observed.options else "memory limit"
        return Reason.OOM_KILLED, f"The actor used more than its {memory}."
    if ended.exit_code == 0:
        return Reason.COMPLETED, "The actor ended with exit code 0."
    by_signal = f" (signal {ended.signal})" if ended.signal else ""
    return (
        Reason.CONTAINER_FAILED,
        f"The actor ended with exit code {ended.exit_code}{by_signal}.",
    )


def _ended_in_time(observed: Observed) -> bool:
    """Whether the container had ended before the deadline, of which we heard late."""
    ended, at = observed.pod.terminated if observed.pod else None, kubelets_deadline(observed)
    return bool(ended and ended.finished_at and at) and _ended_after_deadline(observed) is None


def _ended_after_deadline(observed: Observed) -> datetime | None:
    """When the container ended, if that was not before the pod's deadline."""
    ended = observed.pod.terminated if observed.pod else None
    at = kubelets_deadline(observed)
    if ended is None or ended.finished_at is None or at is None or ended.finished_at < at:
        return None
    return ended.finished_at


def _awaits_last_word(observed: Observed, now: datetime) -> bool:
    """Whether only the pod's final phase can tell a natural end from the deadline.

    The kubelet reports the container's end about a second before the reason of the pod.
    """
    ended_at = _ended_after_deadline(observed)
    over = observed.pod is not None and observed.pod.is_over
    return ended_at is not None and not over and now < ended_at + LAST_WORD


def _deadline_unsaid(observed: Observed, now: datetime) -> bool:
    """Whether the container ended after the deadline and the kubelet never said why."""
    ended_at = _ended_after_deadline(observed)
    over = observed.pod is not None and observed.pod.is_over
    return ended_at is not None and not over and now >= ended_at + LAST_WORD


ABORTING: tuple[Check, ...] = (aborted,)
"""An abort that is committed ends as ABORTED and as nothing else."""

ENDED: tuple[Check, ...] = (timed_out, disk_full, disrupted, container_ended)
"""Ways to end for a pod that a node has taken; the first that holds."""

NOT_STARTED: tuple[Check, ...] = (
    startup.init_failed,
    startup.refused_by_node,
    startup.refused_by_api_server,
    startup.invalid_image,
    startup.image_pull_failed,
    startup.config_error,
    startup.runtime_unavailable,
    startup.pending_too_long,
)
"""Ways to end before the container has run."""
