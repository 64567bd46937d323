"""The API server does not know our kinds yet, or is away: the operator stays and catches up.

On a control plane of its own: after an outage scheduler and simulated kubelets, which are not
ours, need up to a minute to come back.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.support.fleet import Fleet, calm
from tests.support.operators import install_rights
from tests.support.recorder import Recorder
from tests.support.workspace import Admin, Workspace

pytestmark = pytest.mark.cluster

NO_KINDS_SECONDS = 8.0
"""How long the CRDs are missing."""

DOWN_SECONDS = 30.0
"""How long the API server is away."""


@dataclass(frozen=True)
class Site:
    """A control plane and what belongs to it."""

    control_plane: ControlPlane
    fleet: Fleet
    admin: Admin
    recorder: Recorder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A control plane with the operator's rights, but without its kinds."""
    folder = tmp_path_factory.mktemp("away")
    plane = ControlPlane(simulated_nodes=1)
    try:
        plane.start()
    except ClusterToolError as error:
        plane.stop()
        pytest.skip(f"no control plane: {error}")
    fleet, admin = Fleet(plane, folder), Admin(plane)
    try:
        install_rights(plane, without=frozenset({"CustomResourceDefinition"}))
        with Recorder(plane, folder / "history.jsonl") as recorder:
            yield Site(plane, fleet, admin, recorder)
    finally:
        admin.close()
        fleet.stop()
        plane.stop()


@pytest.fixture(scope="module")
def recorder(site: Site) -> Recorder:
    """Of this control plane, not of the one of the other tests."""
    return site.recorder


def test_an_operator_that_starts_before_its_kinds_exist_waits_for_them(site: Site) -> None:
    replica = site.fleet.start()
    replica.wait_serving()

    with calm(replica):
        time.sleep(NO_KINDS_SECONDS)
        install_rights(site.control_plane)
        replica.wait_leading()
    workspace = Workspace(site.admin, site.recorder)
    workspace.actor("quick")
    workspace.run("first")

    assert workspace.wait("first")["phase"] == "SUCCEEDED"


@pytest.mark.fault("C1")
def test_an_api_server_that_was_killed_is_waited_for(
    site: Site, report: Callable[[str], None]
) -> None:
    replicas = site.fleet.ensure(2)
    workspace = Workspace(site.admin, site.recorder)
    workspace.actor("endless", "endless")
    names = [workspace.run(f"long-{number}", "endless") for number in range(5)]
    for name in names:
        workspace.wait(name, "RUNNING")

    with calm(*replicas):
        site.control_plane.kill_api_server()
        time.sleep(DOWN_SECONDS)
        site.control_plane.start_api_server()
        back = time.monotonic()
        workspace.run("afterwards", "endless")
        pods = len(names) + 1
        site.recorder.wait("the next pod is made", lambda: len(workspace.pods()) == pods)
        seconds = time.monotonic() - back
        for name in names:
            assert workspace.end_pod(name).accepted
        workspace.abort("afterwards")
        workspace.wait_all([*names, "afterwards"])

    report(f"API server away for {DOWN_SECONDS:.0f} s → next pod made {seconds:.1f} s after")
    assert all(workspace.phase(name) == "SUCCEEDED" for name in names)
