"""The API server is away, or refuses the operator: it stays, says so once, and catches up."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.chart.helm import RELEASE
from tests.cluster.operator.conftest import Fleet
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.kubectl import Kubectl
from tests.support.history import condition, terminated
from tests.support.invariants import violations
from tests.support.operators import OperatorProcess, install_rights
from tests.support.recorder import Recorder
from tests.support.relay import Relay
from tests.support.workspace import Admin, Workspace

pytestmark = pytest.mark.cluster

DOWN_SECONDS = 30.0

CALLS_A_SECOND = 10.0
"""More than this, over an outage, is spinning."""

LINES = 25
"""More log lines than this, over an outage of half a minute, are noise."""

CATCH_UP_SECONDS = 20.0
"""From the end of an outage to the first step of a run: the lease, and pauses of up to 10 s."""

CALLS = "actor_operator_api_calls_total"


@contextmanager
def calm(*replicas: OperatorProcess) -> Iterator[None]:
    """Check that replicas live through the body without haste and without noise."""
    begun = time.monotonic()
    calls = [replica.metric(CALLS) for replica in replicas]
    lines = [len(replica.said()) for replica in replicas]
    yield
    seconds = time.monotonic() - begun
    for replica, calls_before, lines_before in zip(replicas, calls, lines, strict=True):
        replica.check()
        assert replica.healthy
        made = replica.metric(CALLS) - calls_before
        assert made < CALLS_A_SECOND * seconds, f"{made:.0f} calls in {seconds:.0f} s"
        said = [line["event"] for line in replica.said()[lines_before:]]
        assert len(said) < LINES, said


def test_a_killed_api_server_is_waited_for(
    control_plane: ControlPlane,
    workspace: Workspace,
    replicas: list[OperatorProcess],
    report: Callable[[str], None],
) -> None:
    workspace.actor("endless", "endless")
    names = [workspace.run(f"long-{number}", "endless") for number in range(5)]
    for name in names:
        workspace.wait(name, "RUNNING")

    with calm(*replicas):
        control_plane.kill_api_server()
        time.sleep(DOWN_SECONDS)
        control_plane.start_api_server()
        back = time.monotonic()
        workspace.run("afterwards")
        recorder = workspace.recorder
        pods = len(names) + 1
        recorder.wait("the next pod is made", lambda: len(workspace.pods()) == pods)
        seconds = time.monotonic() - back
        # Scheduler and simulated kubelets come back half a minute later.
        for name in names:
            workspace.end_pod(name)
        workspace.abort("afterwards")
        workspace.wait_all([*names, "afterwards"])

    report(f"API server away for {DOWN_SECONDS:.0f} s → next pod made {seconds:.1f} s after")
    assert seconds < CATCH_UP_SECONDS
    assert all(workspace.phase(name) == "SUCCEEDED" for name in names)


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
            for number in range(10):
                names.append(workspace.run(f"run-{number}"))
                cut += relay.cut()
                time.sleep(0.3)
            workspace.wait_all(names)
        finally:
            replica.stop()

    assert cut > 10
    assert violations(workspace.history()) == []
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


def test_an_operator_that_starts_before_its_kinds_exist_waits_for_them(tmp_path: Path) -> None:
    with ControlPlane(simulated_nodes=1) as empty:
        install_rights(empty, without=frozenset({"CustomResourceDefinition"}))
        fleet = Fleet(empty, tmp_path)
        replica = fleet.start()
        try:
            with calm(replica):
                time.sleep(8)
                install_rights(empty)
                replica.wait_leading()
            with Recorder(empty, tmp_path / "history.jsonl") as recorder:
                workspace = Workspace(Admin(empty), recorder)
                workspace.actor("quick")
                workspace.run("first")
                assert workspace.wait("first")["phase"] == "SUCCEEDED"
                workspace.admin.close()
        finally:
            fleet.stop()
