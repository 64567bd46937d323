"""Finished runs and their pods go in time: garbage collection and preconditions are real here."""

import pytest
from tests.support.audit import AuditLog
from tests.support.history import POD, RUN
from tests.support.invariants_retention import removed_early
from tests.support.rest import GROUP_PATH, MERGE_PATCH
from tests.support.workspace import Workspace

pytestmark = pytest.mark.cluster

FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps"}


def names(workspace: Workspace, kind: str = RUN) -> set[str]:
    return {
        found["metadata"]["name"] for found in workspace.recorder.all(kind, workspace.namespace)
    }


def test_finished_runs_go_with_their_pods_and_the_newest_stay(
    workspace: Workspace, audit: AuditLog
) -> None:
    workspace.account(retention={"ttlSecondsAfterFinished": 3, "keepLast": 2})
    for number in range(5):
        workspace.run(f"run-{number}")
        workspace.wait(f"run-{number}")
    workspace.recorder.wait("three are gone", lambda: len(names(workspace)) == 2)
    workspace.recorder.wait("their pods, too", lambda: len(names(workspace, POD)) == 2)

    assert removed_early(workspace.history(), ttl=3) == []
    deletions = [e for e in audit.writes(workspace.namespace) if e.verb == "delete"]
    removed = [e for e in deletions if e.resource == "actorruns"]
    assert len({e.name for e in removed}) == len(removed) == 3
    assert {e.code for e in removed} == {200}
    assert not [e for e in deletions if e.resource == "pods"]


def test_an_account_that_changes_its_mind_is_heard(workspace: Workspace) -> None:
    workspace.account(retention={"keepLast": 0})
    workspace.run("old")
    workspace.wait("old")

    path = f"{GROUP_PATH}/actoraccounts/{workspace.namespace}"
    shorter = {"spec": {"retention": {"ttlSecondsAfterFinished": 1}}}
    workspace.admin.must("PATCH", path, shorter, content_type=MERGE_PATCH)

    workspace.recorder.wait("it is gone", lambda: names(workspace) == set())
    assert removed_early(workspace.history(), ttl=1) == []


def test_a_finished_run_goes_when_it_is_given_a_time_unless_a_tool_owns_it(
    workspace: Workspace,
) -> None:
    workspace.account(retention={"ttlSecondsAfterFinished": 1, "keepLast": 0})
    workspace.run("stays", ttlSecondsAfterFinished=3600)
    workspace.run("owned", ttlSecondsAfterFinished=3600)
    workspace.patch("owned", {"metadata": {"labels": FLUX}})
    workspace.run("goes", ttlSecondsAfterFinished=3600)
    workspace.wait_all(["stays", "owned", "goes"])

    workspace.patch("owned", {"spec": {"ttlSecondsAfterFinished": None}})
    workspace.patch("goes", {"spec": {"ttlSecondsAfterFinished": 0}})
    workspace.recorder.wait("the one is gone", lambda: names(workspace) == {"owned", "stays"})

    assert removed_early(workspace.history(), ttl=1) == []
    assert names(workspace) == {"owned", "stays"}
