"""Nobody is there when a run's time is up: the kubelet stops it, and the verdict comes later."""

import pytest
from tests.node.conftest import Installed
from tests.support.history import terminated
from tests.support.installation import NAMESPACE, REGISTRY, RELEASE
from tests.support.workspace import Workspace

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]

OPERATOR_PODS = "app.kubernetes.io/name=actor-operator"
"""Label of the operator's pods."""


@pytest.mark.fault("B18")
def test_a_run_whose_time_is_up_while_no_operator_runs_ended_when_its_pod_did(
    installed: Installed, workspace: Workspace
) -> None:
    workspace.actor("sleeper", f"{REGISTRY}/sleeper:1")
    workspace.run("timed", "sleeper", memoryMbytes=128, timeoutSecs=10)
    workspace.wait("timed", "RUNNING")

    scale(installed, 0)
    workspace.recorder.wait("the pod has ended", lambda: bool(terminated(pod_of(workspace))), 90)
    ended = terminated(pod_of(workspace))
    assert workspace.phase("timed") == "RUNNING", "nobody is there to tell"
    scale(installed, 2)
    status = workspace.wait("timed", "TIMED-OUT", 120)

    phases = workspace.history().phases("timed")
    assert phases == ["READY", "RUNNING", "TIMING-OUT", "TIMED-OUT"]
    assert status["finishedAt"] == ended["finishedAt"]
    assert status["exitCode"] == ended["exitCode"] == 143
    workspace.wait_events("timed", ["Warning/TimingOut", "Warning/TimedOut"])


def scale(installed: Installed, replicas: int) -> None:
    """Have so many replicas of the operator, and wait until it is so."""
    kubectl, here = installed.kubectl, f"--namespace={NAMESPACE}"
    kubectl.run(here, "scale", f"deployment/{RELEASE}", f"--replicas={replicas}")
    if replicas:
        kubectl.run(here, "rollout", "status", f"deployment/{RELEASE}", "--timeout=120s")
    else:
        kubectl.run(here, "wait", "--for=delete", "pod", "-l", OPERATOR_PODS, "--timeout=60s")


def pod_of(workspace: Workspace) -> dict[str, object]:
    """The pod of the only run."""
    return workspace.pod("timed") or {}
