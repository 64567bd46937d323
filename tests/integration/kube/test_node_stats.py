"""Numbers of containers, from a kubelet over TLS."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from tests.cluster_tool.pki import Authority, Identity
from tests.support.answering_server import a_connection

from actor_operator.errors import ConfigurationError
from actor_operator.kube.errors import (
    ForbiddenError,
    ServerError,
    UnauthorizedError,
    UnreachableError,
)
from actor_operator.kube.node_stats import NodeStats, kubelet_trust

SUMMARY = """{"node": {"nodeName": "n"}, "pods": [{"podRef": {"name": "p", "uid": "u"},
"containers": [{"name": "actor", "startTime": "2026-03-01T12:00:00Z",
"cpu": {"time": "2026-03-01T12:00:10Z", "usageNanoCores": 5, "usageCoreNanoSeconds": 1000},
"memory": {"time": "2026-03-01T12:00:11Z", "usageBytes": 9, "workingSetBytes": 7}}]}]}"""
"""As a kubelet of 1.36 answers, without most of the fields."""


class Kubelet:
    """Serves https on loopback with a certificate of the test."""

    def __init__(self) -> None:
        self.port = 0
        self.status, self.body = 200, SUMMARY
        self.seen: list[tuple[str, str]] = []

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append((str(request.rel_url), request.headers.get("Authorization", "")))
        return web.Response(status=self.status, text=self.body)

    def stats(self, trust: ssl.SSLContext) -> NodeStats:
        base = a_connection("http://the-api-server.invalid")
        return NodeStats(base, trust, user_agent="test", port=self.port)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def kubelet(authority: Authority) -> AsyncIterator[Kubelet]:
    kubelet = Kubelet()
    pair = authority.issue("kubelet", Identity("system:node:n", hosts=("127.0.0.1",)))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    runner = web.ServerRunner(web.Server(kubelet.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    kubelet.port = runner.addresses[0][1]
    yield kubelet
    await runner.cleanup()


async def test_the_numbers_of_a_node_are_read_with_our_token(
    kubelet: Kubelet, authority: Authority
) -> None:
    stats = kubelet.stats(kubelet_trust(authority.pair.certificate))
    (pod,) = await stats.read("127.0.0.1")
    (container,) = pod.containers
    assert pod.pod_ref.uid == "u"
    assert container.name == "actor"
    assert container.cpu.time == datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
    assert container.cpu.usage_core_nano_seconds == 1000
    assert container.memory.working_set_bytes == 7
    assert kubelet.seen == [("/stats/summary?only_cpu_and_memory=true", "Bearer one")]
    await stats.close()


async def test_after_a_401_the_token_is_read_anew_and_goes_to_the_same_node(
    kubelet: Kubelet, authority: Authority
) -> None:
    stats = kubelet.stats(kubelet_trust(authority.pair.certificate))
    kubelet.status = 401
    with pytest.raises(UnauthorizedError):
        await stats.read("127.0.0.1")
    assert [token for _, token in kubelet.seen] == ["Bearer one", "Bearer two"]
    await stats.close()


async def test_a_certificate_of_another_ca_gets_no_token(kubelet: Kubelet, tmp_path: Path) -> None:
    stats = kubelet.stats(kubelet_trust(Authority(tmp_path).pair.certificate))
    with pytest.raises(UnreachableError, match="certificate"):
        await stats.read("127.0.0.1")
    assert kubelet.seen == []
    await stats.close()


async def test_a_certificate_for_another_address_gets_no_token(
    kubelet: Kubelet, authority: Authority
) -> None:
    stats = kubelet.stats(kubelet_trust(authority.pair.certificate))
    with pytest.raises(UnreachableError, match="certificate"):
        await stats.read("localhost")
    assert kubelet.seen == []
    await stats.close()


async def test_refusals_and_other_answers_are_errors_of_ours(
    kubelet: Kubelet, authority: Authority
) -> None:
    stats = kubelet.stats(kubelet_trust(authority.pair.certificate))
    kubelet.status, kubelet.body = 403, "Forbidden (user=x, verb=get, resource=nodes)"
    with pytest.raises(ForbiddenError, match="Forbidden"):
        await stats.read("127.0.0.1")
    kubelet.status, kubelet.body = 200, "<html>"
    with pytest.raises(ServerError, match="no summary"):
        await stats.read("127.0.0.1")
    await stats.close()


async def test_connections_to_nodes_that_are_not_needed_are_closed(
    kubelet: Kubelet, authority: Authority
) -> None:
    stats = kubelet.stats(kubelet_trust(authority.pair.certificate))
    await stats.read("127.0.0.1")
    await stats.keep_only({"127.0.0.1"})
    assert set(stats._transports) == {"127.0.0.1"}
    await stats.keep_only(set())
    assert stats._transports == {}


def test_a_file_without_a_ca_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CA of the kubelets"):
        kubelet_trust(tmp_path / "missing")
