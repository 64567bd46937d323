"""Nodes and pods that are taken away under live runs: the runs go on elsewhere.

The order of the tests counts: the drain leaves the second node empty, as the next ones want it.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.cluster_tool.providers import choose
from tests.node.conftest import NAME, NODES, Installed
from tests.support.history import POD, RUN, condition
from tests.support.installation import REGISTRY
from tests.support.node_faults import cordoned, short_of_memory
from tests.support.user import User
from tests.support.workspace import Workspace

pytestmark = [pytest.mark.node, pytest.mark.timeout(400)]

STAYS, GOES = NODES
"""The node that is left alone, and the one that is taken away."""

LIVE = 20
"""Runs on the node that is drained."""

POLITE = 3
"""How many of them end well when they are asked to stop."""

STORAGES = ("defaultKeyValueStoreId", "defaultDatasetId", "defaultRequestQueueId")

PRIORITY = "test-urgent"
"""Name of the priority of a pod that drives out others."""

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def actors(workspace: Workspace) -> Workspace:
    """A namespace with the Actors."""
    for actor in ("sleeper", "signal-printer"):
        workspace.actor(actor, f"{REGISTRY}/{actor}:1")
    return workspace


@pytest.mark.fault("B7", "B11")
def test_a_drain_moves_twenty_live_runs_and_fails_none(
    installed: Installed, actors: Workspace, record_property: Callable[[str, object], None]
) -> None:
    names = [f"live-{number}" for number in range(LIVE)]
    with cordoned(installed.kubectl, STAYS):
        for number, name in enumerate(names):
            actor = "signal-printer" if number < POLITE else "sleeper"
            actors.run(name, actor, memoryMbytes=128, timeoutSecs=600, input={"seconds": 500})
        for name in names:
            actors.wait(name, "RUNNING", 120)
        before = {name: actors.status(name) for name in names}

    drain = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s")
    installed.kubectl.run("drain", GOES, *drain)
    try:
        for name in names:
            wait_moved(actors, name)
        after = {name: actors.status(name) for name in names}
    finally:
        installed.kubectl.run("uncordon", GOES)
    inside = environment(installed, actors, names[-1])
    for name in names:
        actors.abort(name)
    actors.wait_all(names, 120)

    history = actors.history()
    moves = [seconds_away(actors, name) for name in names]
    record_property("longest_seconds_without_a_container", round(max(moves), 1))
    for name in names:
        assert before[name]["nodeName"] == GOES
        assert after[name]["nodeName"] == STAYS
        assert after[name]["migrations"] == 1
        assert after[name]["startedAt"] == before[name]["startedAt"]
        assert [after[name][s] for s in STORAGES] == [before[name][s] for s in STORAGES]
        assert history.phases(name) == ["READY", "RUNNING", "ABORTING", "ABORTED"]
        assert "EvictedByAPI" in actors.reasons(name, "PodScheduled")
        actors.wait_events(name, ["Warning/Disrupted", "Normal/Aborted"])
    assert inside["ACTOR_DEFAULT_DATASET_ID"] == before[names[-1]]["defaultDatasetId"]


@pytest.mark.fault("B6")
def test_a_pod_of_higher_priority_drives_a_run_to_another_node(
    installed: Installed, actors: Workspace
) -> None:
    with cordoned(installed.kubectl, STAYS):
        actors.run("driven-out", "sleeper", memoryMbytes=512, input={"seconds": 500})
        actors.wait("driven-out", "RUNNING", 60)
        with urgent_pod(installed, actors):
            actors.recorder.wait(
                "it is preempted", lambda: actors.status("driven-out").get("migrations") == 1, 90
            )
            installed.kubectl.run("uncordon", STAYS)
            wait_moved(actors, "driven-out")

    assert actors.status("driven-out")["nodeName"] == STAYS
    assert "Preempted" in actors.reasons("driven-out", "PodScheduled")
    actors.abort("driven-out")
    actors.wait("driven-out", "ABORTED", 60)
    assert actors.status("driven-out")["migrations"] == 1
    actors.wait_events("driven-out", ["Warning/Disrupted", "Normal/Aborted"])


@pytest.mark.fault("B5")
def test_a_node_that_is_short_of_memory_evicts_a_run_which_goes_on_elsewhere(
    installed: Installed, actors: Workspace
) -> None:
    if choose.provider(os.environ.get("CLUSTER", "auto"), NAME).name != "local":
        pytest.skip("only on nodes of ours a kubelet can be told that it is short of memory")
    with cordoned(installed.kubectl, STAYS):
        actors.run("evicted", "sleeper", memoryMbytes=128, input={"seconds": 500})
        actors.wait("evicted", "RUNNING", 60)
    with short_of_memory(NAME, GOES):
        wait_moved(actors, "evicted")

    assert actors.status("evicted")["nodeName"] == STAYS
    assert "Evicted" in actors.reasons("evicted", "PodScheduled")
    actors.abort("evicted")
    actors.wait("evicted", "ABORTED", 60)
    assert actors.status("evicted")["migrations"] == 1
    actors.wait_events("evicted", ["Warning/Disrupted", "Normal/Aborted"])
    for found in ("Ready=true", "MemoryPressure=false"):
        wanted = f"--for=condition={found}"
        installed.kubectl.run("wait", f"node/{GOES}", wanted, "--timeout=60s")


def wait_moved(workspace: Workspace, name: str) -> None:
    """Wait until a run runs in its second pod, on the node that stays."""

    def moved() -> bool:
        pod, status = workspace.pod(name) or {}, workspace.status(name)
        running = status["podName"].endswith("-2") and is_running(pod)
        return status["finished"] or (running and status.get("nodeName") == STAYS)

    workspace.recorder.wait(f"{name} runs in its second pod", moved, 180)
    assert workspace.phase(name) == "RUNNING"


def is_running(pod: dict[str, object]) -> bool:
    """Whether a pod is ready."""
    return condition(pod, "Ready").get("status") == "True"


def seconds_away(workspace: Workspace, name: str) -> float:
    """How long a run had no container: from its first pod's end to its second pod's start."""
    history = workspace.history()
    first, second = history.children(POD, history.life(RUN, name)[0].uid)[:2]
    told = next(r.at for r in first if "deletionTimestamp" in r.object["metadata"])
    return next(r.at for r in second if is_running(r.object)) - told


def environment(installed: Installed, workspace: Workspace, name: str) -> dict[str, str]:
    """The environment inside of a run's container."""
    user = User(installed.kubectl, workspace.namespace)
    text = user.run_kubectl("exec", workspace.status(name)["podName"], "--", "env")
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


