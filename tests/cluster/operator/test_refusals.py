"""The API server does not take a pod: for good, or until there is room."""

import time

import pytest
from tests.cluster.operator.conftest import MakeWorkspace
from tests.support.fleet import Fleet
from tests.support.history import condition
from tests.support.workspace import Workspace

pytestmark = pytest.mark.cluster

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
"""Labels of a namespace in which no container may be root."""


@pytest.fixture(scope="module")
def strict(fleet: Fleet, make_workspace: MakeWorkspace) -> Workspace:
    """A namespace whose Pod Security forbids what run pods ask for."""
    fleet.ensure(2)
    return make_workspace(labels=RESTRICTED)


@pytest.fixture(scope="module")
def small(fleet: Fleet, make_workspace: MakeWorkspace) -> Workspace:
    """A namespace in which no container may have more than 256 MiB."""
    fleet.ensure(2)
    workspace = make_workspace()
    limit = {"type": "Container", "max": {"memory": "256Mi"}}
    body = {"metadata": {"name": "small"}, "spec": {"limits": [limit]}}
    workspace.admin.must("POST", workspace.path("limitranges", core=True), body)
    return workspace


@pytest.fixture(scope="module")
def narrow(fleet: Fleet, make_workspace: MakeWorkspace) -> Workspace:
    """A namespace with room for one pod."""
    fleet.ensure(2)
    workspace = make_workspace()
    body = {"metadata": {"name": "narrow"}, "spec": {"hard": {"pods": "1"}}}
    workspace.admin.must("POST", workspace.path("resourcequotas", core=True), body)
    workspace.actor("endless", "endless")
    return workspace


@pytest.mark.parametrize(
    ("namespace", "sentence"),
    [
        pytest.param(
            "strict",
            'violates PodSecurity "restricted:latest"',
            marks=pytest.mark.fault("A8"),
            id="Pod Security",
        ),
        pytest.param(
            "small", "maximum memory usage", marks=pytest.mark.fault("A9"), id="a LimitRange"
        ),
    ],
)
def test_a_run_fails_at_once_when_its_pod_is_refused_by(
    request: pytest.FixtureRequest, namespace: str, sentence: str
) -> None:
    workspace: Workspace = request.getfixturevalue(namespace)
    workspace.run("refused")

    status = workspace.wait("refused", seconds=10)

    assert workspace.history().phases("refused") == ["READY", "FAILED"]
    assert status["failure"]["reason"] == "PodRejected"
    assert sentence in status["failure"]["message"]
    assert condition({"status": status}, "Admitted")["reason"] == "PodRejected"
    assert workspace.pods() == []
    workspace.wait_events("refused", ["Warning/PodRejected"])


def test_a_smaller_run_is_taken_where_a_limit_range_refused_the_larger(small: Workspace) -> None:
    small.run("fits", memoryMbytes=256)

    assert small.wait("fits")["phase"] == "SUCCEEDED"


@pytest.mark.fault("A10")
def test_a_run_waits_while_the_quota_is_used_up_and_starts_when_there_is_room(
    narrow: Workspace,
) -> None:
    narrow.run("first", "endless")
    narrow.wait("first", "RUNNING")
    wait_until_counted(narrow)
    narrow.run("second")
    narrow.run("third", whenMemoryExceeded="Wait")
    narrow.wait_reason("second", "Admitted", "QuotaExceeded")
    waiting = condition({"status": narrow.status("second")}, "Admitted")

    narrow.abort("third")
    narrow.wait("third", "ABORTED")
    narrow.abort("first")
    narrow.wait("second", "SUCCEEDED")

    assert waiting["status"] == "False"
    assert "exceeded quota: narrow" in waiting["message"]
    assert narrow.history().phases("second") == ["READY", "RUNNING", "SUCCEEDED"]
    assert narrow.history().phases("third") == ["READY", "ABORTING", "ABORTED"]


def wait_until_counted(workspace: Workspace) -> None:
    """Wait until the quota knows of a pod: a new one does not count what comes at once."""
    path = workspace.path("resourcequotas", "narrow", core=True)
    deadline = time.monotonic() + 30
    while workspace.admin.must("GET", path)["status"].get("used", {}).get("pods") != "1":
        assert time.monotonic() < deadline, "the quota does not count"
        time.sleep(0.1)
