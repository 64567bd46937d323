"""Runs, and whole namespaces, that are deleted while they run; ends that meet aborts."""

import threading
import time

import pytest
from tests.support.history import POD, SECRET
from tests.support.operators import OperatorProcess
from tests.support.rest import MERGE_PATCH
from tests.support.workspace import Admin, Workspace

pytestmark = pytest.mark.cluster

RACES = 20

SPREAD = 0.6
"""Seconds between the first and the last abort, around the end of the containers."""


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
    replicas[0].check()
    assert len(replicas[0].said()) - before < 10


def test_of_an_abort_and_the_natural_end_one_wins_and_the_other_leaves_no_trace(
    workspace: Workspace,
) -> None:
    workspace.actor("second", "simulate-1s")
    names = [workspace.run(f"race-{number}", "second") for number in range(RACES)]
    aborts = [
        threading.Timer(1.0 + SPREAD * number / RACES, abort_unless_gone, (workspace, name))
        for number, name in enumerate(names)
    ]
    workspace.wait(names[0], ["RUNNING", "SUCCEEDED"])
    for abort in aborts:
        abort.start()
    for abort in aborts:
        abort.join()
    workspace.wait_all(names)

    history = workspace.history()
    paths = {" ".join(history.phases(name)) for name in names}
    assert paths <= {"READY RUNNING SUCCEEDED", "READY RUNNING ABORTING ABORTED"}


def abort_unless_gone(workspace: Workspace, name: str) -> None:
    """Ask for an abort; one that comes after the end changes nothing."""
    body = {"spec": {"abort": {"attempt": 1, "mode": "Immediate"}}}
    path = workspace.path("actorruns", name)
    own = Admin(workspace.admin.control_plane)  # one connection a thread
    own.call("PATCH", path, body, content_type=MERGE_PATCH)
    own.close()
