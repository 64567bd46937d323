"""A local cluster for the whole level (one a worker), with the operator installed by Helm.

Whatever is committed is recorded, and judged after each test by all invariants; one that a test
breaks on purpose is named by its marker `breaks`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cluster_tool.commands import run
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.images.build import Build, build
from tests.cluster_tool.kubectl import Kubectl
from tests.support.clients.access import ApiAccess, until_answered
from tests.support.installation import REGISTRY, install_operator, project_images
from tests.support.judge import Judge
from tests.support.reach import Reached, by_kubeconfig
from tests.support.recorder import Recorder
from tests.support.user import User
from tests.support.workspace import Admin, Workspace

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Which of the workers this is that share the tests."""

NAME = f"node-test-{WORKER}"
"""The cluster of these tests; others may run beside it."""

NODES = ("node1", "node2")
"""Its nodes; the first one is where the ingress controller is reached."""

IMAGES = Path(__file__).parent / "images"
"""Images that only tests need."""

API_PORT = 16443 + WORKER
"""Port of 127.0.0.1 that leads to the API server."""

HTTP_PORT = 18080 + WORKER
"""Port of 127.0.0.1 that leads to the ingress controller, which the URLs of runs name."""

SMALL_CLUSTER = ("settings.pod.cpuRequestFraction=0.1", "settings.pod.diskRequestFraction=0.1")
"""Values for one machine: limits stay, requests are lowered so that several runs fit."""

INGRESSES = (
    'settings.webServer.domain="runs.localhost"',
    'settings.webServer.scheme="http"',
    f"settings.webServer.port={HTTP_PORT}",
    'settings.webServer.ingress.className="traefik"',
    'settings.network.webServerFrom=["traefik"]',
)
"""Values with which runs have URLs, by Ingresses."""

HTTP_ROUTES = (
    'settings.webServer.mode="httproute"',
    'settings.webServer.gateway={"name":"runs","namespace":"traefik"}',
)
"""What to add for HTTPRoutes instead."""

VALUES = (*SMALL_CLUSTER, *INGRESSES)
"""What the operator is installed with."""

API_URL = f"http://localhost:{HTTP_PORT}"
"""Where the API is, for the tests that install it."""

API_VALUES = (
    'api.ingress={"enabled":true,"host":"localhost","className":"traefik","tls":{"enabled":false}}',
    f'settings.api.publicUrl="{API_URL}"',
)
"""What to add for the API server."""

AUTHORS = "authors"
"""The account of the tests of the API."""


LONGEST = ("test_cluster_tool", "test_api_clients", "test_shared_storage", "test_lost_node")
"""Files that take minutes, longest first."""


@pytest.hookimpl
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin first, so that no worker is left with one of them at the end."""
    order = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(LONGEST)))


@dataclass(frozen=True)
class Installed:
    """A cluster with the operator on it."""

    kubeconfig: Path
    kubectl: Kubectl
    user: User


@pytest.fixture(scope="session")
def prepared() -> Iterator[Installed]:
    """The cluster, our images on its nodes, and the operator."""
    cluster_tool("down")
    nodes = f"--nodes={len(NODES)}"
    up = cluster_tool(
        "up", nodes, f"--api-port={API_PORT}", f"--http-port={HTTP_PORT}", check=False
    )
    if up.returncode:
        pytest.skip(f"no local cluster: {up.stderr.strip()[-500:]}")
    try:
        archives = [str(build(image)) for image in [*project_images(), *_own_images()]]
        cluster_tool("load-image", *archives)
        kubeconfig = Path(cluster_tool("kubeconfig").stdout.strip())
        install_operator(kubeconfig, *VALUES)
        kubectl = Kubectl(kubeconfig)
        yield Installed(kubeconfig, kubectl, User(kubectl))
    finally:
        cluster_tool("down")


@pytest.fixture(scope="session")
def reached(prepared: Installed, tmp_path_factory: pytest.TempPathFactory) -> Reached:
    """How the API server is reached without kubectl."""
    try:
        return by_kubeconfig(prepared.kubeconfig, tmp_path_factory.mktemp("keys"))
    except ClusterToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def recorder(reached: Reached, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    """Records everything that is committed."""
    with Recorder(reached, tmp_path_factory.mktemp("recording") / "history.jsonl") as recorder:
        yield recorder


@pytest.fixture(scope="session")
def installed(prepared: Installed, recorder: Recorder) -> Installed:
    """The cluster with the operator, of which all is recorded from now on."""
    del recorder  # it works by itself
    return prepared


@pytest.fixture(scope="session")
def judge(recorder: Recorder) -> Judge:
    """Judges what is recorded from now on."""
    return Judge(recorder)


@pytest.fixture(autouse=True)
def judged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Judges what was committed since the last test, unless the test has a cluster of its own."""
    if "installed" not in request.fixturenames:
        yield
        return
    recorder: Recorder = request.getfixturevalue("recorder")
    judge: Judge = request.getfixturevalue("judge")
    sys.stdout.write(f"All that is committed is recorded in {recorder.path}\n")
    yield
    judge.judge(request.node)


@pytest.fixture(scope="module")
def workspace(reached: Reached, recorder: Recorder) -> Iterator[Workspace]:
    """A namespace for a module."""
    admin = Admin(reached)
    yield Workspace(admin, recorder)
    admin.close()


@pytest.fixture
def user(installed: Installed) -> User:
    """Someone with kubectl."""
    return installed.user


@pytest.fixture(scope="module")
def api(installed: Installed) -> Iterator[ApiAccess]:
    """The API server beside the operator for a module, and a token of an account."""
    with api_server(installed, api=True) as access:
        yield access


@contextmanager
def api_server(installed: Installed, *values: str, api: bool = False) -> Iterator[ApiAccess]:
    """The API server with further values of the chart; ``api`` is that of `install_operator`."""
    kubeconfig, kubectl = installed.kubeconfig, installed.kubectl
    install_operator(kubeconfig, *VALUES, *API_VALUES, *values, api=api)
    try:
        if AUTHORS not in kubectl.run("get", "namespaces", "--output=name"):
            kubectl.run("create", "namespace", AUTHORS)
        until_answered(API_URL)
        yield ApiAccess(API_URL, actorctl(kubeconfig, "token", "create", AUTHORS).strip(), AUTHORS)
    finally:
        kubectl.run("delete", "namespace", AUTHORS, "--wait")
        install_operator(kubeconfig, *VALUES)


def actorctl(kubeconfig: Path, *arguments: str) -> str:
    """Run ``actorctl`` against a cluster, and return what it printed."""
    program = Path(sys.executable).with_name("actorctl")
    return run([program, f"--kubeconfig={kubeconfig}", *arguments])


def _own_images() -> list[Build]:
    folders = sorted(path.parent for path in IMAGES.glob("*/Dockerfile"))
    return [Build(f"{REGISTRY}/{f.name}:1", f / "Dockerfile", f) for f in folders]


def cluster_tool(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the cluster tool as its users do: what it starts outlives it."""
    argv = [sys.executable, "-m", "tests.cluster_tool", "--name", NAME, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=check)
