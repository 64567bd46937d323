"""What only a kubelet in trouble tells of pods: written here as it would, all at the same time."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from tests.cluster.operator.conftest import MakeWorkspace
from tests.cluster_tool.control_plane import ControlPlane
from tests.support.fleet import Fleet
from tests.support.history import POD, RUN, condition, status_of
from tests.support.operators import USER
from tests.support.rest import MERGE_PATCH, RestClient
from tests.support.workspace import Admin, Workspace

pytestmark = pytest.mark.cluster

TIMEOUT = 8
"""Time limit in seconds of runs on nodes with wrong clocks."""

SKEW = timedelta(minutes=2)
"""How far these clocks are off."""

LINGERS = 40
"""Seconds after which a pod that vanished would have been replaced."""

REFUSED = {
    "phase": "Failed",
    "reason": "OutOfmemory",
    "message": "Pod was rejected: Node didn't have enough resource: memory",
}
"""Status of a pod that the kubelet does not take (kubelet: lifecycle/predicate.go)."""

SHUT_DOWN = {
    "phase": "Failed",
    "reason": "Terminated",
    "message": "Pod was terminated in response to imminent node shutdown.",
    "conditions": [
        {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "TerminationByKubelet",
            "message": "Pod was terminated in response to imminent node shutdown.",
        }
    ],
}
"""Status of a pod whose node is shut down gracefully (kubelet: nodeshutdown_manager.go)."""

OVERDUE = {
    "phase": "Failed",
    "reason": "DeadlineExceeded",
    "message": "Pod was active on the node longer than the specified deadline",
}
"""Status of a pod whose time was up (kubelet: active_deadline.go)."""


def text(moment: datetime) -> str:
    """A moment as Kubernetes writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Kubelet:
    """Plays a run's kubelet, whose clock may be wrong."""

    def __init__(self, workspace: Workspace, run: str, skew: timedelta = timedelta(0)) -> None:
        self._workspace = workspace
        self._run = run
        self._skew = skew
        self._begun = self._pod = ""

    @property
    def now(self) -> str:
        """Its time."""
        return text(datetime.now(UTC) + self._skew)

    def wait_assigned(self, number: int = 1) -> None:
        """Wait until it is given a pod."""
        self._pod = self._workspace.assigned_pod(self._run, number)

    def tell(self, state: dict[str, Any] | None = None, /, **status: Any) -> None:
        """Tell of the pod, and of the state of its container."""
        if state is not None:
            running = "running" in state
            container = {"name": "actor", "image": "x", "imageID": "x", "restartCount": 0}
            status["containerStatuses"] = [{**container, "ready": running, "state": state}]
        self._workspace.write_pod_status(self._pod, **status)

    def start(self) -> None:
        """The container runs."""
        self._begun = self.now
        self.tell({"running": {"startedAt": self._begun}}, phase="Running", startTime=self._begun)

    def end(self, code: int, **status: Any) -> None:
        """The container has ended."""
        reason = "Error" if code else "Completed"
        times = {"startedAt": self._begun, "finishedAt": self.now}
        self.tell({"terminated": {"exitCode": code, "reason": reason, **times}}, **status)


def runtime_fails(workspace: Workspace, name: str) -> None:
    """The container runtime never makes the container."""
    kubelet = Kubelet(workspace, name)
    kubelet.wait_assigned()
    waiting = {"reason": "CreateContainerError", "message": "context deadline exceeded"}
    kubelet.tell({"waiting": waiting}, startTime=kubelet.now)
    workspace.wait_reason(name, "Started", "RuntimeUnavailable")
    told = partial(workspace.events, name)
    workspace.recorder.wait("it is told", lambda: told() == ["Warning/RuntimeUnavailable"], 30)
    # Five minutes are too long to wait.
    assigned = condition(workspace.pod(name) or {}, "PodScheduled")
    long_ago = text(datetime.now(UTC) - timedelta(seconds=301))
    kubelet.tell(startTime=long_ago, conditions=[{**assigned, "lastTransitionTime": long_ago}])


def nodes_refuse(workspace: Workspace, name: str) -> None:
    """Each node refuses the pod."""
    for number in range(1, 5):
        kubelet = Kubelet(workspace, name)
        kubelet.wait_assigned(number)
        kubelet.tell(**REFUSED)


def node_shuts_down(workspace: Workspace, name: str) -> None:
    """The first node is shut down, which the container takes politely; the second is not."""
    kubelet = Kubelet(workspace, name)
    kubelet.wait_assigned()
    kubelet.start()
    workspace.wait(name, "RUNNING")
    kubelet.end(0, **SHUT_DOWN)
    kubelet.wait_assigned(2)
    kubelet.start()
    kubelet.end(0, phase="Succeeded")


def time_is_up(workspace: Workspace, name: str, skew: timedelta) -> None:
    """The node's clock is wrong, but it counts seconds as others do."""
    kubelet = Kubelet(workspace, name, skew)
    kubelet.wait_assigned()
    kubelet.start()
    time.sleep(TIMEOUT + 3)
    # The container's end is told about a second before the pod's.
    kubelet.end(143)
    time.sleep(1)
    kubelet.end(143, **OVERDUE)


