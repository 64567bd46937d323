"""The transport against servers that behave as servers do."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from aiohttp import web
from tests.support.answering_server import PODS, QUICK, Server, a_client, a_connection

from actor_operator.errors import ConfigurationError, NotLeaderError
from actor_operator.kube.client import PatchKind
from actor_operator.kube.credentials import Connection
from actor_operator.kube.errors import (
    ServerError,
    TooManyRequestsError,
    UnauthorizedError,
    UnreachableError,
)
from actor_operator.kube.transport import Call


async def test_a_request_names_us_and_carries_the_token(http: Server) -> None:
    http.answer((200, '{"kind": "Pod"}'))
    async with a_client(http) as client:
        assert await client.get(PODS, "ns", "a") == b'{"kind": "Pod"}'
    (request,) = http.seen
    assert request.path == "/api/v1/namespaces/ns/pods/a"
    assert request.headers["Authorization"] == "Bearer one"
    assert request.headers["User-Agent"] == "test"
    assert request.headers["Accept-Encoding"] == "identity"
    assert "timeout" not in request.query


async def test_a_write_tells_the_server_when_to_give_it_up(http: Server) -> None:
    async with a_client(http) as client:
        await client.create(PODS, "ns", b"{}")
        await client.put(PODS, "ns", "a", b"{}", subresource="status")
        await client.patch(PODS, "ns", "a", b"{}", PatchKind.APPLY, field_manager="us")
        await client.delete(PODS, "ns", "a", uid="u", grace_seconds=0)
    assert [r.query.pop("timeout") for r in http.seen] == ["0.2s"] * 4
    assert [(r.method, r.path.rpartition("/")[2], r.query) for r in http.seen] == [
        ("POST", "pods", {}),
        ("PUT", "status", {}),
        ("PATCH", "a", {"fieldManager": "us", "force": "true"}),
        ("DELETE", "a", {}),
    ]
    assert http.seen[2].headers["Content-Type"] == "application/apply-patch+yaml"
    assert http.seen[3].body == (
        b'{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"u"},'
        b'"propagationPolicy":"Background","gracePeriodSeconds":0}'
    )


async def test_401_makes_the_credentials_be_read_anew_and_the_request_be_sent_once_more(
    http: Server,
) -> None:
    http.answer((401, "{}"), (201, "{}"))
    async with a_client(http) as client:
        await client.create(PODS, "ns", b"{}")
        await client.create(PODS, "ns", b"{}")
    tokens = [request.headers["Authorization"] for request in http.seen]
    assert tokens == ["Bearer one", "Bearer two", "Bearer two"]


async def test_many_answers_of_401_at_once_read_the_credentials_once(http: Server) -> None:
    reloads = 0

    def reload() -> Connection:
        nonlocal reloads
        reloads += 1
        return a_connection(http.url, "two")

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        good = request.headers["Authorization"] == "Bearer two"
        return web.json_response({}, status=200 if good else 401)

    http.handler = handler
    connection = replace(a_connection(http.url), reload=reload)
    async with a_client(http, connection=connection) as client:
        await asyncio.gather(*(client.get(PODS, "ns", f"p{n}") for n in range(20)))
    assert reloads == 1


async def test_401_for_ever_is_an_error_after_one_repetition(http: Server) -> None:
    http.answer((401, '{"message": "Unauthorized"}'))
    async with a_client(http) as client:
        with pytest.raises(UnauthorizedError):
            await client.get(PODS, "ns", "a")
    assert len(http.seen) == 2


async def test_credentials_that_cannot_be_read_anew_leave_the_401(http: Server) -> None:
    def reload() -> Connection:
        raise ConfigurationError("the file is gone")

    http.answer((401, '{"message": "Unauthorized"}'))
    connection = replace(a_connection(http.url), reload=reload)
    async with a_client(http, connection=connection) as client:
        with pytest.raises(UnauthorizedError):
            await client.get(PODS, "ns", "a")
    assert len(http.seen) == 1


async def test_a_token_file_that_is_missing_for_a_moment_is_read_anew(http: Server) -> None:
    def authorization() -> str:
        raise FileNotFoundError("token")

    connection = replace(a_connection(http.url), authorization=authorization)
    async with a_client(http, connection=connection) as client:
        await client.get(PODS, "ns", "a")
    assert [r.headers["Authorization"] for r in http.seen] == ["Bearer two"]


async def test_the_guard_stops_writes_before_they_are_sent_and_lets_reads_pass(
    http: Server,
) -> None:
    def guard() -> None:
        raise NotLeaderError("not me")

    async with a_client(http, guard=guard) as client:
        await client.get(PODS, "ns", "a")
        for write in (
            client.create(PODS, "ns", b"{}"),
            client.put(PODS, "ns", "a", b"{}"),
            client.patch(PODS, "ns", "a", b"{}", PatchKind.MERGE),
            client.delete(PODS, "ns", "a"),
        ):
            with pytest.raises(NotLeaderError):
                await write
    assert [request.method for request in http.seen] == ["GET"]


async def test_the_guard_is_asked_after_all_waiting(http: Server) -> None:
    leading = True

    def guard() -> None:
        if not leading:
            raise NotLeaderError("not any more")

    async def slow(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.1)
        return web.json_response({})

    http.handler = slow
    async with a_client(http, guard=guard, limit=1) as client:
        first = asyncio.create_task(client.create(PODS, "ns", b"{}"))
        second = asyncio.create_task(client.create(PODS, "ns", b"{}"))
        await asyncio.sleep(0.05)
        leading = False
        await first
        with pytest.raises(NotLeaderError):
            await second
    assert len(http.seen) == 1


async def test_a_repetition_after_401_passes_the_guard_again(http: Server) -> None:
    checks = 0

    def guard() -> None:
        nonlocal checks
        checks += 1
        if checks == 2:
            raise NotLeaderError("lost while the credentials were read")

    http.answer((401, "{}"))
    async with a_client(http, guard=guard) as client:
        with pytest.raises(NotLeaderError):
            await client.create(PODS, "ns", b"{}")
    assert len(http.seen) == 1


@pytest.mark.parametrize("method", ["get", "put", "delete"])
async def test_a_server_that_says_nothing_is_waited_for_only_so_long(
    http: Server, method: str
) -> None:
    async def hang(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    http.handler = hang
    loop = asyncio.get_running_loop()
    async with a_client(http) as client:
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "get": lambda: client.get(PODS, "ns", "a"),
            "put": lambda: client.put(PODS, "ns", "a", b"{}"),
            "delete": lambda: client.delete(PODS, "ns", "a"),
        }
        begun = loop.time()
        with pytest.raises(UnreachableError) as caught:
            await calls[method]()
        limit = QUICK.read if method == "get" else QUICK.whole_write
        assert limit <= loop.time() - begun < limit + 1
    assert caught.value.may_have_applied is (method != "get")
    assert len(http.seen) == 1


@pytest.mark.parametrize("method", ["get", "put", "delete", "create"])
async def test_nothing_is_sent_twice_when_a_kept_connection_breaks(
    http: Server, method: str
) -> None:
    """aiohttp would repeat GET, PUT and DELETE by itself: past the guard, perhaps applied."""

    async def reset(request: web.BaseRequest) -> web.StreamResponse:
        if len(http.seen) > 1:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({})

    http.handler = reset
    async with a_client(http) as client:
        await client.get(PODS, "ns", "warm")  # there is now a connection to be reused
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "get": lambda: client.get(PODS, "ns", "a"),
            "put": lambda: client.put(PODS, "ns", "a", b"{}"),
            "delete": lambda: client.delete(PODS, "ns", "a"),
            "create": lambda: client.create(PODS, "ns", b"{}"),
        }
        with pytest.raises(UnreachableError) as caught:
            await calls[method]()
    assert caught.value.may_have_applied is (method != "get")
    assert len(http.seen) == 2


async def test_an_answer_cut_in_the_middle_is_no_answer(http: Server) -> None:
    async def cut(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"kind": ')
        assert request.transport is not None
        request.transport.abort()
        return response

    http.handler = cut
    async with a_client(http) as client:
        with pytest.raises(UnreachableError) as caught:
            await client.put(PODS, "ns", "a", b"{}")
    assert caught.value.may_have_applied


async def test_a_refused_connection_leaves_nothing_open(http: Server) -> None:
    connection = a_connection("http://127.0.0.1:1")
    async with a_client(http, connection=connection) as client:
        with pytest.raises(UnreachableError, match="no answer from the API server") as caught:
            await client.create(PODS, "ns", b"{}")
        with pytest.raises(UnreachableError):
            async with client.watch(PODS, resource_version="1"):
                pass
    assert not caught.value.may_have_applied


async def test_a_certificate_that_nobody_vouches_for_is_an_answer_for_people(
    http: Server,
) -> None:
    connection = replace(
        a_connection(http.url.replace("http", "https")), ssl=ssl.create_default_context()
    )
    async with a_client(http, connection=connection) as client:
        with pytest.raises(UnreachableError, match="no answer from the API server"):
            await client.get(PODS, "ns", "a")


async def test_a_redirect_is_not_followed(http: Server) -> None:
    async def redirect(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{http.url}/elsewhere"})

    http.handler = redirect
    async with a_client(http) as client:
        with pytest.raises(ServerError):
            await client.get(PODS, "ns", "a")
    assert len(http.seen) == 1


class FakeLimiter:
    """Counts."""

    def __init__(self) -> None:
        self.acquired = 0
        self.paused: list[float] = []

    async def acquire(self) -> None:
        self.acquired += 1

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)


async def test_only_writes_pass_the_limiter_and_429_pauses_it(http: Server) -> None:
    limiter = FakeLimiter()
    http.answer((200, "{}"), (200, "{}"), (429, '{"details": {"retryAfterSeconds": 7}}'))
    async with a_client(http, limiter=limiter) as client:
        await client.get(PODS, "ns", "a")
        await client.create(PODS, "ns", b"{}")
        assert (limiter.acquired, limiter.paused) == (1, [])
        with pytest.raises(TooManyRequestsError):
            await client.create(PODS, "ns", b"{}")
    assert (limiter.acquired, limiter.paused) == (2, [7.0])


async def test_each_call_is_observed_with_its_verb_kind_and_code(http: Server) -> None:
    calls: list[tuple[str, str, int]] = []

    def observe(call: Call) -> None:
        assert 0 <= call.seconds < 5
        assert bool(call.date) is (call.status > 0)
        calls.append((call.verb, call.kind, call.status))

    http.answer((200, "{}"), (409, "{}"), (404, "{}"), (200, "{}"), (200, "{}"))
    async with a_client(http, observe=observe) as client:
        await client.list_page(PODS)
        with pytest.raises(Exception, match="409"):
            await client.put(PODS, "ns", "a", b"{}", subresource="status")
        assert await client.delete(PODS, "ns", "a") is None
        async with client.watch(PODS, resource_version="1"):
            pass
        async with client.read_stream(PODS, "ns", "a", "log", params={}, silence=1):
            pass
    async with a_client(
        http, observe=observe, connection=a_connection("http://127.0.0.1:1")
    ) as client:
        with pytest.raises(UnreachableError):
            await client.create(PODS, "ns", b"{}")
    assert calls == [
        ("list", "Pod", 200),
        ("update", "Pod/status", 409),
        ("delete", "Pod", 404),
        ("watch", "Pod", 200),
        ("get", "Pod/log", 200),
        ("create", "Pod", 0),
    ]


async def test_the_limit_on_calls_does_not_count_watches(http: Server) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if "watch" not in request.query:
            return web.json_response({})
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(60)
        return response

    http.handler = handler
    async with (
        a_client(http, limit=1) as client,
        client.watch(PODS, resource_version="1"),
        client.watch(PODS, resource_version="1"),
    ):
        await asyncio.wait_for(client.get(PODS, "ns", "a"), 5)
