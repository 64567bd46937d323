"""Starts of runs over HTTP, with the real operator and an API server in this process."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.integration.api.run_bench import NAMESPACE, SETTINGS, RunBench, run_bench
from tests.integration.api.run_calls import (
    error_of,
    finished,
    limit,
    make_actor,
    operated,
    start,
    unoperated,
    until_found,
)
from tests.support.apiserver import ApiServer

from actor_operator.desired.names import ids_of
from actor_operator.storage.database import Database, DatabaseUnavailableError
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.records import Records
from actor_operator.storage.run_starts import INPUT_KEY
from actor_operator.storage.runs import RunRows

SCHEMA = {
    "title": "Input",
    "type": "object",
    "schemaVersion": 1,
    "properties": {
        "url": {"title": "URL", "type": "string", "editor": "textfield", "default": "https://a.b"},
        "depth": {"title": "Depth", "type": "integer", "minimum": 1},
    },
}


@pytest.fixture
def backend() -> str:
    """The tests of this file are of runs, not of databases."""
    return "sqlite"


@pytest.fixture
async def bench(
    server: ApiServer, database: Database, objects: ObjectStore
) -> AsyncIterator[RunBench]:
    """A bench without an operator."""
    async with unoperated(server, database, objects) as bench:
        yield bench


@pytest.fixture
async def client(bench: RunBench) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the account's owner, with an operator."""
    async with operated(bench) as client:
        yield client


