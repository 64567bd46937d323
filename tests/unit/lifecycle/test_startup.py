"""Runs whose container could not be started: causes, windows, and what they leave behind."""

import pytest
from msgspec.structs import replace
from tests.support.builders import SETTINGS, a_pod, a_run, a_status, at, blocked, ended, observe

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import ContainerState, ContainerStatus, Terminated
from actor_operator.lifecycle.facts import Verdict
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.verdict import verdict_of
from actor_operator.settings import LimitSettings


def judge(
    observed: Observed, now: float, limits: LimitSettings = SETTINGS.limits
) -> Verdict | None:
    return verdict_of(observed, at(now), limits)


def failure(observed: Observed, now: float) -> Verdict:
    """The verdict FAILED."""
    verdict = judge(observed, now)
    assert verdict is not None
    assert verdict.phase is Phase.FAILED
    assert verdict.finished_at == at(now)
    assert verdict.exit_code is None
    return verdict


# The kubelet has the pod since one second after the run's creation.

WINDOWS = [
    pytest.param(
        "ErrImagePull", 120, Reason.IMAGE_PULL_FAILED, False, id="an image that is not there"
    ),
    pytest.param(
        "ImagePullBackOff", 120, Reason.IMAGE_PULL_FAILED, False, id="an image that is tried again"
    ),
    pytest.param(
        "ErrImageNeverPull", 120, Reason.IMAGE_PULL_FAILED, False, id="an image that may not come"
    ),
    pytest.param(
        "RegistryUnavailable", 120, Reason.IMAGE_PULL_FAILED, False, id="a registry that is down"
    ),
    pytest.param(
        "CreateContainerConfigError", 60, Reason.CONTAINER_CONFIG_ERROR, False, id="a lost Secret"
    ),
    pytest.param(
        "CreateContainerError", 300, Reason.RUNTIME_UNAVAILABLE, True, id="a runtime that fails"
    ),
    pytest.param(
        "RunContainerError", 300, Reason.RUNTIME_UNAVAILABLE, True, id="a runtime that cannot run"
    ),
]


@pytest.mark.parametrize(("waiting", "window", "reason", "platform"), WINDOWS)
def test_a_container_that_waits_for_its_whole_window_fails_the_run(
    *, waiting: str, window: int, reason: Reason, platform: bool
) -> None:
    observed = observe(a_pod(waiting=waiting, message="what the kubelet says"))

    assert judge(observed, window + 0.9) is None
    verdict = failure(observed, window + 1)
    assert (verdict.reason, verdict.platform) == (reason, platform)
    assert "what the kubelet says" in verdict.message
    assert verdict.cleanup == ("Pod",)


def test_the_window_of_images_can_be_set() -> None:
    observed = observe(a_pod(waiting="ErrImagePull"))

    assert judge(observed, 10, LimitSettings(image_pull_seconds=10)) is None
    assert judge(observed, 11, LimitSettings(image_pull_seconds=10)) is not None


def test_a_window_begins_when_the_kubelet_takes_the_pod_not_when_the_run_is_made() -> None:
    observed = observe(a_pod(waiting="ErrImagePull", accepted=400))

    assert judge(observed, 519) is None
    assert judge(observed, 520) is not None


def test_a_container_that_is_being_made_has_no_window_of_its_own() -> None:
    assert judge(observe(a_pod(waiting="ContainerCreating")), 599) is None


def test_a_name_of_an_image_that_cannot_be_read_fails_at_once() -> None:
    verdict = failure(observe(a_pod(waiting="InvalidImageName", message="UPPER:@")), 2)

    assert verdict.reason == Reason.INVALID_IMAGE
    assert "UPPER:@" in verdict.message
    assert verdict.cleanup == ("Pod",)


def test_a_kubelet_that_gives_no_message_is_quoted_with_its_reason() -> None:
    verdict = failure(observe(a_pod(waiting="ErrImageNeverPull")), 200)

    assert verdict.message.endswith("ErrImageNeverPull")


@pytest.mark.parametrize("reason", ["UnexpectedAdmissionError", "OutOfmemory", "NodeAffinity"])
def test_a_pod_that_the_node_refuses_fails_by_the_platforms_fault(reason: str) -> None:
    pod = a_pod(phase="Failed", reason=reason, message="no room on the node")
    verdict = failure(observe(pod), 5)

    assert (verdict.reason, verdict.platform) == (Reason.NODE_REJECTED, True)
    assert "no room on the node" in verdict.message
    assert verdict.cleanup == ()


def test_a_node_that_refuses_without_message_is_quoted_with_its_reason() -> None:
    verdict = failure(observe(a_pod(phase="Failed", reason="OutOfcpu")), 5)

    assert verdict.message.endswith("OutOfcpu")


INIT_ENDS = [
    (ended(1), Reason.INIT_FAILED, "exit code 1"),
    (ended(137, reason="OOMKilled"), Reason.INIT_OOM_KILLED, "more memory"),
]


@pytest.mark.parametrize(("end", "reason", "how"), INIT_ENDS, ids=["exit 1", "OOM"])
def test_an_init_container_that_fails_fails_the_run_and_is_not_tried_again(
    end: Terminated, reason: Reason, how: str
) -> None:
    pod = a_pod(phase="Failed", waiting="PodInitializing")
    done = ContainerStatus("first", state=ContainerState(terminated=ended(0)))
    init = ContainerStatus("mesh", state=ContainerState(terminated=end))
    pod = replace(pod, status=replace(pod.status, init_container_statuses=(done, init)))

    verdict = failure(observe(pod), 5)

    assert (verdict.reason, verdict.platform, verdict.disruption) == (reason, True, False)
    assert "mesh" in verdict.message
    assert how in verdict.message


