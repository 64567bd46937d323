"""Connections that are given up, to a server over TLS that has stopped to listen."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from tests.cluster_tool.pki import Authority, Identity
from tests.support.answering_server import PODS, QUICK, a_connection

from actor_operator.kube.client import KubeClient
from actor_operator.kube.credentials import Connection
from actor_operator.kube.errors import UnreachableError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
"""With no chunk after it."""

PATIENCE = 10
"""Seconds after which a connection is one that stays."""


class StuckServer:
    """Takes one connection, begins to answer, and says nothing more, not even goodbye."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.cut = False
        """Whether the connection went away by itself."""
        self._thread = threading.Thread(target=self._serve, args=(context,))
        self._thread.start()

    def _serve(self, context: ssl.SSLContext) -> None:
        with self._listening, self._listening.accept()[0] as plain:
            plain.settimeout(PATIENCE)
            tls = context.wrap_socket(plain, server_side=True)
            tls.recv(65536)
            tls.sendall(HEAD)
            raw = socket.socket(fileno=tls.detach())
            raw.settimeout(PATIENCE)
            with raw:
                try:
                    while raw.recv(65536):
                        pass
                except ConnectionResetError:
                    self.cut = True
                except TimeoutError:
                    return
                self.cut = True

    def wait(self) -> None:
        """Wait until its connection is gone, or stays."""
        self._thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def stuck(authority: Authority) -> Iterator[StuckServer]:
    pair = authority.issue("api-server", Identity("api-server", hosts=("127.0.0.1",)))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    server = StuckServer(context)
    yield server
    server.wait()


@pytest.fixture
def connection(stuck: StuckServer, authority: Authority) -> Connection:
    trust = ssl.create_default_context(cafile=str(authority.pair.certificate))
    return replace(a_connection(f"https://127.0.0.1:{stuck.port}"), ssl=trust)


async def leave_a_watch(client: KubeClient) -> None:
    async with client.watch(PODS, resource_version="1"):
        pass


async def take_a_watch_for_dead(client: KubeClient) -> None:
    with pytest.raises(UnreachableError):
        async with client.watch(PODS, resource_version="1") as lines:
            _ = [line async for line in lines]


async def wait_in_vain_for_an_answer(client: KubeClient) -> None:
    with pytest.raises(UnreachableError):
        await client.get(PODS, "ns", "a")


@pytest.mark.parametrize(
    "give_up", [leave_a_watch, take_a_watch_for_dead, wait_in_vain_for_an_answer]
)
async def test_a_connection_that_is_given_up_does_not_wait_for_the_servers_goodbye(
    give_up: Callable[[KubeClient], Awaitable[None]], stuck: StuckServer, connection: Connection
) -> None:
    async with KubeClient(connection, user_agent="test", timeouts=QUICK) as client:
        await give_up(client)
        await asyncio.to_thread(stuck.wait)
    assert stuck.cut
