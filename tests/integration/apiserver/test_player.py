"""The player moves pods as a scheduler and a kubelet would."""

import asyncio
from collections.abc import Iterator

import pytest
from tests.support.apiserver import ApiServer, DeleteOptions, End, PodPlayer, Scenario
from tests.support.apiserver.fields import Object, at
from tests.support.apiserver.pods import container_status

SCENARIOS = {
    "failer": Scenario(exit_code=3),
    "memory-hog": Scenario(end=End.OOM),
    "disk-hog": Scenario(end=End.EVICTED),
    "absent": Scenario(end=End.IMAGE_PULL),
    "misconfigured": Scenario(end=End.CONFIG_ERROR),
    "huge": Scenario(end=End.UNSCHEDULABLE),
    "stubborn": Scenario(run_for=None),
    "polite": Scenario(run_for=None, on_term=(0, 2.0)),
}
"""Name of an image -> what its pods do."""


@pytest.fixture
def player(server: ApiServer) -> Iterator[PodPlayer]:
    """A player that knows the scenarios."""
    with PodPlayer(server, SCENARIOS, speed=100) as player:
        yield player


def _create(server: ApiServer, image: str, **spec: object) -> None:
    containers = [{"name": "main", "image": f"localhost/x/{image}:1"}]
    server.create("pods", {"metadata": {"name": "a"}, "spec": {"containers": containers} | spec})


async def _until(server: ApiServer, path: str, value: object) -> Object:
    """The pod once a field has a value."""
    for _ in range(200):
        pod = server.find("pods", "default", "a")
        if pod and at(pod, path) == value:
            return pod
        await asyncio.sleep(0.01)
    raise AssertionError(f"{path} did not become {value}: {pod}")


async def _until_gone(server: ApiServer) -> None:
    for _ in range(200):
        if server.find("pods", "default", "a") is None:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the pod is still there")


def _steps(server: ApiServer) -> list[str]:
    """What the container did, in order, each once."""
    steps: list[str] = []
    for change in server.history("pods"):
        obj = change.after.object
        state = next(iter(container_status(obj).get("state", {})), "none")
        step = f"{obj['status']['phase']}/{state}"
        if not steps or steps[-1] != step:
            steps.append(step)
    return steps


