"""What runs may do to runs, and what is told while Kubernetes does not answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.integration.api.run_bench import NAMESPACE, RunBench, run_bench, until
from tests.support.apiserver import ApiServer, on

from actor_operator.desired.names import ids
from actor_operator.desired.tokens import PermissionLevel, RunIdentity
from actor_operator.services.identity import OF_RUNS, Caller
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.runs import RunRow, RunRows

ACCOUNT = 1


@pytest.fixture
def backend() -> str:
    """The tests of this file are of access, not of databases."""
    return "sqlite"


@pytest.fixture
async def bench(
    server: ApiServer, database: Database, objects: ObjectStore
) -> AsyncIterator[RunBench]:
    """A bench with a run that asks, one that it has started, and another one; nothing runs them."""
    async with run_bench(server, database, objects) as bench:
        for name in ("asking", "child", "stranger"):
            server.create("actorruns", {"metadata": {"name": name}, "spec": {"actor": "quick"}})

        async def all_there() -> bool:
            return len(await rows(bench)) == 3

        await until("they have rows", all_there)
        meta = b'{"origin":"ACTOR","parentActorRunId":"%s"}' % id_of(bench, "asking").encode()
        child = id_of(bench, "child")
        await database.write(
            lambda connection: RunRows(connection, ACCOUNT).change(child, meta=meta)
        )
        bench.gate.callers["limited"] = asking(bench, PermissionLevel.LIMITED)
        bench.gate.callers["full"] = asking(bench, PermissionLevel.FULL)
        yield bench


async def rows(bench: RunBench) -> list[RunRow]:
    return await bench.database.read(lambda c: RunRows(c, ACCOUNT).unfinished())


def id_of(bench: RunBench, name: str) -> str:
    run = bench.directory.by_name(NAMESPACE, name)
    assert run is not None
    return ids(run).run


def asking(bench: RunBench, level: PermissionLevel) -> Caller:
    run = bench.directory.by_name(NAMESPACE, "asking")
    assert run is not None
    identity = RunIdentity("key", NAMESPACE, run.name, run.uid, 1, level)
    return Caller(ACCOUNT, NAMESPACE, OF_RUNS, identity)


def not_told_of(bench: RunBench, name: str) -> None:
    """Make it as if the informer had not told of a run yet."""
    del bench.runs._objects[NAMESPACE, name]


async def status_of(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> int:
    return (await client.request(method, f"/v2/actor-runs/{path}", **more)).status_code


async def test_a_limited_run_sees_itself_and_what_it_has_started(bench: RunBench) -> None:
    async with bench.client("limited") as client:
        for name, expected in (("asking", 200), ("child", 200), ("stranger", 404)):
            run_id = id_of(bench, name)
            assert await status_of(client, "GET", run_id) == expected, name
            assert await status_of(client, "PUT", run_id, json={}) == expected, name
            assert await status_of(client, "POST", f"{run_id}/abort") == expected, name
            assert await status_of(client, "DELETE", run_id) == 403
        assert (await client.get("/v2/actor-runs")).status_code == 403
    aborted = bench.server.get("actorruns", NAMESPACE, "stranger")
    assert "abort" not in aborted["spec"]


async def test_a_full_run_sees_all_runs_and_removes_none(bench: RunBench) -> None:
    async with bench.client("full") as client:
        for name in ("asking", "child", "stranger"):
            run_id = id_of(bench, name)
            assert await status_of(client, "GET", run_id) == 200
            assert await status_of(client, "DELETE", run_id) == 403
        assert (await client.get("/v2/actor-runs")).json()["data"]["total"] == 3


async def test_a_held_request_is_answered_when_the_server_stops(bench: RunBench) -> None:
    run_id = id_of(bench, "stranger")
    async with bench.client() as client:
        held = asyncio.create_task(client.get(f"/v2/actor-runs/{run_id}?waitForFinish=60"))

        async def is_held() -> bool:
            return bench.hub.waiting == 1

        await until("it is held", is_held)
        bench.hub.close()
        answer = await held
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "READY")


async def test_a_held_request_is_answered_as_soon_as_the_run_has_gone(bench: RunBench) -> None:
    run_id = id_of(bench, "stranger")
    async with bench.client() as client:
        held = asyncio.create_task(client.get(f"/v2/actor-runs/{run_id}?waitForFinish=60"))

        async def is_held() -> bool:
            return bench.hub.waiting == 1

        await until("it is held", is_held)
        bench.server.delete("actorruns", NAMESPACE, "stranger")
        assert (await held).status_code == 404


async def test_what_is_at_hand_is_told_while_kubernetes_does_not_answer(bench: RunBench) -> None:
    run_id = id_of(bench, "stranger")
    bench.server.faults.fail(503, on("get", "actorruns", times=None))
    not_told_of(bench, "stranger")
    async with bench.client() as client:
        answer = await client.get(f"/v2/actor-runs/{run_id}")
    assert (answer.status_code, answer.json()["data"]["id"]) == (200, run_id)


async def test_a_run_that_the_informer_has_not_told_of_is_asked_for(bench: RunBench) -> None:
    run_id = id_of(bench, "stranger")
    not_told_of(bench, "stranger")
    async with bench.client() as client:
        answer = await client.get(f"/v2/actor-runs/{run_id}")
    assert (answer.status_code, answer.json()["data"]["id"]) == (200, run_id)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (422, (400, "invalid-request")),
        (403, (403, "insufficient-permissions")),
        (429, (503, "service-unavailable")),
        (500, (503, "service-unavailable")),
    ],
)
async def test_what_kubernetes_does_not_take_is_no_failure_of_ours(
    bench: RunBench, status: int, told: tuple[int, str]
) -> None:
    bench.server.faults.fail(status, on("patch", "actorruns", times=None))
    async with bench.client() as client:
        answer = await client.post(f"/v2/actor-runs/{id_of(bench, 'stranger')}/abort")
    assert (answer.status_code, answer.json()["error"]["type"]) == told


async def test_a_cluster_that_asks_to_slow_down_is_an_outage_and_no_failure(
    bench: RunBench,
) -> None:
    run_id = id_of(bench, "stranger")
    bench.server.faults.fail(429, on("get", "actorruns", times=None))
    not_told_of(bench, "stranger")
    async with bench.client() as client:
        read = await client.get(f"/v2/actor-runs/{run_id}")
        aborted = await client.post(f"/v2/actor-runs/{run_id}/abort")
    assert read.status_code == 200
    assert aborted.status_code == 503
