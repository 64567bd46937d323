"""What people are told of a run as Kubernetes Events: from two statuses, one after the other.

An Event tells what was done to a run, or what somebody must act on. A run that starts and ends by
itself makes none: its status says it, and each Event is a write.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import RunStatus, Stats

NORMAL = "Normal"
"""Type of an Event that tells what was done."""

WARNING = "Warning"
"""Type of an Event that tells what went wrong."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """What is told: for machines (type, reason, action) and for people (note)."""

    type: str
    reason: str
    action: str
    """What the operator did or tried to do."""

    note: str


WAITS = MappingProxyType(
    {
        Reason.WAITING_FOR_ACCOUNT_MEMORY: (NORMAL, "WaitingForAccountMemory"),
        Reason.WAITING_FOR_PREVIOUS_POD: (NORMAL, "WaitingForPreviousPod"),
        Reason.QUOTA_EXCEEDED: (WARNING, "QuotaExceeded"),
        Reason.ADMISSION_UNAVAILABLE: (WARNING, "AdmissionUnavailable"),
        Reason.NETWORK_POLICY_REFUSED: (WARNING, "NetworkPolicyRefused"),
        Reason.POD_REJECTED: (WARNING, "PodRejected"),
        Reason.NAME_TAKEN: (WARNING, "NameTaken"),
        Reason.UNSCHEDULABLE: (WARNING, "Unschedulable"),
        Reason.IMAGE_PULL_BACK_OFF: (WARNING, "ImagePullRetry"),
        Reason.CONTAINER_CONFIG_ERROR: (WARNING, "ContainerConfigError"),
        Reason.RUNTIME_UNAVAILABLE: (WARNING, "RuntimeUnavailable"),
        Reason.NO_INGRESS: (WARNING, "NotReachable"),
    }
)
"""Causes of waiting that are told when they last: type and reason of their Event.

Not the time that every pod needs for its image and its start: of that its own Events tell.
"""

WAITING = MappingProxyType(
    {
        ConditionType.ADMITTED: "Start",
        ConditionType.POD_SCHEDULED: "Start",
        ConditionType.STARTED: "Start",
        ConditionType.WEB_SERVER_READY: "Route",
    }
)
"""Conditions that say what a run waits for: the action that it is waiting for."""

CLEANUPS = MappingProxyType(
    {
        Reason.NODE_UNREACHABLE: (
            "CleanupPending",
            "The node does not answer: a container of the run may still run there.",
        ),
        Reason.POD_STUCK_TERMINATING: (
            "PodStuckTerminating",
            "The pod does not end although it was told to. Look at its finalizers and its node.",
        ),
    }
)
"""What is told of entries of ``status.cleanup``: reason and note."""

REPLACEMENTS: tuple[tuple[Callable[[Stats], int], str, str, str], ...] = (
    (attrgetter("migration_count"), WARNING, "Disrupted", "Migrate"),
    (attrgetter("restart_count"), WARNING, "Restarted", "Restart"),
    (attrgetter("reboot_count"), NORMAL, "Rebooted", "Reboot"),
)
"""Counters of new pods in one attempt; type, reason and action of the Event when one rises."""


def events_of(old: RunStatus, new: RunStatus) -> tuple[RunEvent, ...]:
    """The Events that a step from one committed status to the next is worth, at once."""
    if new.attempt != old.attempt:
        return (RunEvent(NORMAL, "Resurrected", "Resurrect", f"Attempt {new.attempt} begins."),)
    return (
        *_replaced(old, new),
        *_node_lost(old, new),
        *_started_late(old, new),
        *_timing_out(old, new),
        *_finished(old, new),
        *_not_cleaned_up(old, new),
    )


def waits_of(status: RunStatus) -> dict[Reason, RunEvent]:
    """What a run waits for, by the reason of its condition: worth an Event when it lasts."""
    found = {}
    for condition in filter(None, map(status.condition, WAITING)):
        if condition.status != "True" and condition.reason in WAITS and not status.finished:
            kind, reason = WAITS[Reason(condition.reason)]
            action = WAITING[ConditionType(condition.type)]
            found[Reason(condition.reason)] = RunEvent(kind, reason, action, condition.message)
    return found


def recreated(kind: str) -> RunEvent:
    """Somebody had removed what leads requests to a run."""
    note = f"The {kind} of the run's web server was gone, and was made again."
    return RunEvent(NORMAL, "Recreated", "Route", note)


def _replaced(old: RunStatus, new: RunStatus) -> Iterator[RunEvent]:
    """The run goes on in its next pod; why is in the condition that says what it waits for."""
    why = new.condition(ConditionType.POD_SCHEDULED)
    cause = f"{why.reason}: {why.message}" if why else ""
    note = f"{cause} The next pod is {new.pod_name}.".strip()
    for count, kind, reason, action in REPLACEMENTS:
        if count(new.stats) > count(old.stats):
            yield RunEvent(kind, reason, action, note)


def _node_lost(old: RunStatus, new: RunStatus) -> Iterator[RunEvent]:
    before, after = (status.condition(ConditionType.STARTED) for status in (old, new))
    if _reason(after) == Reason.NODE_UNREACHABLE != _reason(before):
        yield RunEvent(WARNING, "NodeUnreachable", "Watch", _message(after))


def _started_late(old: RunStatus, new: RunStatus) -> Iterator[RunEvent]:
    """What stood in the way of the container has passed."""
    if (
        new.is_true(ConditionType.STARTED)
        and _reason(old.condition(ConditionType.STARTED)) in WAITS
    ):
        note = "The container has started after all."
        yield RunEvent(NORMAL, "Started", "Start", note)


def _timing_out(old: RunStatus, new: RunStatus) -> Iterator[RunEvent]:
    if new.phase is Phase.TIMING_OUT is not old.phase:
        note = _message(new.condition(ConditionType.TERMINATION_TARGET))
        yield RunEvent(WARNING, "TimingOut", "Stop", note)


def _finished(old: RunStatus, new: RunStatus) -> Iterator[RunEvent]:
    """Every end but success."""
    if not new.finished or old.finished or new.failure is None:
        return
    kind = NORMAL if new.phase is Phase.ABORTED else WARNING
    yield RunEvent(kind, new.failure.reason, "Finish", new.failure.message)


def _not_cleaned_up(old: RunStatus, new: RunStatus) -> Iterator[RunEvent]:
    for entry in new.cleanup:
        if entry in CLEANUPS and entry not in old.cleanup:
            reason, note = CLEANUPS[Reason(entry)]
            yield RunEvent(WARNING, reason, "CleanUp", note)


def _reason(condition: Condition | None) -> str:
    return condition.reason if condition else ""


def _message(condition: Condition | None) -> str:
    return condition.message if condition else ""