@pytest.mark.usefixtures("player")
class TestPlayer:
    """Pods of each scenario."""

    async def test_a_pod_runs_to_its_end_and_the_phase_comes_last(self, server: ApiServer) -> None:
        _create(server, "anything")
        await _until(server, "status.phase", "Succeeded")

        assert _steps(server) == [
            "Pending/none",
            "Running/running",
            "Running/terminated",
            "Succeeded/terminated",
        ]

    @pytest.mark.parametrize(
        ("image", "code", "reason"),
        [("failer", 3, "Error"), ("memory-hog", 137, "OOMKilled")],
    )
    async def test_a_pod_fails(self, server: ApiServer, image: str, code: int, reason: str) -> None:
        _create(server, image)
        pod = await _until(server, "status.phase", "Failed")
        terminated = container_status(pod)["state"]["terminated"]

        assert (terminated["exitCode"], terminated["reason"]) == (code, reason)

    async def test_a_pod_fills_its_disk(self, server: ApiServer) -> None:
        _create(server, "disk-hog")

        assert await _until(server, "status.reason", "Evicted")

    @pytest.mark.parametrize(
        ("image", "reason"),
        [("absent", "ImagePullBackOff"), ("misconfigured", "CreateContainerConfigError")],
    )
    async def test_a_pod_does_not_start(self, server: ApiServer, image: str, reason: str) -> None:
        _create(server, image)
        pod = await _until(server, "spec.nodeName", "node-1")
        await asyncio.sleep(0.05)
        pod = server.get("pods", "default", "a")

        assert container_status(pod)["state"]["waiting"]["reason"] == reason
        assert pod["status"]["phase"] == "Pending"

    async def test_a_pod_finds_no_node(self, server: ApiServer) -> None:
        _create(server, "huge")
        await asyncio.sleep(0.05)
        pod = server.get("pods", "default", "a")

        assert pod["status"]["conditions"][0]["reason"] == "Unschedulable"
        assert "nodeName" not in pod["spec"]

    async def test_the_deadline_kills_after_the_grace(self, server: ApiServer) -> None:
        _create(server, "stubborn", activeDeadlineSeconds=5, terminationGracePeriodSeconds=10)
        pod = await _until(server, "status.reason", "DeadlineExceeded")

        assert container_status(pod)["state"]["terminated"]["exitCode"] == 137
        assert pod["status"]["phase"] == "Failed"

    async def test_a_polite_program_ends_at_the_deadline_by_itself(self, server: ApiServer) -> None:
        _create(server, "polite", activeDeadlineSeconds=5)
        pod = await _until(server, "status.reason", "DeadlineExceeded")

        assert container_status(pod)["state"]["terminated"]["exitCode"] == 0
        assert pod["status"]["phase"] == "Failed"

    async def test_a_deadline_that_is_lowered_holds_at_once(self, server: ApiServer) -> None:
        _create(server, "polite", activeDeadlineSeconds=100_000)
        await _until(server, "status.phase", "Running")
        server.patch("pods", "default", "a", {"spec": {"activeDeadlineSeconds": 1}})

        assert await _until(server, "status.reason", "DeadlineExceeded")

    @pytest.mark.parametrize(("image", "code"), [("polite", 0), ("stubborn", 137)])
    async def test_a_deleted_pod_ends_and_goes(
        self, server: ApiServer, image: str, code: int
    ) -> None:
        _create(server, image, terminationGracePeriodSeconds=5)
        await _until(server, "status.phase", "Running")
        server.delete("pods", "default", "a")
        await _until_gone(server)
        last = server.history("pods")[-1].after.object

        assert container_status(last)["state"]["terminated"]["exitCode"] == code

    async def test_a_deletion_with_a_short_grace_kills(self, server: ApiServer) -> None:
        _create(server, "polite")
        await _until(server, "status.phase", "Running")
        server.delete("pods", "default", "a", DeleteOptions(grace=1))
        await _until_gone(server)
        last = server.history("pods")[-1].after.object

        assert container_status(last)["state"]["terminated"]["exitCode"] == 137

    async def test_a_deletion_while_the_image_is_awaited(self, server: ApiServer) -> None:
        _create(server, "absent")
        await _until(server, "spec.nodeName", "node-1")
        await asyncio.sleep(0.05)
        server.delete("pods", "default", "a")

        await _until_gone(server)

    async def test_the_next_pod_of_a_name_has_a_life_of_its_own(self, server: ApiServer) -> None:
        _create(server, "failer")
        await _until(server, "status.phase", "Running")
        server.delete("pods", "default", "a", DeleteOptions(grace=0))
        _create(server, "stubborn")
        await _until(server, "status.phase", "Running")
        await asyncio.sleep(0.1)

        assert server.get("pods", "default", "a")["status"]["phase"] == "Running"

    async def test_a_deadline_counts_from_the_start_also_when_it_is_lowered(
        self, server: ApiServer
    ) -> None:
        _create(server, "polite", activeDeadlineSeconds=100_000)
        await _until(server, "status.phase", "Running")
        await asyncio.sleep(1.0)
        started = asyncio.get_running_loop().time()
        server.patch("pods", "default", "a", {"spec": {"activeDeadlineSeconds": 99}})
        await _until(server, "status.reason", "DeadlineExceeded")

        assert asyncio.get_running_loop().time() - started < 0.7

    async def test_an_annotation_names_the_scenario(self, server: ApiServer) -> None:
        annotations = {"test.actor-operator.dev/scenario": "failer"}
        metadata = {"name": "a", "annotations": annotations}
        spec = {"containers": [{"name": "main", "image": "anything"}]}
        server.create("pods", {"metadata": metadata, "spec": spec})
        pod = await _until(server, "status.phase", "Failed")

        assert container_status(pod)["state"]["terminated"]["exitCode"] == 3
