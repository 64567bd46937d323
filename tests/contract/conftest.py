"""Both servers of the contract tests: the in-process one and a real kube-apiserver."""

import asyncio
import json
import ssl
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.contract.client import Api
from tests.support.apiserver import ApiServer

DEFINITIONS = [
    Path(__file__).parent / "things.yaml",
    *sorted((Path(__file__).parents[2] / "crds").glob("*.yaml")),
]
"""The kind of these tests and the project's."""


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A real control plane; the tests are skipped where it cannot be had."""
    with ExitStack() as stack:
        try:
            control_plane = stack.enter_context(ControlPlane())
        except ClusterToolError as error:
            pytest.skip(f"no control plane: {error}")
        _install_definitions(Kubectl(control_plane.kubeconfig))
        yield control_plane


@pytest.fixture(params=["in-process", pytest.param("real", marks=pytest.mark.cluster)])
async def api(request: pytest.FixtureRequest) -> AsyncIterator[Api]:
    """A client with a fresh namespace, of either server."""
    if request.param == "real":
        async with _real(request.getfixturevalue("control_plane")) as api:
            yield api
    else:
        async with _in_process() as api:
            yield api


@asynccontextmanager
async def _in_process() -> AsyncIterator[Api]:
    server = ApiServer(crds=DEFINITIONS, namespaces=["contract"])
    async with server, aiohttp.ClientSession(server.url) as session:

        async def compact() -> None:
            server.compact()

        yield Api(session, "contract", compact, is_real=False)


@asynccontextmanager
async def _real(control_plane: ControlPlane) -> AsyncIterator[Api]:
    namespace = f"contract-{uuid.uuid4().hex[:8]}"
    async with _session(control_plane) as session:

        async def compact() -> None:
            # In this thread: the programs end with the thread that started them.
            _compact(control_plane)
            await _wait_for_watches(session)

        api = Api(session, namespace, compact, is_real=True)
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        reply = await api.call("POST", "/api/v1/namespaces", body)
        assert reply.code == 201, reply.body
        await _wait_for(api, f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
        yield api
        await api.call("DELETE", f"/api/v1/namespaces/{namespace}")


@asynccontextmanager
async def _session(control_plane: ControlPlane) -> AsyncIterator[aiohttp.ClientSession]:
    context = ssl.create_default_context(cafile=str(control_plane.ca))
    context.load_cert_chain(control_plane.admin.certificate, control_plane.admin.key)
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(control_plane.url, connector=connector) as session:
        yield session


def _install_definitions(kubectl: Kubectl) -> None:
    """Create the kinds and wait until they are served."""
    files = [f"--filename={path}" for path in DEFINITIONS]
    kubectl.run("create", *files)
    kubectl.run("wait", "--for=condition=Established", "--timeout=30s", *files)


async def _wait_for_watches(session: aiohttp.ClientSession) -> None:
    """Wait until watches are no longer refused because the server's cache is still empty."""
    for plural, group in (("things", "/apis/contract.example.org/v1"), ("configmaps", "/api/v1")):
        query = {"watch": "1", "timeoutSeconds": "1"}
        for _ in range(100):
            async with session.get(f"{group}/{plural}", params=query) as response:
                if response.status == 200:
                    break
            await asyncio.sleep(0.1)


async def _wait_for(api: Api, path: str) -> None:
    """Wait until something can be read."""

    async def readable() -> bool:
        return (await api.call("GET", path)).code == 200

    await api.until(readable)


def _compact(control_plane: ControlPlane) -> None:
    """Compact etcd, and restart the API server, whose cache would still know the history."""
    status = _ask_etcd(control_plane, "maintenance/status", {})
    revision = status["header"]["revision"]
    _ask_etcd(control_plane, "kv/compaction", {"revision": revision, "physical": True})
    control_plane.restart_api_server()


def _ask_etcd(control_plane: ControlPlane, what: str, body: object) -> dict[str, dict[str, str]]:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{control_plane.etcd_url}/v3/{what}", data=json.dumps(body).encode()
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310 - loopback
        answer: dict[str, dict[str, str]] = json.load(response)
    return answer
