"""Runs, and whole namespaces, that are deleted while they run."""

import time

import pytest
from tests.support.history import POD, SECRET
from tests.support.operators import OperatorProcess
from tests.support.workspace import Workspace

pytestmark = pytest.mark.cluster


def test_the_children_of_a_deleted_run_go_with_it(workspace: Workspace) -> None:
    workspace.actor("endless", "endless")
    workspace.run("deleted", "endless")
    workspace.wait("deleted", "RUNNING")

    workspace.delete("actorruns", "deleted")

    recorder, namespace = workspace.recorder, workspace.namespace
    recorder.wait(
        "its pod and Secret are gone",
        lambda: not recorder.all(POD, namespace) and not recorder.all(SECRET, namespace),
        30,
    )


@pytest.mark.fault("A14")
def test_a_namespace_goes_with_its_runs_and_the_operator_does_not_mind(
    workspace: Workspace, replicas: list[OperatorProcess]
) -> None:
    workspace.actor("endless", "endless")
    names = [workspace.run(f"run-{number}", "endless") for number in range(3)]
    for name in names:
        workspace.wait(name, "RUNNING")
    before = len(replicas[0].said())

    workspace.admin.must("DELETE", f"/api/v1/namespaces/{workspace.namespace}")
    path = f"/api/v1/namespaces/{workspace.namespace}"
    deadline = time.monotonic() + 60
    while workspace.admin.call("GET", path).accepted:
        assert time.monotonic() < deadline, "the namespace does not go"
        time.sleep(0.2)

    workspace.recorder.wait("its pods are gone", lambda: not workspace.pods(), 10)
    assert len(workspace.recorder.history(workspace.namespace).objects(POD)) == len(names)
    replicas[0].check()
    assert len(replicas[0].said()) - before < 10
