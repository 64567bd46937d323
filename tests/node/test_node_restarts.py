"""Nodes that come back as others than they were, or whose container runtime does not answer."""

import json
import time

import pytest
from tests.node.conftest import NAME, NODES, VALUES, Installed
from tests.support.history import condition
from tests.support.installation import REGISTRY, install_operator
from tests.support.node_faults import (
    cordoned,
    cut_power,
    frozen_runtime,
    restore_node,
    smaller_node,
)
from tests.support.workspace import Workspace

pytestmark = [pytest.mark.node, pytest.mark.timeout(400)]

STAYS, GOES = NODES
"""The node that is left alone, and the one that is in trouble."""

ROOM_MBYTES = 4096
"""Memory of a run, and of what is left of the node for all its pods."""


@pytest.fixture(scope="module")
def actors(workspace: Workspace) -> Workspace:
    """A namespace with the Actor."""
    workspace.actor("sleeper", f"{REGISTRY}/sleeper:1")
    return workspace


def wait_on(workspace: Workspace, name: str, node: str) -> None:
    """Wait until a run runs on a node."""

    def done() -> bool:
        status = workspace.status(name)
        ready = condition(workspace.pod(name) or {}, "Ready").get("status") == "True"
        return status.get("nodeName") == node and ready

    workspace.recorder.wait(f"{name} runs on {node}", done, 120)


def wait_ready(installed: Installed) -> None:
    """Wait until the node is as it was."""
    installed.kubectl.run("wait", f"node/{GOES}", "--for=condition=Ready", "--timeout=60s")


@pytest.mark.fault("A17")
def test_a_run_that_its_node_does_not_take_goes_to_another(
    installed: Installed, actors: Workspace
) -> None:
    name = "no-room-any-more"
    with cordoned(installed.kubectl, STAYS), smaller_node(NAME, GOES, ROOM_MBYTES):
        actors.run(name, "sleeper", memoryMbytes=ROOM_MBYTES, input={"seconds": 900})
        actors.assigned_pod(name)
    try:
        wait_on(actors, name, STAYS)
    finally:
        restore_node(NAME, GOES)
    wait_ready(installed)

    assert actors.history().phases(name) == ["READY", "RUNNING"]
    assert actors.status(name)["migrations"] == 1
    assert "NodeRejected" in actors.reasons(name, "PodScheduled")
    actors.wait_events(name, ["Warning/Disrupted"])
    actors.abort(name)
    actors.wait(name, "ABORTED", 60)


@pytest.mark.fault("B15")
def test_a_run_whose_node_is_restarted_goes_on_in_another_pod(
    installed: Installed, actors: Workspace
) -> None:
    name = "restarted"
    with cordoned(installed.kubectl, STAYS):
        actors.run(name, "sleeper", memoryMbytes=128, input={"seconds": 900})
        actors.wait(name, "RUNNING", 60)
    cut_power(NAME, GOES)
    actors.recorder.wait(
        "it runs in its second pod",
        lambda: (
            actors.status(name).get("podName", "").endswith("-2")
            and condition(actors.pod(name) or {}, "Ready").get("status") == "True"
        ),
        180,
    )
    wait_ready(installed)
    installed.kubectl.run(
        "wait", "pods", "--all-namespaces", "--field-selector=metadata.namespace!=default",
        "-l", "app.kubernetes.io/part-of=actor-operator", "--for=condition=Ready",
        "--timeout=120s",
    )  # fmt: skip

    assert actors.history().phases(name) == ["READY", "RUNNING"]
    assert actors.status(name)["migrations"] == 1
    assert "NodeShutdown" in actors.reasons(name, "PodScheduled")
    actors.wait_events(name, ["Warning/Disrupted"])
    actors.abort(name)
    actors.wait(name, "ABORTED", 60)


PENDING_SECONDS = 100
"""The pending limit where the container runtime does not answer."""


@pytest.mark.long
@pytest.mark.fault("A6")
def test_a_run_waits_for_a_container_runtime_that_does_not_answer(
    installed: Installed, actors: Workspace
) -> None:
    limit = f"settings.limits.pendingSeconds={PENDING_SECONDS}"
    install_operator(installed.kubeconfig, *VALUES, limit)
    with cordoned(installed.kubectl, STAYS), frozen_runtime(NAME, GOES):
        actors.run("in-vain", "sleeper", memoryMbytes=128)
        actors.wait("in-vain", "FAILED", 2 * PENDING_SECONDS)
        actors.run("in-time", "sleeper", memoryMbytes=128, input={"seconds": 1})
        time.sleep(PENDING_SECONDS / 4)
        assert actors.phase("in-time") == "READY"
    actors.wait("in-time", "SUCCEEDED", 120)
    wait_ready(installed)
    install_operator(installed.kubeconfig, *VALUES)

    assert actors.history().phases("in-vain") == ["READY", "FAILED"]
    failure = actors.status("in-vain")["failure"]
    assert (failure["reason"], failure["platform"]) == ("RuntimeUnavailable", True)
    actors.wait_events("in-vain", ["Warning/RuntimeUnavailable"])
    assert actors.history().phases("in-time") == ["READY", "RUNNING", "SUCCEEDED"]
    assert json.dumps(actors.events("in-time")) == "[]"