def test_a_node_whose_clock_is_behind_does_not_shorten_the_pull_window() -> None:
    pod = a_pod(waiting="ErrImagePull", accepted=-200)

    assert verdict_of(observe(pod), at(100), SETTINGS.limits) is None
    assert failure(observe(pod), 122).reason == Reason.IMAGE_PULL_FAILED


# The API server


def test_a_pod_that_the_api_server_refuses_for_good_fails_with_its_words() -> None:
    refusal = blocked(Reason.POD_REJECTED, final=True, message="violates PodSecurity")
    verdict = failure(observe(None, blocked=refusal), 1)

    assert (verdict.reason, verdict.message) == (Reason.POD_REJECTED, "violates PodSecurity")
    assert verdict.cleanup == ()


def test_a_refusal_that_may_pass_is_no_verdict() -> None:
    assert judge(observe(None, blocked=blocked()), 599) is None


# The pending limit

PENDING = [
    pytest.param(
        observe(None, blocked=blocked(Reason.QUOTA_EXCEEDED, message="exceeded quota: q")),
        Reason.QUOTA_EXCEEDED,
        "exceeded quota: q",
        id="a quota",
    ),
    pytest.param(
        observe(None, blocked=blocked(Reason.ADMISSION_UNAVAILABLE, message="no webhook")),
        Reason.ADMISSION_UNAVAILABLE,
        "no webhook",
        id="a webhook that does not answer",
    ),
    pytest.param(
        observe(None, blocked=blocked(Reason.NAME_TAKEN, message="a pod of that name")),
        Reason.NAME_TAKEN,
        "a pod of that name",
        id="a name that is taken",
    ),
    pytest.param(
        observe(None, previous=(a_pod(running=2),)),
        Reason.WAITING_FOR_PREVIOUS_POD,
        "has not ended yet",
        id="an earlier pod",
    ),
    pytest.param(
        observe(a_pod(scheduled="0/3 nodes: Insufficient memory")),
        Reason.NOT_SCHEDULED,
        "0/3 nodes: Insufficient memory",
        id="a node",
    ),
    pytest.param(
        observe(a_pod(waiting="ImagePullBackOff", message="not found", accepted=590)),
        Reason.IMAGE_PULL_FAILED,
        "not found",
        id="an image",
    ),
    pytest.param(
        observe(a_pod(waiting="ContainerCreating", message="mounting")),
        Reason.RUNTIME_UNAVAILABLE,
        "mounting",
        id="the container's making",
    ),
    pytest.param(
        observe(a_pod()), Reason.RUNTIME_UNAVAILABLE, "said nothing", id="a silent kubelet"
    ),
]


@pytest.mark.parametrize(("observed", "reason", "words"), PENDING)
def test_a_run_that_waits_longer_than_the_pending_limit_fails_with_what_it_waits_for(
    observed: Observed, reason: Reason, words: str
) -> None:
    assert judge(observed, 599.9) is None
    verdict = failure(observed, 600)
    assert (verdict.reason, verdict.platform) == (reason, True)
    assert "within 600 s" in verdict.message
    assert words in verdict.message
    assert verdict.cleanup == (("Pod",) if observed.pods else ())


def test_a_pod_without_any_word_of_the_scheduler_was_not_scheduled() -> None:
    pod = a_pod(scheduled="x")
    silent = replace(pod, status=replace(pod.status, conditions=()))
    verdict = failure(observe(silent), 600)

    assert (verdict.reason, "no scheduler" in verdict.message) == (Reason.NOT_SCHEDULED, True)


def test_the_pending_limit_counts_from_when_the_attempt_was_asked_for() -> None:
    run = a_run(status=a_status(queued_at=at(100), attempt=2))
    observed = observe(None, run=run, previous=(a_pod(running=2),))

    assert judge(observed, 699) is None
    assert judge(observed, 700) is not None


def test_a_run_that_nobody_has_tried_to_start_is_tried_however_old_it_is() -> None:
    assert judge(observe(None), 100_000) is None


def test_the_pending_limit_of_a_run_that_was_tried_late_counts_from_the_first_try() -> None:
    refused = observe(None, blocked=blocked(since=5000))
    pod = a_pod(scheduled="no room")
    made_late = replace(pod, metadata=replace(pod.metadata, creation_timestamp=at(5000)))

    for observed in (refused, observe(made_late)):
        assert judge(observed, 5599) is None
        assert judge(observed, 5600) is not None


def test_the_pending_limit_is_nothing_to_a_run_that_has_started() -> None:
    started = observe(a_pod(running=2, timeout=0))
    told = observe(a_pod(timeout=0, running=2), run=a_run(status=a_status(started=2, timeout=0)))

    assert judge(started, 100_000) is None
    assert judge(told, 100_000) is None


def test_an_end_that_is_known_comes_before_the_pending_limit() -> None:
    verdict = judge(observe(a_pod(ended=ended(128, reason="StartError", started_at=None))), 1000)

    assert verdict is not None
    assert verdict.reason == Reason.START_ERROR


def test_a_run_of_which_nobody_knows_when_it_was_made_is_an_error() -> None:
    run = a_run(created=None)  # type: ignore[arg-type]

    with pytest.raises(ValueError, match="team/hello has no creation time"):
        judge(observe(None, run=run, previous=(a_pod(running=2),)), 1)
