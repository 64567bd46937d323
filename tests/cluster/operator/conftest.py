"""One control plane with simulated nodes for all tests of the running operator, and its replicas.

The operator runs as the real command with the chart's settings, roles and policies, by tokens of
the chart's service account. Whatever is committed is recorded, and after each test the history of
its namespace is checked.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.support.audit import AuditLog
from tests.support.invariants import violations
from tests.support.operators import (
    USER,
    Credentials,
    OperatorProcess,
    chart_settings,
    install_rights,
)
from tests.support.recorder import Recorder
from tests.support.workspace import Admin, Workspace

SIMULATED_NODES = 3

QUICK_LIMITS = {"imagePullSeconds": 8}
"""What the tests cannot wait for."""


class Fleet:
    """The replicas of the operator; tests may do to them what they like.

    Parameters
    ----------
    control_plane
        Whose API server.
    folder
        Where their files go.
    """

    def __init__(self, control_plane: ControlPlane, folder: Path) -> None:
        self._control_plane = control_plane
        self._folder = folder
        self._settings = chart_settings()
        self._settings["limits"] |= QUICK_LIMITS
        self._count = 0
        self.replicas: list[OperatorProcess] = []

    def start(self, **options: Any) -> OperatorProcess:
        """Start one more; options are those of `Credentials`."""
        self._count += 1
        name = f"operator-{self._count}"
        credentials = Credentials(self._control_plane, name, self._folder, **options)
        replica = OperatorProcess(name, credentials, self._settings, self._folder)
        self.replicas.append(replica)
        return replica

    def ensure(self, count: int) -> list[OperatorProcess]:
        """Bring the number of replicas to `count`; returns them, the leader first."""
        running = [replica for replica in self.replicas if replica.running]
        for replica in running[count:]:
            replica.stop()
        running = running[:count]
        running += [self.start() for _ in range(count - len(running))]
        for replica in running:
            replica.wait_ready()
        if not any(replica.leads for replica in running):
            wait_until_one_leads(running)
        self.replicas = running
        return sorted(running, key=lambda replica: not replica.leads)

    def stop(self) -> None:
        """End all of them."""
        for replica in self.replicas:
            if replica.running:
                replica.kill()
        self.replicas = []


def wait_until_one_leads(replicas: list[OperatorProcess]) -> None:
    """Wait until one of them leads."""
    deadline = time.monotonic() + 60
    while not any(replica.leads for replica in replicas):
        for replica in replicas:
            replica.check()
        assert time.monotonic() < deadline, "no replica leads"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where logs and recordings go."""
    return tmp_path_factory.mktemp("operator")


@pytest.fixture(scope="session")
def audit(folder: Path) -> AuditLog:
    """What the operator asked the API server."""
    return AuditLog(folder, USER)


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
def make_workspace(admin: Admin, recorder: Recorder) -> Iterator[MakeWorkspace]:
    """Makes namespaces with the Actor `quick`; what happened in them is checked at the end."""
    made: list[Workspace] = []

    def make(**options: Any) -> Workspace:
        workspace = Workspace(admin, recorder, **options)
        made.append(workspace)
        workspace.actor("quick")
        return workspace

    yield make
    for workspace in made:
        assert violations(workspace.history()) == []


@pytest.fixture
def workspace(
    replicas: list[OperatorProcess], admin: Admin, recorder: Recorder
) -> Iterator[Workspace]:
    """A namespace with the Actor `quick`, seen by two replicas; checked after the test."""
    workspace = Workspace(admin, recorder)
    workspace.actor("quick")
    yield workspace
    assert violations(workspace.history()) == []


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Says what was measured, also when the test passes."""

    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n    {text} ")

    return say
