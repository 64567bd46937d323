"""An operator whose CRDs were not upgraded with it: the API server drops its newest fields."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.audit import AuditLog
from tests.support.fleet import Fleet
from tests.support.history import Object
from tests.support.invariants import violations
from tests.support.older import NEWEST, older_crds
from tests.support.operators import USER, install_rights
from tests.support.recorder import Recorder
from tests.support.rest import GROUP_PATH
from tests.support.workspace import Admin, Workspace

pytestmark = pytest.mark.cluster

QUIET_SECONDS = 5.0
"""For so long nobody may write when nothing happens."""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    return AuditLog(tmp_path_factory.mktemp("older"), USER)


@pytest.fixture(scope="module")
def older_control_plane(audit: AuditLog) -> Iterator[ControlPlane]:
    """A cluster with today's chart and older CRDs."""
    with ExitStack() as stack:
        plane = ControlPlane(simulated_nodes=1, extra={"kube-apiserver": audit.flags})
        try:
            stack.enter_context(plane)
        except ClusterToolError as error:
            pytest.skip(f"no control plane: {error}")
        kubectl = Kubectl(plane.kubeconfig)
        for crd in older_crds():
            kubectl.apply(json.dumps(crd))
        kubectl.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        install_rights(plane, without=frozenset({"CustomResourceDefinition"}))
        yield plane


@pytest.fixture(scope="module")
def older(
    older_control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    """A namespace there, with an operator."""
    folder: Path = tmp_path_factory.mktemp("operator")
    fleet = Fleet(older_control_plane, folder)
    admin = Admin(older_control_plane)
    with Recorder(older_control_plane, folder / "history.jsonl") as recorder:
        try:
            fleet.ensure(1)
            workspace = Workspace(admin, recorder)
            workspace.actor("quick")
            workspace.actor("endless", "endless")
            workspace.actor("failing", "simulate-1s-exit-3")
            yield workspace
        finally:
            fleet.stop()
            admin.close()


def _run_of(pod: Object) -> str:
    return str(pod["metadata"]["labels"]["actor-operator.dev/run"])


def test_the_api_server_does_drop_the_newest_fields(older: Workspace) -> None:
    older.run("pruned")
    older.wait("pruned", {"SUCCEEDED"})
    patch = {"status": {"admittedAt": "2026-11-22T09:00:00Z"}}

    older.admin.must(
        "PATCH",
        older.path("actorruns", "pruned") + "/status",
        patch,
        content_type="application/merge-patch+json",
    )

    assert "status.admittedAt" in NEWEST["actorruns"]
    assert "admittedAt" not in older.status("pruned")


def test_runs_end_as_ever(older: Workspace) -> None:
    older.run("succeeds")
    older.run("fails", "failing")
    older.run("is-aborted", "endless")
    older.run("times-out", "endless", timeoutSecs=2)
    older.wait("is-aborted", {"RUNNING"})
    older.abort("is-aborted")

    ends = {
        name: older.wait(name)["phase"] for name in ("succeeds", "fails", "is-aborted", "times-out")
    }

    assert ends == {
        "succeeds": "SUCCEEDED",
        "fails": "FAILED",
        "is-aborted": "ABORTED",
        "times-out": "TIMED-OUT",
    }


def test_a_run_migrates(older: Workspace) -> None:
    older.run("moves", "endless")
    older.wait("moves", {"RUNNING"})
    first = older.status("moves")["podName"]

    older.delete("pods", first, core=True)
    older.recorder.wait(
        "the run has another pod",
        lambda: (
            older.status("moves")["podName"] != first
            and any(p["metadata"]["name"] == older.status("moves")["podName"] for p in older.pods())
        ),
        90,
    )

    assert older.status("moves")["migrations"] == 1
    older.abort("moves")
    older.wait("moves", {"ABORTED"})


def test_a_reboot_that_cannot_be_counted_harms_no_run(older: Workspace) -> None:
    older.actor("eight-seconds", "simulate-8s")
    older.run("rebooted", "eight-seconds")
    older.wait("rebooted", {"RUNNING"})

    older.patch("rebooted", {"spec": {"reboot": {"attempt": 1, "count": 1}}})

    assert older.wait("rebooted", seconds=30)["phase"] == "SUCCEEDED"
    names = {p["metadata"]["name"] for p in older.pods() if _run_of(p) == "rebooted"}
    assert len(names) == 1


def test_a_run_that_fails_is_not_started_again_without_end(older: Workspace) -> None:
    older.run("restarted", "failing", restartOnError=True)

    assert older.wait("restarted")["phase"] == "FAILED"


def test_runs_wait_for_their_accounts_memory_one_after_the_other(older: Workspace) -> None:
    accounts = f"{GROUP_PATH}/actoraccounts"
    body = {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorAccount",
        "metadata": {"name": older.namespace},
        "spec": {"memoryLimitMbytes": 256},
    }
    older.admin.must("POST", accounts, body)
    names = [older.run(f"queued-{number}", memoryMbytes=256) for number in range(5)]

    older.wait_all(names)

    assert {older.phase(name) for name in names} == {"SUCCEEDED"}
    account = older.admin.must("GET", f"{accounts}/{older.namespace}")
    assert account["status"]["observedGeneration"] == 1
    assert "memoryLimitMbytes" not in account["status"]
    older.admin.must("DELETE", f"{accounts}/{older.namespace}")


def test_nobody_writes_when_nothing_happens(older: Workspace, audit: AuditLog) -> None:
    older.run("goes-on", "endless")
    older.wait("goes-on", {"RUNNING"})
    # What is seen in a watch may still be on its way to the audit log, or be cleared up.
    time.sleep(2)

    since = time.time()
    time.sleep(QUIET_SECONDS)

    found = [e for e in audit.writes(older.namespace) if e.answered >= since]
    assert [e for e in found if e.resource != "events"] == []


def test_nothing_in_all_of_this_was_against_the_rules(older: Workspace) -> None:
    assert violations(older.history()) == []
