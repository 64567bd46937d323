"""The API server refuses the operator, or is cut off: it stays, and catches up."""

import json
import time

import pytest
from tests.chart.helm import RELEASE
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.kubectl import Kubectl
from tests.support.fleet import CALLS, Fleet, calm
from tests.support.history import condition, terminated
from tests.support.operators import OperatorProcess
from tests.support.recorder import Recorder
from tests.support.relay import Relay
from tests.support.workspace import Admin, Workspace

pytestmark = pytest.mark.cluster


def test_a_token_that_is_refused_is_read_anew(
    workspace: Workspace, replicas: list[OperatorProcess]
) -> None:
    leader = replicas[0]
    workspace.run("before")
    workspace.wait("before")

    with calm(leader):
        leader.credentials.revoke()
        deadline = time.monotonic() + 30
        while not leader.metric(f'{CALLS}{{code="401"'):
            assert time.monotonic() < deadline, "the token is still good"
            time.sleep(0.5)
        time.sleep(3)
        leader.credentials.rotate()
        workspace.run("afterwards")
        workspace.wait("afterwards", seconds=40)

    assert workspace.phase("afterwards") == "SUCCEEDED"


def test_rights_that_are_taken_away_and_given_back(
    control_plane: ControlPlane, workspace: Workspace, replicas: list[OperatorProcess]
) -> None:
    kubectl = Kubectl(control_plane.kubeconfig)
    workspace.run("before")
    workspace.wait("before")
    binding = kubectl.run("get", "clusterrolebinding", RELEASE, "-o=yaml")

    with calm(*replicas):
        kubectl.run("delete", "clusterrolebinding", RELEASE)
        workspace.run("without-rights")
        time.sleep(6)
        assert workspace.phase("without-rights") == "READY"
        kubectl.run("create", "-f", "-", stdin=binding)
        workspace.wait("without-rights", seconds=40)

    assert workspace.phase("without-rights") == "SUCCEEDED"


def test_a_right_that_is_missing_is_named(
    control_plane: ControlPlane, workspace: Workspace, replicas: list[OperatorProcess]
) -> None:
    kubectl = Kubectl(control_plane.kubeconfig)
    role = json.loads(kubectl.run("get", "clusterrole", RELEASE, "-o=json"))
    del role["metadata"]["resourceVersion"]
    rules = [rule for rule in role["rules"] if rule["resources"] != ["secrets"]]

    with calm(*replicas):
        kubectl.run("replace", "-f", "-", stdin=json.dumps({**role, "rules": rules}))
        time.sleep(0.5)
        workspace.run("without-a-right")
        workspace.wait_reason("without-a-right", "Admitted", "PodRejected")
        waiting = condition({"status": workspace.status("without-a-right")}, "Admitted")
        kubectl.run("replace", "-f", "-", stdin=json.dumps(role))
        workspace.wait("without-a-right", seconds=40)

    assert "administrator must grant it" in waiting["message"]
    assert workspace.phase("without-a-right") == "SUCCEEDED"


def test_cut_connections_are_opened_anew(
    control_plane: ControlPlane, fleet: Fleet, admin: Admin, recorder: Recorder
) -> None:
    for replica in fleet.replicas:
        if replica.running:
            replica.stop()
    with Relay(control_plane.url) as relay:
        replica = fleet.start(server=relay.url)
        try:
            replica.wait_leading()
            workspace = Workspace(admin, recorder)
            workspace.actor("quick")
            names, cut = [], 0
            for number in range(5):
                names.append(workspace.run(f"run-{number}"))
                cut += relay.cut()
                time.sleep(0.3)
            workspace.wait_all(names)
        finally:
            replica.stop()

    assert cut > 5
    assert {workspace.phase(name) for name in names} == {"SUCCEEDED"}


def test_a_timeout_holds_while_no_operator_runs(
    workspace: Workspace, replicas: list[OperatorProcess], fleet: Fleet
) -> None:
    workspace.actor("endless", "endless")
    workspace.run("timed", "endless", timeoutSecs=3)
    workspace.wait("timed", "RUNNING")
    for replica in replicas:
        replica.stop()
    workspace.recorder.wait("the pod has ended", lambda: bool(terminated(workspace.pods()[0])), 30)
    ended = terminated(workspace.pods()[0])["finishedAt"]

    fleet.ensure(1)
    status = workspace.wait("timed")

    assert workspace.history().phases("timed") == ["READY", "RUNNING", "TIMING-OUT", "TIMED-OUT"]
    assert status["finishedAt"] == ended
