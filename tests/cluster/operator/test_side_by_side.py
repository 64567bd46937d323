"""An installation of some namespaces beside that of the whole cluster, each with its own rights."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.operator.conftest import MakeWorkspace
from tests.cluster_tool.control_plane import ControlPlane
from tests.support.audit import AuditLog
from tests.support.operators import (
    OTHER_NAMESPACE,
    OTHER_USER,
    USER,
    Credentials,
    OperatorProcess,
    chart_settings,
    install_rights,
)
from tests.support.workspace import Workspace

pytestmark = pytest.mark.cluster

CLAIM = {"actor-operator.dev/install": OTHER_NAMESPACE}
"""Label of the namespaces of the other installation."""

RUNS = "actor_operator_runs{"
"""Metric: runs that exist."""

ENDS = {
    "succeeds": "SUCCEEDED",
    "times-out": "TIMED-OUT",
    "aborted-at-once": "ABORTED",
    "aborted-gracefully": "ABORTED",
}
"""How each run ends."""


@pytest.fixture
def claimed(make_workspace: MakeWorkspace) -> Workspace:
    """A namespace that the other installation has claimed."""
    return make_workspace(labels=CLAIM)


@pytest.fixture
def beside(
    control_plane: ControlPlane, replicas: list[OperatorProcess], claimed: Workspace, folder: Path
) -> Iterator[OperatorProcess]:
    """The operator of the other installation, beside the two of the whole cluster."""
    values = (
        f"--set-json=settings.namespaces={json.dumps([claimed.namespace])}",
        "--set=crds.install=false",
    )
    kinds = frozenset({"CustomResourceDefinition"})
    install_rights(control_plane, *values, namespace=OTHER_NAMESPACE, without=kinds)
    credentials = Credentials(
        control_plane, f"beside-{claimed.namespace}", folder, namespace=OTHER_NAMESPACE
    )
    settings = chart_settings(*values, namespace=OTHER_NAMESPACE)
    process = OperatorProcess(f"beside-{claimed.namespace}", credentials, settings, folder)
    try:
        process.wait_ready()
        process.wait_leading()
        yield process
    finally:
        process.stop()


def work(workspace: Workspace) -> None:
    """A run for each way in which the operator ends one, and one that goes at once."""
    workspace.actor("endless", image="endless")
    workspace.run("succeeds")
    workspace.run("goes", ttlSecondsAfterFinished=1)
    workspace.run("times-out", actor="endless", timeoutSecs=1)
    for name, mode in (("aborted-at-once", "Immediate"), ("aborted-gracefully", "Graceful")):
        workspace.run(name, actor="endless")
        workspace.wait(name, "RUNNING")
        workspace.abort(name, mode)


def wait_gone(workspace: Workspace, name: str) -> None:
    workspace.recorder.wait(f"run {name} is gone", lambda: not workspace.phase(name))


def test_each_works_in_its_own_namespaces_with_its_own_rights(
    beside: OperatorProcess, workspace: Workspace, claimed: Workspace, audit: AuditLog
) -> None:
    for place in (workspace, claimed):
        work(place)
    for place in (workspace, claimed):
        place.wait_all(ENDS)
        wait_gone(place, "goes")

    phases = {place.namespace: {n: place.phase(n) for n in ENDS} for place in (workspace, claimed)}
    assert phases == {workspace.namespace: ENDS, claimed.namespace: ENDS}
    assert {e.user for e in audit.writes(workspace.namespace)} == {USER}
    assert {e.user for e in audit.writes(claimed.namespace)} == {OTHER_USER}
    refused = [e for e in audit.entries() if e.user == OTHER_USER and e.code == 403]
    assert refused == []


def test_a_run_of_a_claimed_namespace_is_counted_by_its_own_installation_alone(
    beside: OperatorProcess, claimed: Workspace, replicas: list[OperatorProcess]
) -> None:
    leader = next(replica for replica in replicas if replica.leads)
    elsewhere = leader.metric(RUNS)

    claimed.run("counted")
    claimed.wait("counted")

    assert beside.metric(RUNS) == 1
    assert leader.metric(RUNS) == elsewhere
