"""Starts of runs: POST until 201, beside an ActorRun made by hand until its pod is there."""

import asyncio
from time import perf_counter

import msgspec
from tests.bench.api.arena import FEW, Arena
from tests.bench.api.client import Call
from tests.bench.api.report import quantile

COUNT = 40
"""Starts of each kind."""

RUN_UID = "actor-operator.dev/run-uid"


class Starts(msgspec.Struct, frozen=True):
    """Milliseconds of one start after the other."""

    p50: float
    p99: float
    bare_p50: float
    bare_p99: float


async def measure_starts(arena: Arena) -> Starts:
    """Start runs, in turn over the API and by hand."""
    served, bare = [], []
    for number in range(COUNT):
        begun = perf_counter()
        await arena.served.ask(Call("POST", "/v2/actors/quick/runs", status=201))
        served.append(perf_counter() - begun)
        begun = perf_counter()
        await _by_hand(arena, f"by-hand-{number}")
        bare.append(perf_counter() - begun)
    return Starts(
        quantile(served, 0.5), quantile(served, 0.99), quantile(bare, 0.5), quantile(bare, 0.99)
    )


async def _by_hand(arena: Arena, name: str) -> None:
    body = {"metadata": {"name": name}, "spec": {"actor": "quick"}}
    made = arena.kubernetes.create("actorruns", body, FEW)
    uid = made["metadata"]["uid"]
    while not any(  # noqa: ASYNC110 -- the pods are looked at where they are, without a watch
        pod["metadata"].get("labels", {}).get(RUN_UID) == uid
        for pod in arena.kubernetes.objects("pods", FEW)
    ):
        await asyncio.sleep(0.001)
