"""Each step of a pod says what a real kubelet says."""

from collections.abc import Callable

import pytest
from tests.support.apiserver import ApiServer, PodHandle
from tests.support.apiserver.fields import Object
from tests.support.apiserver.pods import DEADLINE_MESSAGE, DISK_MESSAGE, container_status


@pytest.fixture
def pod(server: ApiServer) -> PodHandle:
    """A new pod."""
    spec = {"containers": [{"name": "main", "image": "registry.example.org/x/main:1"}]}
    server.create("pods", {"metadata": {"name": "a"}, "spec": spec})
    return server.pod("default", "a")


def _conditions(pod: PodHandle) -> dict[str, tuple[str, str | None]]:
    return {
        entry["type"]: (entry["status"], entry.get("reason"))
        for entry in pod.object["status"]["conditions"]
    }


async def test_a_pod_runs(pod: PodHandle) -> None:
    status = pod.run().object["status"]
    container = container_status(pod.object)

    assert pod.object["spec"]["nodeName"] == "node-1"
    assert status["phase"] == "Running"
    assert status["startTime"].endswith("Z")
    assert container["state"]["running"]["startedAt"]
    assert container["imageID"].startswith("registry.example.org/x/main@sha256:")
    assert _conditions(pod)["Ready"] == ("True", None)


async def test_a_pod_that_is_not_ready_runs_too(pod: PodHandle) -> None:
    pod.run(ready=False)

    assert pod.object["status"]["phase"] == "Running"
    assert _conditions(pod)["Ready"] == ("False", "ContainersNotReady")


async def test_the_container_ends_before_the_phase(pod: PodHandle) -> None:
    pod.run().terminate(0)
    between = pod.object["status"]["phase"]
    pod.finish()

    assert between == "Running"
    assert pod.object["status"]["phase"] == "Succeeded"
    assert container_status(pod.object)["state"]["terminated"]["reason"] == "Completed"
    assert _conditions(pod)["Ready"] == ("False", "PodCompleted")


ENDS: dict[str, tuple[Callable[[PodHandle], PodHandle], int, str, Object]] = {
    "an exit code": (lambda pod: pod.exit(3), 3, "Error", {}),
    "too much memory": (lambda pod: pod.oom(), 137, "OOMKilled", {}),
    "a full disk": (
        lambda pod: pod.evict(),
        137,
        "ContainerStatusUnknown",
        {"reason": "Evicted", "message": DISK_MESSAGE},
    ),
    "the deadline": (
        lambda pod: pod.exceed_deadline(),
        143,
        "Error",
        {"reason": "DeadlineExceeded", "message": DEADLINE_MESSAGE},
    ),
    "the deadline, though it exits with 0": (
        lambda pod: pod.exceed_deadline(0),
        0,
        "Completed",
        {"reason": "DeadlineExceeded"},
    ),
}
"""Cause -> step, exit code, the container's reason, what the pod's status says."""


@pytest.mark.parametrize("cause", ENDS)
async def test_a_pod_fails_by(pod: PodHandle, cause: str) -> None:
    step, code, reason, says = ENDS[cause]
    step(pod.run())
    terminated = container_status(pod.object)["state"]["terminated"]

    assert pod.object["status"]["phase"] == "Failed"
    assert (terminated["exitCode"], terminated["reason"]) == (code, reason)
    assert pod.object["status"] | says == pod.object["status"]


async def test_at_its_deadline_a_pod_is_still_running(pod: PodHandle) -> None:
    pod.run().reach_deadline()

    assert pod.object["status"]["phase"] == "Running"
    assert _conditions(pod)["Ready"] == ("False", "PodFailed")
    assert "running" in container_status(pod.object)["state"]


async def test_a_pod_waits_for_its_image(pod: PodHandle) -> None:
    pod.wait("ImagePullBackOff", "not found")

    assert pod.object["status"]["phase"] == "Pending"
    assert container_status(pod.object)["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert _conditions(pod)["PodScheduled"] == ("True", None)


async def test_a_pod_finds_no_node(pod: PodHandle) -> None:
    pod.unschedulable()

    assert _conditions(pod) == {"PodScheduled": ("False", "Unschedulable")}


async def test_a_pod_is_disrupted(pod: PodHandle) -> None:
    pod.run().disrupt("EvictionByEvictionAPI")

    assert _conditions(pod)["DisruptionTarget"] == ("True", "EvictionByEvictionAPI")


async def test_a_deleted_pod_stays_until_the_kubelet_lets_it_go(
    server: ApiServer, pod: PodHandle
) -> None:
    pod.run()
    server.delete("pods", "default", "a")
    before = pod.object["metadata"]
    pod.exit(143).remove()

    assert before["deletionGracePeriodSeconds"] == 30
    assert pod.is_gone


async def test_a_step_that_changes_nothing_makes_no_version(
    server: ApiServer, pod: PodHandle
) -> None:
    pod.run().schedule()
    revision = server.store.revision
    pod.schedule()

    assert server.store.revision == revision


async def test_there_is_no_handle_of_an_absent_pod(server: ApiServer) -> None:
    with pytest.raises(LookupError):
        server.pod("default", "absent")
