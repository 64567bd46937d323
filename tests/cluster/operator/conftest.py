"""One control plane with simulated nodes for all tests of the running operator, and its replicas.

The operator runs as the real command with the chart's settings, roles and policies, by tokens of
the chart's service account. Whatever is committed is recorded, and judged after each test by all
invariants; one that a test breaks on purpose is named by its marker `breaks`.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.support.audit import AuditLog
from tests.support.fleet import Fleet
from tests.support.judge import Judge
from tests.support.operators import OTHER_USER, USER, OperatorProcess, install_rights
from tests.support.recorder import Recorder
from tests.support.workspace import Admin, Workspace

SIMULATED_NODES = 3


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where logs and recordings go."""
    return tmp_path_factory.mktemp("operator")


@pytest.fixture(scope="session")
def audit(folder: Path) -> AuditLog:
    """What operators asked the API server."""
    return AuditLog(folder, USER, OTHER_USER)


@pytest.fixture(scope="session")
def control_plane(audit: AuditLog) -> Iterator[ControlPlane]:
    """A control plane with all that the chart installs but the operator's pods."""
    plane = ControlPlane(simulated_nodes=SIMULATED_NODES, extra={"kube-apiserver": audit.flags})
    try:
        plane.start()
    except ClusterToolError as error:
        plane.stop()
        pytest.skip(f"no control plane: {error}")
    try:
        install_rights(plane)
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def recorder(control_plane: ControlPlane, folder: Path) -> Iterator[Recorder]:
    """Records everything that is committed."""
    with Recorder(control_plane, folder / "history.jsonl") as recorder:
        yield recorder


@pytest.fixture(scope="module", autouse=True)
def judge(recorder: Recorder) -> Judge:
    """Judges what is recorded from now on."""
    return Judge(recorder)


@pytest.fixture(autouse=True)
def judged(judge: Judge, recorder: Recorder, request: pytest.FixtureRequest) -> Iterator[None]:
    """Judges what was committed since the last test."""
    sys.stdout.write(f"All that is committed is recorded in {recorder.path}\n")
    yield
    judge.judge(request.node)


@pytest.fixture(scope="session")
def admin(control_plane: ControlPlane) -> Iterator[Admin]:
    """The cluster's administrator."""
    admin = Admin(control_plane)
    yield admin
    admin.close()


@pytest.fixture(scope="session")
def fleet(control_plane: ControlPlane, folder: Path) -> Iterator[Fleet]:
    """The replicas of the operator."""
    fleet = Fleet(control_plane, folder)
    yield fleet
    fleet.stop()


@pytest.fixture
def replicas(fleet: Fleet) -> list[OperatorProcess]:
    """Two healthy replicas, the leader first."""
    return fleet.ensure(2)


MakeWorkspace = Callable[..., Workspace]


@pytest.fixture(scope="module")
def make_workspace(admin: Admin, recorder: Recorder) -> MakeWorkspace:
    """Makes namespaces with the Actor `quick`."""

    def make(**options: Any) -> Workspace:
        workspace = Workspace(admin, recorder, **options)
        workspace.actor("quick")
        return workspace

    return make


@pytest.fixture
def workspace(replicas: list[OperatorProcess], make_workspace: MakeWorkspace) -> Workspace:
    """A namespace with the Actor `quick`, seen by two replicas."""
    return make_workspace()


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Says what was measured, also when the test passes."""

    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n    {text} ")

    return say
