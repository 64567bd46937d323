"""Logs of containers."""

import asyncio

import pytest
from aiohttp import web
from tests.support.answering_server import Server, a_client

from actor_operator.kube.errors import InvalidError, UnreachableError
from actor_operator.kube.logs import LogOptions, read_log


async def test_a_log_is_asked_for_as_wished_and_comes_in_chunks(http: Server) -> None:
    http.answer((200, "one\ntwo\n"))
    options = LogOptions(container="actor", timestamps=True, tail_lines=0, limit_bytes=100)
    async with a_client(http) as client, read_log(client, "ns", "pod", options) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"one\ntwo\n"
    (request,) = http.seen
    assert request.path == "/api/v1/namespaces/ns/pods/pod/log"
    assert request.query == {
        "container": "actor",
        "timestamps": "true",
        "tailLines": "0",
        "limitBytes": "100",
    }


async def test_a_container_without_a_log_is_a_sentence(http: Server) -> None:
    http.answer((400, '{"message": "container \\"actor\\" is waiting to start"}'))
    async with a_client(http) as client:
        with pytest.raises(InvalidError, match="is waiting to start"):
            async with read_log(client, "ns", "pod", LogOptions()):
                pass


async def quiet(request: web.BaseRequest) -> web.StreamResponse:
    """Say one thing, then nothing for a while, then another."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"one\n")
    await asyncio.sleep(0.6)
    await response.write(b"two\n")
    return response


async def test_a_followed_log_may_be_quiet(http: Server) -> None:
    http.handler = quiet
    options = LogOptions(follow=True)
    async with a_client(http) as client, read_log(client, "ns", "p", options, silence=0.2) as log:
        assert [chunk async for chunk in log] == [b"one\n", b"two\n"]


async def test_a_log_that_is_not_followed_must_come_without_pause(http: Server) -> None:
    http.handler = quiet
    options = LogOptions(previous=True, since_seconds=5, since_time="2026-03-01T12:00:00Z")
    async with a_client(http) as client, read_log(client, "ns", "p", options, silence=0.2) as log:
        with pytest.raises(UnreachableError):
            assert [chunk async for chunk in log] == []
    assert http.seen[0].query == {
        "previous": "true",
        "sinceSeconds": "5",
        "sinceTime": "2026-03-01T12:00:00Z",
    }
