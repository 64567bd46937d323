"""Which step of a run is worth which Event."""

import pytest
from msgspec.structs import replace
from tests.support.builders import a_status

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import Failure, RunStatus, Stats
from actor_operator.lifecycle.events import WAITS, RunEvent, events_of, waits_of

WAITED_FOR = {
    "A2": (ConditionType.STARTED, Reason.IMAGE_PULL_BACK_OFF, "Warning", "ImagePullRetry"),
    "A4": (ConditionType.STARTED, Reason.CONTAINER_CONFIG_ERROR, "Warning", "ContainerConfigError"),
    "A6": (ConditionType.STARTED, Reason.RUNTIME_UNAVAILABLE, "Warning", "RuntimeUnavailable"),
    "A7": (ConditionType.POD_SCHEDULED, Reason.UNSCHEDULABLE, "Warning", "Unschedulable"),
    "A10": (ConditionType.ADMITTED, Reason.QUOTA_EXCEEDED, "Warning", "QuotaExceeded"),
    "A12": (
        ConditionType.ADMITTED,
        Reason.ADMISSION_UNAVAILABLE,
        "Warning",
        "AdmissionUnavailable",
    ),
    "policy": (
        ConditionType.ADMITTED,
        Reason.NETWORK_POLICY_REFUSED,
        "Warning",
        "NetworkPolicyRefused",
    ),
    "A15": (ConditionType.ADMITTED, Reason.POD_REJECTED, "Warning", "PodRejected"),
    "A18": (ConditionType.POD_SCHEDULED, Reason.NAME_TAKEN, "Warning", "NameTaken"),
    "B23": (
        ConditionType.POD_SCHEDULED,
        Reason.WAITING_FOR_PREVIOUS_POD,
        "Normal",
        "WaitingForPreviousPod",
    ),
    "memory": (
        ConditionType.ADMITTED,
        Reason.WAITING_FOR_ACCOUNT_MEMORY,
        "Normal",
        "WaitingForAccountMemory",
    ),
    "B26": (ConditionType.WEB_SERVER_READY, Reason.NO_INGRESS, "Warning", "NotReachable"),
}
"""Faults that a run waits out: condition, its reason, type and reason of the Event."""

FAILURES = {
    "A1": Reason.IMAGE_PULL_FAILED,
    "A3": Reason.INVALID_IMAGE,
    "A4": Reason.CONTAINER_CONFIG_ERROR,
    "A5": Reason.START_ERROR,
    "A6": Reason.RUNTIME_UNAVAILABLE,
    "A7": Reason.NOT_SCHEDULED,
    "A8": Reason.POD_REJECTED,
    "A10": Reason.QUOTA_EXCEEDED,
    "A12": Reason.ADMISSION_UNAVAILABLE,
    "A17": Reason.NODE_REJECTED,
    "B1": Reason.CONTAINER_FAILED,
    "B2": Reason.OOM_KILLED,
    "B4": Reason.STORAGE_LIMIT_EXCEEDED,
    "B8": Reason.POD_DELETED,
    "no Actor": Reason.ACTOR_NOT_FOUND,
}
"""Faults that end a run, and the reason of the failure and of the Event."""

DISRUPTIONS = {
    "A17": Reason.NODE_REJECTED,
    "B5": Reason.EVICTED,
    "B6": Reason.PREEMPTED,
    "B7": Reason.EVICTED_BY_API,
    "B8": Reason.POD_DELETED,
    "B9": Reason.POD_VANISHED,
    "B14": Reason.NODE_LOST,
    "B15": Reason.NODE_SHUTDOWN,
}
"""Faults that take a pod away, and the reason of the condition."""


def with_condition(
    status: RunStatus, kind: ConditionType, value: str, reason: Reason, message: str = "Because."
) -> RunStatus:
    """The status with one condition more, in place of an older one of its type."""
    others = tuple(c for c in status.conditions if c.type != kind)
    return replace(status, conditions=(*others, Condition(kind, value, reason, message)))


def words(events: tuple[RunEvent, ...]) -> list[str]:
    """Type and reason of each Event, as the table of faults writes them."""
    return [f"{event.type}/{event.reason}" for event in events]


def test_a_run_that_starts_and_succeeds_makes_no_event() -> None:
    new, running = RunStatus(), a_status(started=2)
    ended = a_status(started=2, end=Phase.SUCCEEDED)

    assert events_of(new, running) == events_of(running, ended) == events_of(ended, ended) == ()
    assert waits_of(new) == waits_of(running) == waits_of(ended) == {}


@pytest.mark.parametrize("fault", WAITED_FOR)
def test_what_a_run_waits_for_is_told(fault: str) -> None:
    kind, reason, event_type, event_reason = WAITED_FOR[fault]
    waiting = with_condition(a_status(), kind, "False", reason)

    action = "Route" if fault == "B26" else "Start"
    assert waits_of(waiting) == {reason: RunEvent(event_type, event_reason, action, "Because.")}
    assert events_of(a_status(), waiting) == ()


def test_each_cause_of_waiting_is_tested() -> None:
    assert {reason for _, reason, _, _ in WAITED_FOR.values()} == set(WAITS)


def test_the_time_that_every_pod_needs_is_not_told() -> None:
    pulling = with_condition(a_status(), ConditionType.STARTED, "False", Reason.IMAGE_PULLING)

    assert waits_of(pulling) == {}


