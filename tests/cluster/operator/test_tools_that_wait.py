"""Tools that wait for runs: Helm, which follows the conditions of kstatus, and kubectl."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.chart.helm import ROOT, HelmError
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import CommandError
from tests.support.tools import Tools
from tests.support.workspace import Workspace

pytestmark = pytest.mark.cluster

EXAMPLE = ROOT / "manifests" / "gitops" / "chart"
"""A chart that holds a run."""

PATIENCE = "--timeout=100s"
"""For how long the tools would wait; when that is over, they say so in words of their own."""


@pytest.fixture
def tools(control_plane: ControlPlane, workspace: Workspace) -> Tools:
    return Tools(control_plane, workspace.namespace)


def _install(tools: Tools, actor: str, *arguments: str) -> str:
    """Install the example, or upgrade it, and wait for its run."""
    values = (f"--set=run.actor={actor}", "--set=run.timeoutSecs=0", *arguments)
    return tools.helm("upgrade", "--install", "report", str(EXAMPLE), "--wait", PATIENCE, *values)


def _runs(tools: Tools) -> dict[str, str]:
    """The phase of each run of the namespace."""
    found = json.loads(tools.kubectl("get", "actorruns", "-o=json"))["items"]
    return {run["metadata"]["name"]: run["status"]["phase"] for run in found}


# Helm


def test_helm_waits_until_the_run_of_a_release_has_succeeded(
    tools: Tools, workspace: Workspace
) -> None:
    workspace.actor("short", "simulate-2s")

    said = _install(tools, "short")

    assert "STATUS: deployed" in said
    assert list(_runs(tools).values()) == ["SUCCEEDED"]


def test_an_upgrade_with_the_same_values_leaves_the_finished_run_alone(
    tools: Tools, workspace: Workspace
) -> None:
    _install(tools, "quick")
    (name,) = _runs(tools)
    before = tools.get("actorruns", name)

    _install(tools, "quick")

    assert tools.get("actorruns", name) == before


def test_an_upgrade_with_other_values_makes_another_run_and_waits_for_it(
    tools: Tools, workspace: Workspace
) -> None:
    _install(tools, "quick")
    (first,) = _runs(tools)

    _install(tools, "quick", "--set=run.input.message=again")

    ((second, phase),) = _runs(tools).items()
    assert (second != first, phase) == (True, "SUCCEEDED")


def test_helm_fails_with_the_cause_as_soon_as_the_run_has_failed(
    tools: Tools, workspace: Workspace
) -> None:
    workspace.actor("wrong", "simulate-1s-exit-3")

    with pytest.raises(HelmError) as failure:
        _install(tools, "wrong")

    (name,) = _runs(tools)
    said = str(failure.value)
    assert f"resource ActorRun/{workspace.namespace}/{name} not ready. status: Failed" in said
    assert "message: The actor ended with exit code 3." in said
    assert "deadline exceeded" not in said


def test_helm_fails_as_soon_as_somebody_aborts_the_run(tools: Tools, workspace: Workspace) -> None:
    workspace.actor("endless", "endless")
    with ThreadPoolExecutor(1) as pool:
        installing = pool.submit(_install, tools, "endless")
        workspace.recorder.wait("a run", lambda: bool(_runs(tools)), 60)
        (name,) = _runs(tools)
        workspace.wait(name, {"RUNNING"})
        workspace.abort(name)
        failure = installing.exception()

    assert isinstance(failure, HelmError)
    assert "status: Failed" in str(failure)
    assert "deadline exceeded" not in str(failure)


# kubectl wait


@pytest.mark.parametrize(
    ("image", "succeeded"), [("simulate-1s", "True"), ("simulate-1s-exit-3", "False")]
)
def test_kubectl_waits_for_the_end_and_tells_how_it_was(
    tools: Tools, workspace: Workspace, image: str, succeeded: str
) -> None:
    workspace.actor("ending", image)
    workspace.run("waited-for", "ending")

    tools.kubectl("wait", "actorrun/waited-for", "--for=condition=Finished", PATIENCE)

    # It is decided by then: this waits no more.
    condition = f"--for=condition=Succeeded={succeeded}"
    tools.kubectl("wait", "actorrun/waited-for", condition, "--timeout=1s")


def test_kubectl_does_not_take_a_run_that_failed_for_one_that_succeeded(
    tools: Tools, workspace: Workspace
) -> None:
    workspace.actor("wrong", "simulate-exit-3")
    workspace.run("fails", "wrong")
    workspace.wait("fails")

    with pytest.raises(CommandError, match="timed out"):
        tools.kubectl("wait", "actorrun/fails", "--for=condition=Succeeded", "--timeout=1s")


def test_kubectl_waits_for_the_end_of_the_next_attempt_after_a_resurrection(
    tools: Tools, workspace: Workspace
) -> None:
    workspace.actor("short", "simulate-2s")
    workspace.run("again", "short")
    workspace.wait("again")

    workspace.patch("again", {"spec": {"resurrect": {"attempt": 2}}})
    tools.kubectl("wait", "actorrun/again", "--for=condition=Finished", PATIENCE)

    status = tools.get("actorruns", "again")["status"]
    assert (status["attempt"], status["phase"]) == (2, "SUCCEEDED")