def label_goes(workspace: Workspace, name: str) -> None:
    """Somebody whom no policy keeps from it takes the labels from the pod, for a while."""
    kubelet = Kubelet(workspace, name)
    kubelet.wait_assigned()
    kubelet.start()
    workspace.wait(name, "RUNNING")
    path = workspace.path("pods", (workspace.pod(name) or {})["metadata"]["name"], core=True)
    labels = workspace.admin.must("GET", path)["metadata"]["labels"]
    unhindered = RestClient(workspace.admin.control_plane, user=USER)

    def label(values: dict[str, str | None]) -> None:
        body = {"metadata": {"labels": values}}
        assert unhindered.call("PATCH", path, body, content_type=MERGE_PATCH).accepted

    label(dict.fromkeys(labels))
    time.sleep(LINGERS)
    label(labels)
    unhindered.close()
    kubelet.end(0, phase="Succeeded")


ACTS: dict[str, Callable[[Workspace, str], None]] = {
    "runtime-fails": runtime_fails,
    "nodes-refuse": nodes_refuse,
    "node-shuts-down": node_shuts_down,
    "clock-behind": partial(time_is_up, skew=-SKEW),
    "clock-ahead": partial(time_is_up, skew=SKEW),
    "label-goes": label_goes,
}
"""Runs, and what befalls them."""


@pytest.fixture(scope="module")
def ended(fleet: Fleet, make_workspace: MakeWorkspace, control_plane: ControlPlane) -> Workspace:
    """A namespace in which all of it has happened."""
    fleet.ensure(2)
    workspace = make_workspace()
    workspace.actor("by-hand", "by-hand")
    for name in ACTS:
        timeout = {"timeoutSecs": TIMEOUT} if name.startswith("clock") else {"timeoutSecs": 0}
        workspace.run(name, "by-hand", memoryMbytes=128, **timeout)

    def act(name: str) -> None:
        admin = Admin(control_plane)
        ACTS[name](workspace.seen_by(admin), name)
        admin.close()

    with ThreadPoolExecutor(len(ACTS)) as pool:
        for acting in [pool.submit(act, name) for name in ACTS]:
            acting.result()
    workspace.wait_all(ACTS)
    return workspace


def pods_of(workspace: Workspace, name: str) -> int:
    """How many pods a run had."""
    history = workspace.history()
    return len(history.children(POD, history.life(RUN, name)[0].uid))


@pytest.mark.fault("A6")
def test_a_run_whose_container_is_never_made_fails_by_the_platforms_fault(
    ended: Workspace,
) -> None:
    status = ended.status("runtime-fails")

    assert ended.history().phases("runtime-fails") == ["READY", "FAILED"]
    assert "RuntimeUnavailable" in ended.reasons("runtime-fails", "Started")
    assert condition({"status": status}, "Succeeded")["reason"] == "RuntimeUnavailable"
    assert status["failure"]["platform"] is True
    ended.wait_events("runtime-fails", ["Warning/RuntimeUnavailable"])


@pytest.mark.fault("A17")
def test_a_run_that_every_node_refuses_moves_three_times_and_fails(ended: Workspace) -> None:
    status = ended.status("nodes-refuse")

    assert ended.history().phases("nodes-refuse") == ["READY", "FAILED"]
    assert condition({"status": status}, "Succeeded")["reason"] == "NodeRejected"
    assert status["migrations"] == 3
    assert ended.reasons("nodes-refuse", "PodScheduled").count("NodeRejected") == 3
    assert pods_of(ended, "nodes-refuse") == 4
    ended.wait_events("nodes-refuse", ["Warning/Disrupted", "Warning/NodeRejected"])


@pytest.mark.fault("B15")
def test_a_run_whose_node_is_shut_down_moves_though_its_container_exits_with_0(
    ended: Workspace,
) -> None:
    name = "node-shuts-down"

    assert ended.history().phases(name) == ["READY", "RUNNING", "SUCCEEDED"]
    assert "NodeShutdown" in ended.reasons(name, "PodScheduled")
    assert ended.status(name)["migrations"] == 1
    ended.wait_events(name, ["Warning/Disrupted"])


@pytest.mark.fault("C8")
@pytest.mark.parametrize("name", ["clock-behind", "clock-ahead"])
def test_a_timeout_holds_on_a_node_whose_clock_is_wrong(ended: Workspace, name: str) -> None:
    history = ended.history()
    life = history.life(RUN, name)
    began = seen(life, "RUNNING")
    (pod,) = history.children(POD, life[0].uid)
    container_ended = next(r.at for r in pod if "terminated" in str(r.object["status"]))

    assert history.phases(name) == ["READY", "RUNNING", "TIMING-OUT", "TIMED-OUT"]
    assert TIMEOUT - 1 <= seen(life, "TIMING-OUT") - began <= TIMEOUT + 3
    assert seen(life, "TIMED-OUT") >= container_ended
    assert ended.status(name)["exitCode"] == 143
    ended.wait_events(name, ["Warning/TimingOut", "Warning/TimedOut"])


def seen(life: list[Any], phase: str) -> float:
    """When a phase was first seen."""
    return float(next(r.at for r in life if status_of(r.object).get("phase") == phase))


@pytest.mark.fault("B27")
def test_a_pod_that_lost_its_labels_is_not_followed_by_another(ended: Workspace) -> None:
    assert ended.history().phases("label-goes") == ["READY", "RUNNING", "SUCCEEDED"]
    assert pods_of(ended, "label-goes") == 1
    assert ended.events("label-goes") == []
