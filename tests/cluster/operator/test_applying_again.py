"""GitOps: whoever applies the manifest of a run again changes nothing and meets no conflict."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.cluster_tool.control_plane import ControlPlane
from tests.support.argocd import health
from tests.support.history import Object
from tests.support.tools import Tools
from tests.support.workspace import Workspace

pytestmark = pytest.mark.cluster


@pytest.fixture
def tools(control_plane: ControlPlane, workspace: Workspace) -> Tools:
    return Tools(control_plane, workspace.namespace)


def _manifest(actor: str) -> Object:
    """A run as it stands in Git: no request, no field that has its default."""
    return {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "metadata": {"name": "from-git", "labels": {"team": "one"}},
        "spec": {"actor": actor, "memoryMbytes": 256, "input": {"message": "Git", "list": [1]}},
    }


def _succeed(workspace: Workspace) -> None:
    workspace.wait("from-git", {"SUCCEEDED"})


def _fail(workspace: Workspace) -> None:
    workspace.wait("from-git", {"FAILED"})


def _run(workspace: Workspace) -> None:
    workspace.wait("from-git", {"RUNNING"})


def _abort(workspace: Workspace) -> None:
    _run(workspace)
    workspace.abort("from-git")
    workspace.wait("from-git", {"ABORTED"})


def _resurrect(workspace: Workspace) -> None:
    _succeed(workspace)
    request = {"attempt": 2, "memoryMbytes": 512}
    workspace.patch("from-git", {"spec": {"resurrect": request}})
    workspace.recorder.wait(
        "the second attempt has ended",
        lambda: (
            (workspace.status("from-git")["attempt"], workspace.phase("from-git"))
            == (2, "SUCCEEDED")
        ),
        60,
    )


def _reboot(workspace: Workspace) -> None:
    _run(workspace)
    workspace.patch("from-git", {"spec": {"reboot": {"attempt": 1, "count": 1}}})
    workspace.recorder.wait(
        "the pod is another one",
        lambda: workspace.status("from-git").get("stats", {}).get("rebootCount") == 1,
        60,
    )


LIVES: dict[str, tuple[str, Callable[[Workspace], None]]] = {
    "running": ("endless", _run),
    "succeeded": ("quick", _succeed),
    "failed": ("wrong", _fail),
    "aborted": ("endless", _abort),
    "resurrected": ("quick", _resurrect),
    "rebooted": ("endless", _reboot),
}
"""What happens to the run before its manifest is applied again."""


def _calm(tools: Tools, workspace: Workspace) -> Object:
    """The run once the operator has said its last word."""

    def settled() -> bool:
        found = tools.get("actorruns", "from-git")
        status = found["status"]
        return status["observedGeneration"] == found["metadata"]["generation"] and (
            not status["finished"] or not status.get("cleanup")
        )

    workspace.recorder.wait("the run is settled", settled, 60)
    return tools.get("actorruns", "from-git")


def _prepare(workspace: Workspace) -> None:
    workspace.actor("endless", "endless")
    workspace.actor("wrong", "simulate-exit-3")


@pytest.mark.parametrize("life", sorted(LIVES))
def test_kubectl_apply_changes_nothing_of_a_run_that_is(
    tools: Tools, workspace: Workspace, life: str
) -> None:
    actor, live = LIVES[life]
    _prepare(workspace)
    tools.apply(_manifest(actor))
    live(workspace)
    before = _calm(tools, workspace)

    said = tools.apply(_manifest(actor))

    assert said.endswith("unchanged")
    assert tools.get("actorruns", "from-git") == before


@pytest.mark.parametrize("life", sorted(LIVES))
def test_two_managers_apply_without_a_conflict_to_a_run_that_is(
    tools: Tools, workspace: Workspace, life: str
) -> None:
    actor, live = LIVES[life]
    _prepare(workspace)
    one, two = (("--server-side", f"--field-manager={name}") for name in ("one", "two"))
    tools.apply(_manifest(actor), *one)
    tools.apply(_manifest(actor), *two)
    live(workspace)
    before = _calm(tools, workspace)

    for manager in (one, two):
        tools.apply(_manifest(actor), *manager)

    assert tools.get("actorruns", "from-git") == before


def test_the_operator_owns_the_status_and_nothing_else(tools: Tools, workspace: Workspace) -> None:
    tools.apply(_manifest("quick"), "--server-side")
    _succeed(workspace)

    found = tools.kubectl("get", "actorrun", "from-git", "--show-managed-fields", "-o=json")

    owned = _owned_by_the_operator(found)
    assert owned == [("status", {"f:status"})]


def _owned_by_the_operator(text: str) -> list[tuple[str, set[str]]]:
    """Subresource, and the fields at the top, of each entry of the operator."""
    entries: list[dict[str, Any]] = json.loads(text)["metadata"]["managedFields"]
    return [
        (entry.get("subresource", ""), set(entry["fieldsV1"]))
        for entry in entries
        if entry["manager"] == "actor-operator"
    ]


def test_a_manager_that_names_a_request_owns_it_and_may_take_it_back(
    tools: Tools, workspace: Workspace
) -> None:
    _prepare(workspace)
    manifest = _manifest("endless")
    tools.apply(manifest, "--server-side")
    _run(workspace)
    request = {**manifest, "spec": {**manifest["spec"], "abort": {"attempt": 1}}}
    tools.apply(request, "--server-side")
    workspace.wait("from-git", {"ABORTED"})

    tools.apply(manifest, "--server-side")

    found = _calm(tools, workspace)
    assert "abort" not in found["spec"]
    assert found["status"]["phase"] == "ABORTED"


# Argo CD


@pytest.mark.parametrize(
    ("life", "verdict"),
    [
        ("running", ("Progressing", "RUNNING")),
        ("succeeded", ("Healthy", "The actor ended with exit code 0.")),
        ("failed", ("Degraded", "FAILED: The actor ended with exit code 3.")),
        ("aborted", ("Degraded", "ABORTED: The run was aborted.")),
    ],
)
def test_argo_cds_health_check_follows_a_run_that_is(
    tools: Tools, workspace: Workspace, life: str, verdict: tuple[str, str]
) -> None:
    actor, live = LIVES[life]
    _prepare(workspace)
    tools.apply(_manifest(actor))
    live(workspace)

    assert health(_calm(tools, workspace)) == verdict


def test_argo_cds_health_check_takes_an_actor_for_healthy(
    tools: Tools, workspace: Workspace
) -> None:
    tools.kubectl("wait", "actor/quick", "--for=condition=Ready", "--timeout=30s")

    assert health(tools.get("actors", "quick"))[0] == "Healthy"
