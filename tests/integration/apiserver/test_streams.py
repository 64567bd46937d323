"""Tests can hold, delay, cut and spoil the streams of a kind."""

import asyncio

import aiohttp
import pytest
from tests.contract.client import Api, Stream
from tests.support.apiserver import ApiServer

SILENCE = 0.15
"""Seconds in which nothing may come."""


async def _nothing_comes(stream: Stream) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SILENCE):
            await stream.next()


def _create(server: ApiServer, *names: str) -> None:
    for name in names:
        server.create("configmaps", {"metadata": {"name": name}})


async def test_a_held_stream_is_silent_and_loses_nothing(server: ApiServer, api: Api) -> None:
    async with api.watch("configmaps") as stream:
        server.watches.hold("configmaps")
        _create(server, "a", "b")
        await _nothing_comes(stream)
        server.watches.release("configmaps")

        assert await stream.events(2) == [("ADDED", "a"), ("ADDED", "b")]


async def test_streams_of_other_kinds_go_on(server: ApiServer, api: Api) -> None:
    server.watches.hold("pods")
    async with api.watch("configmaps") as stream:
        _create(server, "a")

        assert await stream.events(1) == [("ADDED", "a")]


async def test_a_held_stream_sends_no_bookmarks(server: ApiServer, api: Api) -> None:
    async with api.watch("configmaps", allowWatchBookmarks="true") as stream:
        await stream.next()
        server.watches.hold("configmaps")
        server.watches.bookmark("configmaps")
        await _nothing_comes(stream)
        server.watches.release("configmaps")
        kind, obj = await stream.next()

    assert kind == "BOOKMARK"
    assert obj["metadata"]["resourceVersion"] == str(server.store.revision)


async def test_a_delayed_stream_is_late_and_in_order(server: ApiServer, api: Api) -> None:
    server.watches.delay("configmaps", 0.3)
    async with api.watch("configmaps", resourceVersion=str(server.store.revision)) as stream:
        _create(server, "a", "b")
        await _nothing_comes(stream)

        assert await stream.events(2) == [("ADDED", "a"), ("ADDED", "b")]


async def test_a_cut_stream_ends_cleanly(server: ApiServer, api: Api) -> None:
    async with api.watch("configmaps") as stream:
        assert server.watches.cut("configmaps") == 1
        with pytest.raises(EOFError):
            await stream.next()
    assert server.watches.open() == []


async def test_an_aborted_stream_breaks(server: ApiServer, api: Api) -> None:
    async with api.watch("configmaps") as stream:
        server.watches.cut("configmaps", abort=True)
        with pytest.raises(aiohttp.ClientError):
            await stream.next()


async def test_each_stream_ends_after_one_event(server: ApiServer, api: Api) -> None:
    server.watches.cut_after_each_event("configmaps")
    version = str(server.store.revision)
    _create(server, "a", "b")
    seen = []
    for _ in range(2):
        async with api.watch("configmaps", resourceVersion=version) as stream:
            _, obj = await stream.next()
            with pytest.raises(EOFError):
                await stream.next()
        version = obj["metadata"]["resourceVersion"]
        seen.append(obj["metadata"]["name"])

    assert seen == ["a", "b"]


async def test_half_a_line_is_the_last_that_is_sent(
    server: ApiServer, session: aiohttp.ClientSession
) -> None:
    async with session.get("/api/v1/configmaps", params={"watch": "1"}) as response:
        server.watches.send_half_a_line("configmaps")
        text = await response.text()

    assert text.startswith('{"type":"MODIFIED"')
    assert not text.endswith("\n")


async def test_an_error_event_ends_the_stream(server: ApiServer, api: Api) -> None:
    async with api.watch("configmaps") as stream:
        server.watches.send_error("configmaps", 500)
        kind, status = await stream.next()
        with pytest.raises(EOFError):
            await stream.next()

    assert (kind, status["kind"], status["code"]) == ("ERROR", "Status", 500)


async def test_what_happens_while_nobody_watches_is_lost_by_a_compaction(
    server: ApiServer, api: Api
) -> None:
    """The unobserved state: held, changed twice, cut, and the resume is answered with 410."""
    async with api.watch("configmaps", resourceVersion=str(server.store.revision)) as stream:
        version = str(server.store.revision)
        server.watches.hold("configmaps")
        _create(server, "a")
        server.delete("configmaps", "default", "a")
        server.compact()
        server.watches.cut("configmaps")
        with pytest.raises(EOFError):
            await stream.next()
    server.watches.release("configmaps")
    async with api.watch("configmaps", resourceVersion=version) as stream:
        kind, status = await stream.next()

    assert (kind, status["code"]) == ("ERROR", 410)
    assert (await api.list("configmaps")).names == []


async def test_bookmarks_come_at_their_interval() -> None:
    server = ApiServer(bookmark_interval=0.1)
    async with server, aiohttp.ClientSession(server.url) as session:
        query = {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": "1"}
        async with session.get("/api/v1/pods", params=query) as response:
            stream = Stream(response)
            kinds = []
            for name in ("a", "b"):
                server.create("configmaps", {"metadata": {"name": name}})
                kinds.append((await stream.next())[0])

    assert kinds == ["BOOKMARK", "BOOKMARK"]