async def test_a_started_run_is_told_with_all_that_clients_need_and_waited_for(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    run = await start(client, params={"memory": 256, "timeout": 60}, json={"a": 1})

    known = ids_of(run["id"])
    assert run["status"] in {"READY", "RUNNING"}
    assert run["defaultDatasetId"] == known.dataset
    assert run["options"]["memoryMbytes"] == 256
    assert run["options"]["diskMbytes"] == 512
    assert run["options"]["build"] == "latest"
    assert run["buildNumber"] == "1.0.1"
    assert run["meta"]["origin"] == "API"
    assert run["stats"]["inputBodyLen"] == len(b'{"a":1}')
    ended = await finished(client, run["id"])
    assert ended["status"] == "SUCCEEDED"
    assert ended["exitCode"] == 0
    assert ended["startedAt"] == run["startedAt"]
    stored = await bench.database.read(
        lambda connection: Records(connection, 1).get(known.key_value_store, INPUT_KEY)
    )
    assert stored is not None
    assert stored[1] == b'{"a":1}'
    made = bench.server.get("actorruns", NAMESPACE, run["id"])
    assert "input" not in made["spec"]


async def test_a_start_may_wait_for_the_end(client: httpx.AsyncClient) -> None:
    run = await start(client, params={"waitForFinish": 60})
    assert run["status"] == "SUCCEEDED"


async def test_who_would_wait_without_a_place_starts_nothing(
    server: ApiServer, database: Database, objects: ObjectStore
) -> None:
    settings = SETTINGS.model_copy(
        update={
            "api": SETTINGS.api.model_copy(
                update={
                    "limits": SETTINGS.api.limits.model_copy(update={"max_waiting_requests": 1})
                }
            )
        }
    )
    make_actor(server, "quick")
    async with run_bench(server, database, objects, settings) as bench, bench.client() as client:
        await until_found(client, "quick")
        with bench.uses.answers.place():
            answers = [
                await client.post(f"/v2/actors/quick/{path}")
                for path in ("runs?waitForFinish=5", "run-sync", "run-sync-get-dataset-items")
            ]

    assert [answer.status_code for answer in answers] == [429, 429, 429]
    assert server.objects("actorruns", NAMESPACE) == []


async def test_a_start_is_answered_although_the_wait_for_its_end_fails(
    client: httpx.AsyncClient, bench: RunBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise DatabaseUnavailableError("no answer")

    monkeypatch.setattr(bench.uses.answers, "_again", fail)

    run = await start(client, params={"waitForFinish": 5})

    assert run["id"]


async def test_null_and_nothing_are_an_empty_object(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    null: dict[str, Any] = {"content": b"null", "headers": {"Content-Type": "application/json"}}
    for run in (await start(client), await start(client, **null)):
        store = ids_of(run["id"]).key_value_store
        stored = await bench.database.read(
            lambda connection, store=store: Records(connection, 1).get(store, INPUT_KEY)  # type: ignore[misc]
        )
        assert stored is not None
        assert stored[1] == b"{}"


async def test_a_large_input_is_kept_in_the_object_store(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    body = json.dumps({"text": "x" * 100_000}).encode()
    run = await start(client, content=body, headers={"Content-Type": "application/json"})
    stored = await bench.database.read(
        lambda connection: Records(connection, 1).get(ids_of(run["id"]).key_value_store, INPUT_KEY)
    )
    assert stored is not None
    assert stored[0].size == len(body)
    assert stored[0].object_key is not None


async def test_an_input_is_completed_and_checked_by_the_schema_of_its_build(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    make_actor(bench.server, "checked", build={"inputSchema": json.dumps(SCHEMA)})
    await until_found(client, "checked")

    refused = await client.post("/v2/actors/checked/runs", json={"depth": "deep"})
    assert (refused.status_code, error_of(refused)) == (400, "invalid-input")
    assert "Field input.depth must be integer" in refused.text
    assert bench.server.objects("actorruns", NAMESPACE) == []
    valid = await client.post("/v2/actors/checked/validate-input", json={"depth": 3})
    assert valid.json() == {"valid": True}

    run = await start(client, "checked", json={"depth": 2})
    stored = await bench.database.read(
        lambda connection: Records(connection, 1).get(ids_of(run["id"]).key_value_store, INPUT_KEY)
    )
    assert stored is not None
    assert stored[1] is not None
    assert json.loads(stored[1]) == {"depth": 2, "url": "https://a.b"}


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        ({"memory": 300}, "invalid-value"),
        ({"memory": "much"}, "invalid-parameter"),
        ({"timeout": -1}, "invalid-value"),
        ({"build": "beta"}, "unknown-build-tag"),
        ({"build": "!"}, "unknown-build-tag"),
        ({"maxItems": 0}, "max-items-must-be-greater-than-zero"),
        ({"maxTotalChargeUsd": "nan"}, "max-total-charge-usd-must-be-greater-than-zero"),
        ({"webhooks": "W10="}, "invalid-request"),
        ({"forcePermissionLevel": "FULL_PERMISSIONS"}, "invalid-request"),
    ],
)
async def test_options_that_cannot_be_are_refused_before_anything_is_made(
    bench: RunBench, params: dict[str, Any], kind: str
) -> None:
    async with bench.client() as client:
        answer = await client.post("/v2/actors/quick/runs", params=params)
    assert (answer.status_code, error_of(answer)) == (400, kind)
    assert bench.server.objects("actorruns", NAMESPACE) == []


async def test_a_start_beyond_the_memory_of_the_account_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    limit(bench.server, memoryLimitMbytes=1024)
    await start(client, "endless", params={"memory": 1024})

    refused = await client.post("/v2/actors/quick/runs", params={"memory": 512})

    assert (refused.status_code, error_of(refused)) == (402, "actor-memory-limit-exceeded")
    assert "currently used: 1024 MB" in refused.text
    assert "requested: 512 MB" in refused.text
    assert len(bench.server.objects("actorruns", NAMESPACE)) == 1
    listed = (await client.get("/v2/actor-runs")).json()["data"]
    assert (listed["total"], listed["count"]) == (1, 1)


async def test_a_start_beyond_the_number_of_runs_is_refused(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    limit(bench.server, maxConcurrentRuns=1)
    await start(client, "endless")
    refused = await client.post("/v2/actors/quick/runs")
    assert (refused.status_code, error_of(refused)) == (402, "concurrent-runs-limit-exceeded")


async def test_a_start_for_a_suspended_account_is_refused(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    limit(bench.server, suspended=True)
    refused = await client.post("/v2/actors/quick/runs")
    assert (refused.status_code, error_of(refused)) == (403, "insufficient-permissions")
    assert bench.server.objects("actorruns", NAMESPACE) == []


async def test_without_a_verdict_the_run_is_taken_back(
    server: ApiServer, database: Database, objects: ObjectStore
) -> None:
    make_actor(server, "quick")
    limits = SETTINGS.api.limits.model_copy(update={"start_seconds": 0.2})
    settings = SETTINGS.model_copy(
        update={"api": SETTINGS.api.model_copy(update={"limits": limits})}
    )
    async with run_bench(server, database, objects, settings) as bench, bench.client() as client:
        answer = await client.post("/v2/actors/quick/runs")
        assert (answer.status_code, error_of(answer)) == (503, "service-unavailable")
        assert server.objects("actorruns", NAMESPACE) == []
        listed = (await client.get("/v2/actor-runs")).json()["data"]
        assert listed["total"] == 0
        rows = await database.read(lambda connection: RunRows(connection, 1).pending(2**60))
        assert rows == []
