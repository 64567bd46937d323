"""The relay, between two ports of this machine's own loopback."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.cluster_tool import relay


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    """A server that sends back what it gets, and ends when its client has sent all."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def _relay_to(port: int) -> asyncio.Server:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await relay.relay(reader, writer, "127.0.0.1", port)

    return await asyncio.start_server(handle, sock=relay.listen(0))


async def test_what_is_sent_arrives_and_the_end_of_one_direction_leaves_the_other_open(
    echo_port: int,
) -> None:
    server = await _relay_to(echo_port)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = bytes(range(256)) * 4000
    writer.write(sent)
    writer.write_eof()
    assert await reader.read() == sent
    writer.close()
    server.close()


async def test_a_refused_target_closes_the_connection() -> None:
    closed = relay.listen(0)
    port_of_nobody = closed.getsockname()[1]
    closed.close()
    server = await _relay_to(port_of_nobody)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await reader.read() == b""
    writer.close()
    server.close()


def test_it_listens_on_this_machine_only() -> None:
    with relay.listen(0) as server:
        assert server.getsockname()[0] == "127.0.0.1"
