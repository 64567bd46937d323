"""What tests of the cluster level share."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.kinds import create_run
from tests.support.rest import RestClient

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def idle_control_plane() -> Iterator[ControlPlane]:
    """A control plane with our CRDs, and nothing that acts on them."""
    with ExitStack() as stack:
        try:
            control_plane = stack.enter_context(ControlPlane())
        except ClusterToolError as error:
            pytest.skip(f"no control plane: {error}")
        kubectl = Kubectl(control_plane.kubeconfig)
        kubectl.run("apply", "--server-side", "-f", str(CRDS))
        kubectl.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        yield control_plane


@pytest.fixture(scope="session")
def api(idle_control_plane: ControlPlane) -> Iterator[RestClient]:
    """A client of the control plane on which nothing acts."""
    client = RestClient(idle_control_plane)
    yield client
    client.close()


@pytest.fixture
def run(api: RestClient) -> str:
    """The name of a new run that says nothing but its Actor."""
    return create_run(api)