def test_a_run_that_has_ended_waits_for_nothing() -> None:
    ended = a_status(end=Phase.FAILED, failure=Failure(Reason.NOT_SCHEDULED, "No node."))
    cause = with_condition(
        ended, ConditionType.POD_SCHEDULED, "False", Reason.UNSCHEDULABLE, "No node."
    )

    assert waits_of(cause) == {}


def test_a2_a_start_after_a_fault_is_told() -> None:
    waiting = with_condition(a_status(), ConditionType.STARTED, "False", Reason.IMAGE_PULL_BACK_OFF)

    (event,) = events_of(waiting, a_status(started=5))
    note = "The container has started after all."
    assert event == RunEvent("Normal", "Started", "Start", note)


@pytest.mark.parametrize("fault", FAILURES)
def test_a_failure_is_told_with_its_cause(fault: str) -> None:
    failure = Failure(FAILURES[fault], "So it was.")
    ended = a_status(started=2, end=Phase.FAILED, failure=failure)
    (event,) = events_of(a_status(started=2), ended)

    assert (event.type, event.reason, event.action) == ("Warning", FAILURES[fault], "Finish")
    assert event.note == "So it was."


@pytest.mark.parametrize("fault", DISRUPTIONS)
def test_a_lost_pod_is_told_with_what_took_it(fault: str) -> None:
    running = a_status(started=2)
    migrating = with_condition(
        replace(
            running,
            pod_name="hello-abcd-2",
            migrations=1,
            stats=Stats(migration_count=1),
        ),
        ConditionType.POD_SCHEDULED,
        "False",
        DISRUPTIONS[fault],
    )
    (event,) = events_of(running, migrating)

    assert (event.type, event.reason, event.action) == ("Warning", "Disrupted", "Migrate")
    assert event.note == f"{DISRUPTIONS[fault]}: Because. The next pod is hello-abcd-2."


@pytest.mark.parametrize(
    ("stats", "word"),
    [
        (Stats(restart_count=1), "Warning/Restarted"),
        (Stats(reboot_count=1), "Normal/Rebooted"),
    ],
)
def test_other_new_pods_of_a_run_are_told(stats: Stats, word: str) -> None:
    running = a_status(started=2)

    assert words(events_of(running, replace(running, stats=stats))) == [word]


def test_b12_a_node_that_does_not_answer_is_told_once() -> None:
    running = a_status(started=2)
    lost = with_condition(running, ConditionType.STARTED, "True", Reason.NODE_UNREACHABLE)

    assert words(events_of(running, lost)) == ["Warning/NodeUnreachable"]
    assert events_of(lost, lost) == events_of(lost, running) == ()


def test_b13_a_verdict_about_a_node_that_does_not_answer_says_so() -> None:
    failure = Failure(Reason.TIMED_OUT, "Time is up.")
    stopping = a_status(started=2, stop=Reason.TIMEOUT)
    ended = a_status(
        started=2, end=Phase.TIMED_OUT, failure=failure, cleanup=(Reason.NODE_UNREACHABLE,)
    )

    assert words(events_of(stopping, ended)) == ["Warning/TimedOut", "Warning/CleanupPending"]


def test_b16_a_pod_that_does_not_end_is_told() -> None:
    failure = Failure(Reason.ABORTED, "The run was aborted.")
    ended = a_status(end=Phase.ABORTED, failure=failure)
    stuck = replace(ended, cleanup=(Reason.POD_STUCK_TERMINATING,))

    assert words(events_of(ended, stuck)) == ["Warning/PodStuckTerminating"]
    assert events_of(stuck, stuck) == events_of(stuck, ended) == ()


def test_b17_a_timeout_is_told_twice() -> None:
    running, stopping = a_status(started=2), a_status(started=2, stop=Reason.TIMEOUT)
    failure = Failure(Reason.TIMED_OUT, "Time is up.")
    ended = a_status(started=2, end=Phase.TIMED_OUT, failure=failure)

    assert words(events_of(running, stopping)) == ["Warning/TimingOut"]
    assert events_of(stopping, stopping) == ()
    assert words(events_of(stopping, ended)) == ["Warning/TimedOut"]


@pytest.mark.parametrize("stop", [Reason.ABORT_IMMEDIATE, Reason.ABORT_GRACEFUL])
def test_a19_and_b20_an_abort_is_told_once_and_is_no_fault(stop: Reason) -> None:
    aborting = a_status(started=2, stop=stop)
    failure = Failure(Reason.ABORTED, "The run was aborted.")
    ended = a_status(started=2, end=Phase.ABORTED, failure=failure)

    assert events_of(a_status(started=2), aborting) == ()
    assert words(events_of(aborting, ended)) == ["Normal/Aborted"]


def test_b23_a_resurrection_is_told_and_nothing_else_of_that_step() -> None:
    failure = Failure(Reason.CONTAINER_FAILED, "exit code 1")
    ended = a_status(started=2, end=Phase.FAILED, failure=failure)
    again = a_status(attempt=2, stats=Stats(resurrect_count=1))
    (event,) = events_of(ended, again)

    assert (event.type, event.reason) == ("Normal", "Resurrected")
    assert event.note == "Attempt 2 begins."
