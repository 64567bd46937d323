"""What is measured: the same requests to the API server, and in short to the baseline."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from tests.bench.api.arena import Arena
from tests.bench.api.client import Call, Calls

ITEM = {"url": "https://example.org/product/12345", "title": "A product", "price": 12.5, "n": 1}
ONE = msgspec.json.encode(ITEM)
THOUSAND = msgspec.json.encode([ITEM | {"n": number} for number in range(1000)])
KILOBYTE, MEGABYTE = bytes(range(256)) * 4, bytes(range(256)) * 4096
KEYS = 64
"""Records that are written in turn."""

BATCH = 25
STOCK = 400
"""Batches of requests that are there before heads are locked."""


@dataclass(frozen=True)
class Prepared:
    """Requests for both sides."""

    served: Calls
    bare: Calls
    long: bool = False
    """Whether the API server is asked by the account with a long history."""


@dataclass(frozen=True)
class Operation:
    """One row of the table."""

    name: str
    prepare: Callable[[Arena], Awaitable[Prepared]]
    connections: int
    """How many ask at the same time where throughput is measured."""
    units: int = 1
    """How many things one request is about."""


def _push(body: bytes) -> Callable[[Arena], Awaitable[Prepared]]:
    async def prepare(arena: Arena) -> Prepared:
        path = f"{await arena.make('datasets')}/items"
        return Prepared(
            lambda _: Call("POST", path, body, 201), lambda _: Call("POST", "/push/x", body)
        )

    return prepare


def _put(body: bytes) -> Callable[[Arena], Awaitable[Prepared]]:
    async def prepare(arena: Arena) -> Prepared:
        path = f"{await arena.make('key-value-stores')}/records"
        return Prepared(
            lambda number: Call("PUT", f"{path}/key{number % KEYS}", body, 201),
            lambda number: Call("PUT", f"/put/key{number % KEYS}", body),
        )

    return prepare


def _get(body: bytes) -> Callable[[Arena], Awaitable[Prepared]]:
    async def prepare(arena: Arena) -> Prepared:
        path = f"{await arena.make('key-value-stores')}/records/key"
        await arena.served.ask(Call("PUT", path, body, 201))
        await arena.bare.ask(Call("PUT", f"/put/get{len(body)}", body))
        return Prepared(lambda _: Call("GET", path), lambda _: Call("GET", f"/get/get{len(body)}"))

    return prepare


NUMBERS = itertools.count()


def _batch() -> bytes:
    urls = [f"https://example.org/{next(NUMBERS)}" for _ in range(BATCH)]
    return msgspec.json.encode([{"url": url, "uniqueKey": url, "method": "GET"} for url in urls])


async def _add_batch(arena: Arena) -> Prepared:
    path = f"{await arena.make('request-queues')}/requests/batch"
    return Prepared(
        lambda _: Call("POST", path, _batch(), 201), lambda _: Call("POST", "/batch/x", _batch())
    )


async def _lock_head(arena: Arena) -> Prepared:
    queue = await arena.make("request-queues")
    for _ in range(STOCK):
        await arena.served.ask(Call("POST", f"{queue}/requests/batch", _batch(), 201))
        await arena.bare.ask(Call("POST", "/batch/x", _batch()))
    path = f"{queue}/head/lock?lockSecs=600&limit=1&clientKey=worker"
    return Prepared(
        lambda number: Call("POST", f"{path}{number % 50}", status=201),
        lambda _: Call("POST", "/lock/x"),
    )


def _list_runs(*, long: bool) -> Callable[[Arena], Awaitable[Prepared]]:
    async def prepare(_: Arena) -> Prepared:
        path = "/v2/actor-runs?limit=1000&desc=1"
        return Prepared(lambda _: Call("GET", path), lambda _: Call("GET", "/runs/x"), long)

    return prepare


OPERATIONS = (
    Operation("push 1 item", _push(ONE), 32),
    Operation("push 1,000 items", _push(THOUSAND), 8, 1000),
    Operation("put record, 1 KB", _put(KILOBYTE), 32),
    Operation("get record, 1 KB", _get(KILOBYTE), 32),
    Operation("put record, 1 MB", _put(MEGABYTE), 4),
    Operation("get record, 1 MB", _get(MEGABYTE), 4),
    Operation("add 25 requests", _add_batch, 8, 25),
    Operation("lock head, 50 workers", _lock_head, 50),
    Operation("list 1,000 of 1,000 runs", _list_runs(long=False), 2),
    Operation("list 1,000 of 100,000 runs", _list_runs(long=True), 2),
)
"""What is measured with its baseline in turn."""
