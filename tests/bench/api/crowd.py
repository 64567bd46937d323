"""What a crowd that waits costs the others: held requests and followed logs beside pushes."""

import asyncio
from time import perf_counter

import msgspec
from prometheus_client.parser import text_string_to_metric_families
from tests.bench.api.arena import Arena
from tests.bench.api.client import Call, Connection, measure
from tests.bench.api.operations import ONE
from tests.bench.api.report import quantile

WAITS, STREAMS = 1000, 500
"""How many requests are held, and how many logs are followed."""

CONNECTIONS = 8
"""How many push at the same time."""

ROUNDS = 3

QUICK_ANSWERS, QUICK_SECONDS = 20, 0.03
"""So many answers one after the other, each in so short a time, mean that nothing waits."""

OPEN = "actor_operator_api_open_requests"
"""The metric of requests that are not answered yet."""


class Crowd(msgspec.Struct, frozen=True):
    """Milliseconds of pushes, medians of some rounds."""

    p50: float
    p99: float
    crowded_p50: float
    crowded_p99: float


async def measure_in_crowd(arena: Arena, seconds: float) -> Crowd:
    """Push items without, and with a crowd."""
    run = msgspec.json.decode(
        await arena.served.ask(Call("POST", "/v2/actors/endless/runs", status=201))
    )["data"]["id"]
    path = f"{await arena.make('datasets')}/items"
    found = []
    for _ in range(ROUNDS):
        alone = await _push(arena, path, seconds)
        crowd = await _gather(arena, run)
        crowded = await _push(arena, path, seconds)
        for connection in crowd:
            connection.close()
        found.append((*alone, *crowded))
    middle = [sorted(figures)[ROUNDS // 2] for figures in zip(*found, strict=True)]
    await arena.served.ask(Call("POST", f"/v2/actor-runs/{run}/abort"))
    return Crowd(*middle)


async def _push(arena: Arena, path: str, seconds: float) -> tuple[float, float]:
    side = arena.served
    sample = await measure(
        side.port,
        side.headers,
        lambda _: Call("POST", path, ONE, 201),
        connections=CONNECTIONS,
        seconds=seconds,
    )
    return quantile(sample.latencies, 0.5), quantile(sample.latencies, 0.99)


async def _gather(arena: Arena, run: str) -> list[Connection]:
    side, opened = arena.served, []
    for number in range(WAITS + STREAMS):
        connection = await Connection.open(side.port, side.headers)
        path = (
            f"/v2/actor-runs/{run}?waitForFinish=60"
            if number < WAITS
            else f"/v2/actor-runs/{run}/log?stream=1"
        )
        connection.send(Call("GET", path))
        opened.append(connection)
    async with asyncio.timeout(60):
        while await _open(arena) < WAITS + STREAMS:  # noqa: ASYNC110 -- it is another process
            await asyncio.sleep(0.1)
        await _settled(arena)
    return opened


async def _settled(arena: Arena) -> None:
    """Return once the server answers quickly again: it has looked at all of the crowd."""
    quick = 0
    while quick < QUICK_ANSWERS:
        begun = perf_counter()
        await arena.served.ask(Call("GET", "/v2/users/me"))
        quick = quick + 1 if perf_counter() - begun < QUICK_SECONDS else 0


async def _open(arena: Arena) -> float:
    """How many requests the server says that it has not answered yet."""
    text = (await arena.health.ask(Call("GET", "/metrics"))).decode()
    return next(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == OPEN
    )