@contextmanager
def urgent_pod(installed: Installed, workspace: Workspace) -> Iterator[None]:
    """A pod that fits on the node only when a run goes."""
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    kind = {"metadata": {"name": PRIORITY}, "value": 1000}
    workspace.admin.must("POST", path, kind)
    pod = {
        "metadata": {"name": "urgent"},
        "spec": {
            "priorityClassName": PRIORITY,
            "nodeSelector": {"kubernetes.io/hostname": GOES},
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "urgent",
                    "image": f"{REGISTRY}/busybox:1",
                    "command": ["sleep", "3600"],
                    "resources": {"requests": {"memory": str(free_memory(installed) + MEBIBYTE)}},
                }
            ],
        },
    }
    workspace.admin.must("POST", workspace.path("pods", core=True), pod)
    try:
        yield
    finally:
        workspace.delete("pods", "urgent", core=True)
        workspace.admin.must("DELETE", f"{path}/{PRIORITY}")


def free_memory(installed: Installed) -> int:
    """How many bytes of the node are not requested by any pod on it."""
    node = json.loads(installed.kubectl.run("get", "node", GOES, "-o", "json"))
    chosen = f"--field-selector=spec.nodeName={GOES},status.phase=Running"
    pods = json.loads(installed.kubectl.run("get", "pods", "-A", chosen, "-o", "json"))["items"]
    requests = (
        container.get("resources", {}).get("requests", {}).get("memory", "0")
        for pod in pods
        for container in pod["spec"]["containers"]
    )
    return in_bytes(node["status"]["allocatable"]["memory"]) - sum(map(in_bytes, requests))


def in_bytes(quantity: str) -> int:
    """The value of a quantity of memory."""
    units = {"Ki": 1024, "Mi": MEBIBYTE, "Gi": 1024 * MEBIBYTE}
    return int(quantity[:-2]) * units[quantity[-2:]] if quantity[-2:] in units else int(quantity)
