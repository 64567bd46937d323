"""What a run waits for: the conditions of waiting, with their words."""

import pytest
from msgspec.structs import replace
from tests.support.builders import a_pod, a_run, a_status, at, blocked, ended, observe

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.views.metadata import Condition
from actor_operator.lifecycle import waiting
from actor_operator.lifecycle.facts import Finding
from actor_operator.lifecycle.observed import Observed


def brief(finding: Finding) -> tuple[str, str]:
    return finding.status, finding.reason


def committed(kind: ConditionType, status: str, reason: str) -> Observed:
    """A run without pod for which a condition is committed."""
    condition = Condition(kind, status, reason, "As it was.", at(0), 1)
    return observe(None, run=a_run(status=a_status(conditions=(condition,))))


# Admitted

ADMITTED = [
    pytest.param(observe(None), "Unknown", Reason.PENDING, id="nothing is known at first"),
    pytest.param(observe(a_pod()), "True", Reason.MEMORY_RESERVED, id="a pod proves admission"),
    pytest.param(
        committed(ConditionType.ADMITTED, "True", Reason.MEMORY_RESERVED),
        "True",
        Reason.MEMORY_RESERVED,
        id="what is committed stays",
    ),
    pytest.param(
        observe(None, blocked=blocked(Reason.QUOTA_EXCEEDED)),
        "False",
        Reason.QUOTA_EXCEEDED,
        id="a quota is full",
    ),
    pytest.param(
        observe(None, blocked=blocked(Reason.POD_REJECTED)),
        "False",
        Reason.POD_REJECTED,
        id="the pod was refused",
    ),
    pytest.param(
        observe(None, blocked=blocked(Reason.ADMISSION_UNAVAILABLE)),
        "Unknown",
        Reason.ADMISSION_UNAVAILABLE,
        id="a webhook that does not answer has not said no",
    ),
    pytest.param(
        observe(None, blocked=blocked(Reason.NAME_TAKEN)),
        "Unknown",
        Reason.PENDING,
        id="a name that is taken says nothing of admission",
    ),
]


@pytest.mark.parametrize(("observed", "status", "reason"), ADMITTED)
def test_admission(observed: Observed, status: str, reason: Reason) -> None:
    assert brief(waiting.admitted(observed)) == (status, reason)


def test_a_refusal_is_told_with_its_words_and_its_beginning() -> None:
    finding = waiting.admitted(observe(None, blocked=blocked(since=3, message="exceeded quota: q")))

    assert (finding.message, finding.since) == ("exceeded quota: q", at(3))


# PodScheduled

SCHEDULED = [
    pytest.param(observe(None), "Unknown", Reason.PENDING, id="nothing is known without pod"),
    pytest.param(observe(a_pod()), "True", Reason.SCHEDULED, id="the pod has a node"),
    pytest.param(
        observe(a_pod(scheduled="0/1 nodes")), "False", Reason.UNSCHEDULABLE, id="no node fits"
    ),
    pytest.param(
        observe(None, previous=(a_pod(),)),
        "False",
        Reason.WAITING_FOR_PREVIOUS_POD,
        id="an earlier pod still ends",
    ),
    pytest.param(
        observe(None, blocked=blocked(Reason.NAME_TAKEN)),
        "False",
        Reason.NAME_TAKEN,
        id="the name of the pod is taken",
    ),
    pytest.param(
        observe(None, blocked=blocked(Reason.QUOTA_EXCEEDED)),
        "Unknown",
        Reason.PENDING,
        id="a full quota says nothing of nodes",
    ),
    pytest.param(
        committed(ConditionType.POD_SCHEDULED, "True", Reason.SCHEDULED),
        "True",
        Reason.SCHEDULED,
        id="what is committed stays when the pod is gone",
    ),
    pytest.param(
        committed(ConditionType.POD_SCHEDULED, "False", "ReasonOfANewerOperator"),
        "False",
        "ReasonOfANewerOperator",
        id="a reason of a newer operator stays as it is",
    ),
]


@pytest.mark.parametrize(("observed", "status", "reason"), SCHEDULED)
def test_scheduling(observed: Observed, status: str, reason: str) -> None:
    assert brief(waiting.scheduled(observed)) == (status, reason)


def test_the_schedulers_complaint_is_told_with_its_beginning() -> None:
    finding = waiting.scheduled(observe(a_pod(scheduled="0/1 nodes: Insufficient cpu")))

    assert (finding.message, finding.since) == ("0/1 nodes: Insufficient cpu", at(1))


def test_the_node_is_named() -> None:
    assert waiting.scheduled(observe(a_pod())).message == "Assigned to node node-1."


def test_a_pod_that_no_scheduler_has_seen_is_not_known() -> None:
    pod = a_pod(scheduled="x")
    unseen = replace(pod, status=replace(pod.status, conditions=()))

    assert brief(waiting.scheduled(observe(unseen))) == ("Unknown", Reason.PENDING)


# Started

STARTED = [
    pytest.param(observe(None), "Unknown", Reason.PENDING, id="without pod"),
    pytest.param(
        observe(a_pod(scheduled="no room")), "Unknown", Reason.PENDING, id="before a kubelet"
    ),
    pytest.param(observe(a_pod()), "False", Reason.IMAGE_PULLING, id="a silent kubelet"),
    pytest.param(
        observe(a_pod(waiting="ContainerCreating")), "False", Reason.IMAGE_PULLING, id="being made"
    ),
    pytest.param(
        observe(a_pod(waiting="ErrImagePull")), "False", Reason.IMAGE_PULL_BACK_OFF, id="no image"
    ),
    pytest.param(
        observe(a_pod(waiting="ImagePullBackOff")),
        "False",
        Reason.IMAGE_PULL_BACK_OFF,
        id="the reasons of one cause do not flap",
    ),
    pytest.param(
        observe(a_pod(waiting="CreateContainerConfigError")),
        "False",
        Reason.CONTAINER_CONFIG_ERROR,
        id="a lost Secret",
    ),
    pytest.param(
        observe(a_pod(waiting="CreateContainerError")),
        "False",
        Reason.RUNTIME_UNAVAILABLE,
        id="a runtime that fails",
    ),
    pytest.param(observe(a_pod(running=2)), "True", Reason.STARTED, id="it runs"),
    pytest.param(observe(a_pod(ended=ended(0))), "True", Reason.STARTED, id="it has run"),
    pytest.param(
        observe(a_pod(ended=ended(128, reason="StartError", started_at=None))),
        "False",
        Reason.START_ERROR,
        id="an entry point that cannot run never started",
    ),
    pytest.param(
        observe(None, run=a_run(status=a_status(started=2))),
        "True",
        Reason.STARTED,
        id="once started it stays so without pod",
    ),
    pytest.param(
        observe(a_pod(waiting="ContainerCreating"), run=a_run(status=a_status(started=2))),
        "True",
        Reason.STARTED,
        id="once started it stays so whatever the pod says",
    ),
]


@pytest.mark.parametrize(("observed", "status", "reason"), STARTED)
def test_the_start(observed: Observed, status: str, reason: Reason) -> None:
    assert brief(waiting.started(observed)) == (status, reason)


def test_what_the_kubelet_says_of_a_waiting_container_is_told_since_it_has_the_pod() -> None:
    finding = waiting.started(observe(a_pod(waiting="ErrImagePull", message="not found")))

    assert (finding.message, finding.since) == ("not found", at(1))
