"""Clients that come through a proxy, as the process on its real port tells them apart."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests.cluster_tool.ports import free_ports
from tests.integration.api.world import until

from actor_operator.metrics_api import ApiMetrics
from actor_operator.server.gate import Gate
from actor_operator.server.process import serve
from actor_operator.services.authentication import Authentication
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import Permission
from actor_operator.services.rates import Rates
from actor_operator.settings_api import ApiSettings

BURST = 2
"""Requests of one address."""

HERE = "127.0.0.0/8"
"""Where the tests ask from, as if they were a proxy."""


class Service:
    """Nothing behind the ports."""

    def __init__(self) -> None:
        self.metrics = ApiMetrics()
        self.synced = True

    async def warm(self) -> None: ...

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        return {}

    def stop_waiting(self) -> None: ...

    async def close(self) -> None: ...


def gated() -> Starlette:
    """Answers as the gate decides, and whose address it saw."""
    authentication = Authentication.__new__(Authentication)  # nobody shows a token
    gate = Gate(authentication, Rates(per_second=1e-6, burst=BURST, now=time.monotonic))

    async def answer(request: Request) -> PlainTextResponse:
        try:
            await gate.admit(request, Permission.PUBLIC)
        except ApiError as error:
            return PlainTextResponse(error.error_type, error.status)
        assert request.client is not None
        return PlainTextResponse(request.client.host)

    return Starlette(routes=[Route("/", answer)])


@asynccontextmanager
async def served(*trusted: str) -> AsyncIterator[httpx.AsyncClient]:
    port, metrics_port = free_ports(2)
    settings = ApiSettings(
        host="127.0.0.1", port=port, metrics_port=metrics_port, trusted_proxies=trusted
    )
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(Service(), gated(), settings, stop))
    ready = f"http://127.0.0.1:{metrics_port}/readyz"

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

        async def answers() -> bool:
            try:
                return (await client.get(ready)).status_code == 200
            except httpx.TransportError:
                return False

        await until("the process serves", answers)
        yield client
    stop.set()
    await serving


async def ask(client: httpx.AsyncClient, said: str) -> str:
    return (await client.get("/", headers={"X-Forwarded-For": said})).text


async def test_those_behind_a_trusted_proxy_are_counted_one_by_one() -> None:
    async with served(HERE) as client:
        answers = [await ask(client, f"192.0.2.{n}") for n in (1, 1, 1, 2, 2, 2)]

    over = "rate-limit-exceeded"
    assert answers == ["192.0.2.1", "192.0.2.1", over, "192.0.2.2", "192.0.2.2", over]


async def test_anybody_elses_word_on_an_address_is_not_believed() -> None:
    async with served("192.0.2.0/24") as client:
        answers = [await ask(client, f"198.51.100.{n}") for n in range(3)]

    assert answers == ["127.0.0.1", "127.0.0.1", "rate-limit-exceeded"]


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("203.0.113.9, 198.51.100.1, 127.0.0.7", "198.51.100.1"),  # written by a client: the first
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
    ],
)
async def test_the_address_is_the_last_one_that_is_no_trusted_proxy(said: str, seen: str) -> None:
    async with served(HERE) as client:
        assert await ask(client, said) == seen


async def test_without_trusted_proxies_the_header_means_nothing() -> None:
    async with served() as client:
        assert await ask(client, "198.51.100.1") == "127.0.0.1"
