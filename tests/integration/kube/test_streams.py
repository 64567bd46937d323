"""Watches against servers whose streams end in every way."""

import asyncio

import pytest
from aiohttp import web
from tests.support.answering_server import PODS, Handler, Server, a_client

from actor_operator.kube.client import KubeClient
from actor_operator.kube.errors import (
    NotFoundError,
    UnreachableError,
)
from actor_operator.kube.transport import Timeouts


async def stream_of(client: KubeClient) -> list[bytes]:
    """All lines of a watch."""
    async with client.watch(PODS, resource_version="1") as lines:
        return [line async for line in lines]


def streaming(*chunks: bytes, end: str = "proper") -> Handler:
    """A handler that sends a stream and ends it."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if end == "silent":
            await asyncio.sleep(60)
        if end == "reset":
            assert request.transport is not None
            await asyncio.sleep(0.05)
            request.transport.abort()
        return response

    return handler


async def test_a_watch_asks_for_bookmarks_and_to_be_closed_before_silence(http: Server) -> None:
    http.handler = streaming()
    timeouts = Timeouts(silence=20)
    async with a_client(http, timeouts=timeouts) as client:
        assert await stream_of(client) == []
    assert http.seen[0].query == {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "resourceVersion": "1",
        "timeoutSeconds": "18",
    }


async def test_half_a_line_at_a_proper_end_is_no_event_and_no_error(http: Server) -> None:
    http.handler = streaming(b'{"n": 1}\n{"n": ', b'2}\n{"n"')
    async with a_client(http) as client:
        assert await stream_of(client) == [b'{"n": 1}', b'{"n": 2}']


@pytest.mark.parametrize("end", ["silent", "reset"])
async def test_a_stream_that_breaks_or_falls_silent_is_unreachable(http: Server, end: str) -> None:
    http.handler = streaming(b'{"n": 1}\n', end=end)
    async with a_client(http) as client, client.watch(PODS, resource_version="1") as lines:
        assert await anext(lines) == b'{"n": 1}'
        with pytest.raises(UnreachableError):
            await anext(lines)


async def test_an_error_of_the_reader_is_not_taken_for_one_of_the_network(http: Server) -> None:
    http.handler = streaming(b'{"n": 1}\n', end="silent")
    async with a_client(http) as client:
        with pytest.raises(TimeoutError, match="the reader's own"):
            async with client.watch(PODS, resource_version="1"):
                raise TimeoutError("the reader's own")


async def test_a_watch_of_what_is_not_served_is_not_found(http: Server) -> None:
    http.answer((404, "404 page not found"))
    async with a_client(http) as client:
        with pytest.raises(NotFoundError, match="404 page not found"):
            await stream_of(client)


async def test_a_watch_left_early_closes_its_connection(http: Server) -> None:
    closed = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b'{"n": 1}\n')
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.CancelledError):
            closed.set()
            raise

    http.handler = handler
    async with a_client(http) as client:
        async with client.watch(PODS, resource_version="1") as lines:
            async for _ in lines:
                break
        await asyncio.wait_for(closed.wait(), 5)
