"""The client of the API against a server that misbehaves."""

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.support.answering_server import Server, answering_server

from actor_operator.cli import api_client, api_log
from actor_operator.cli.api_client import ApiClient
from actor_operator.cli.api_errors import ApiRefusalError, ApiUnreachableError
from actor_operator.cli.api_log import follow_log
from actor_operator.cli.api_options import ApiChoice
from actor_operator.cli.api_session import ApiSession
from actor_operator.cli.login_file import Login
from actor_operator.cli.options import Options

BUSY = '{"error": {"type": "service-unavailable", "message": "Not now."}}'
MISSING = '{"error": {"type": "record-not-found", "message": "It is not there."}}'


@pytest.fixture
async def other(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """A server of which a test says what it answers; nobody waits before asking again."""
    monkeypatch.setattr(api_client, "RETRY_DELAYS", (0, 0))
    monkeypatch.setattr(api_log, "RETRY_SECONDS", 0)
    async with answering_server() as server:
        yield server


@pytest.fixture
async def client(other: Server) -> AsyncIterator[ApiClient]:
    async with ApiClient(Login(other.url, "secret")) as client:
        yield client


async def test_what_passes_is_asked_for_again(other: Server, client: ApiClient) -> None:
    other.answer((503, BUSY), (429, BUSY), (200, '{"data": {"id": "x"}}'))

    assert await client.get("/users/me") == {"id": "x"}
    assert [seen.path for seen in other.seen] == ["/v2/users/me"] * 3
    assert {seen.headers["Authorization"] for seen in other.seen} == {"Bearer secret"}


async def test_what_stays_is_told_after_three_times(other: Server, client: ApiClient) -> None:
    other.answer((503, BUSY))

    with pytest.raises(ApiRefusalError, match="Not now"):
        await client.get("/users/me")
    assert len(other.seen) == 3


async def test_a_refusal_is_told_at_once(other: Server, client: ApiClient) -> None:
    other.answer((404, MISSING))

    with pytest.raises(ApiRefusalError) as told:
        await client.get("/datasets/x")
    assert (told.value.status, told.value.kind, len(other.seen)) == (404, "record-not-found", 1)


async def test_a_write_is_never_sent_twice(other: Server, client: ApiClient) -> None:
    other.answer((503, BUSY))

    with pytest.raises(ApiRefusalError):
        await client.post("/datasets/x/items", b"{}")
    assert len(other.seen) == 1


async def test_a_write_that_is_cut_off_is_told_so(other: Server, client: ApiClient) -> None:
    async def cut(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    await client.get("/users/me")  # a kept connection, on which aiohttp would try a PUT again
    other.handler = cut

    with pytest.raises(ApiUnreachableError) as told:
        await client.put("/key-value-stores/x/records/y", _body(), "text/plain", None)
    assert "may have been carried out" in told.value.hint
    assert [seen.method for seen in other.seen] == ["GET", "PUT"]
    assert other.seen[1].body == b"abc"


async def test_the_token_follows_no_redirect(other: Server, client: ApiClient) -> None:
    async def elsewhere(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{other.url}/v2/elsewhere"})

    other.handler = elsewhere

    with pytest.raises(ApiRefusalError, match="does not speak the Apify API: 302 Found"):
        await client.get("/users/me")
    assert {seen.path for seen in other.seen} == {"/v2/users/me"}


async def test_an_answer_of_something_else_is_no_success(other: Server, client: ApiClient) -> None:
    other.answer((200, "<html>Log in, please</html>"))

    with pytest.raises(ApiRefusalError, match="does not speak the Apify API"):
        await client.get("/users/me")


async def test_a_log_that_is_cut_goes_on_where_it_was(other: Server, client: ApiClient) -> None:
    log, ends = b"one\ntwo\nthree\nfour\n", [6, 12, 19]

    async def stream(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        end = ends.pop(0)
        await answer.write(log[:end])
        if end < len(log):
            assert request.transport is not None
            request.transport.close()
        return answer

    other.handler = stream
    written: list[bytes] = []

    await follow_log(ApiSession(client, ApiChoice(), Options(), "actorctl"), "x", written.append)

    assert b"".join(written) == log
    assert json.dumps([seen.query for seen in other.seen]).count("stream") == 3


async def _body() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"bc"
