"""Calls of routes of runs, and the world in which they are made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from tests.integration.api.run_bench import NAMESPACE, SETTINGS, RunBench, run_bench, until
from tests.integration.operator.bench import SCENARIOS
from tests.integration.operator.replica import Replica
from tests.support.apiserver import ApiServer, PodPlayer

from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore

SPEED = 50.0
"""Seconds of a pod's life that pass in one second."""


@asynccontextmanager
async def unoperated(
    server: ApiServer, database: Database, objects: ObjectStore
) -> AsyncIterator[RunBench]:
    """A bench with an Actor for each scenario, and without an operator."""
    for name in SCENARIOS:
        make_actor(server, name)
    async with run_bench(server, database, objects) as bench:
        yield bench


@asynccontextmanager
async def operated(bench: RunBench) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the account's owner; the operator works, and pods are played."""
    replica = Replica(bench.server, SETTINGS)
    with PodPlayer(bench.server, SCENARIOS, speed=SPEED):
        async with bench.client() as client:
            yield client
        await replica.stopped()


def make_actor(server: ApiServer, name: str, namespace: str = NAMESPACE, **spec: Any) -> None:
    build = {"number": "1.0.1", "image": f"registry.example/{name}:1", **spec.pop("build", {})}
    body = {"builds": [build], "taggedBuilds": {"latest": "1.0.1"}, **spec}
    server.create("actors", {"metadata": {"name": name, "namespace": namespace}, "spec": body})


async def start(client: httpx.AsyncClient, actor: str = "quick", **options: Any) -> dict[str, Any]:
    answer = await client.post(f"/v2/actors/{actor}/runs", **options)
    assert answer.status_code == 201, answer.text
    run: dict[str, Any] = answer.json()["data"]
    return run


async def get(client: httpx.AsyncClient, run_id: str, **params: Any) -> dict[str, Any]:
    answer = await client.get(f"/v2/actor-runs/{run_id}", params=params)
    assert answer.status_code == 200, answer.text
    run: dict[str, Any] = answer.json()["data"]
    return run


async def finished(client: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    run = await get(client, run_id, waitForFinish=60)
    assert run["finishedAt"] is not None, run
    return run


async def until_status(client: httpx.AsyncClient, run_id: str, status: str) -> None:
    async def is_so() -> bool:
        return bool((await get(client, run_id))["status"] == status)

    await until(f"the run is {status}", is_so)


def error_of(answer: httpx.Response) -> str:
    kind: str = answer.json()["error"]["type"]
    return kind


async def until_found(client: httpx.AsyncClient, actor: str) -> None:
    async def is_found() -> bool:
        return (await client.get(f"/v2/actors/{actor}")).status_code == 200

    await until("the Actor is seen", is_found)


def limit(server: ApiServer, **spec: Any) -> None:
    server.create("actoraccounts", {"metadata": {"name": NAMESPACE}, "spec": spec})
