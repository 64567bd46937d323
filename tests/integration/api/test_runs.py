"""Runs over HTTP, with the real operator and an API server of Kubernetes in this process."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.integration.api.run_bench import NAMESPACE, RunBench, until
from tests.integration.api.run_calls import (
    error_of,
    finished,
    get,
    limit,
    operated,
    start,
    unoperated,
    until_status,
)
from tests.support.apiserver import ApiServer

from actor_operator.services.identity import Permission
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore


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


# Afterwards


async def test_an_aborted_run_says_so_at_once_and_ends(client: httpx.AsyncClient) -> None:
    run = await start(client, "endless")
    await until_status(client, run["id"], "RUNNING")

    answer = await client.post(f"/v2/actor-runs/{run['id']}/abort", params={"gracefully": "true"})

    assert answer.json()["data"]["status"] == "ABORTING"
    await client.post(f"/v2/actor-runs/{run['id']}/abort")
    ended = await finished(client, run["id"])
    assert ended["status"] == "ABORTED"
    assert ended["statusMessage"] == "Actor was aborted."
    again = await client.post(f"/v2/actor-runs/{run['id']}/abort")
    assert (again.status_code, again.json()["data"]["status"]) == (200, "ABORTED")


async def test_a_resurrected_run_is_not_finished_any_more_from_the_answer_on(
    client: httpx.AsyncClient,
) -> None:
    run = await start(client, params={"waitForFinish": 60})

    answer = await client.post(f"/v2/actor-runs/{run['id']}/resurrect", params={"timeout": 77})

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["status"] == "READY"
    assert answer.json()["data"]["finishedAt"] is None
    ended = await finished(client, run["id"])
    assert ended["status"] == "SUCCEEDED"
    assert ended["stats"]["resurrectCount"] == 1
    assert ended["startedAt"] == run["startedAt"]
    assert ended["buildNumber"] == run["buildNumber"]
    assert ended["options"]["timeoutSecs"] == 77


async def test_a_resurrection_without_room_changes_nothing(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    run = await start(client, params={"waitForFinish": 60, "memory": 1024})
    limit(bench.server, memoryLimitMbytes=1024)
    blocker = await start(client, "endless", params={"memory": 1024})
    await until_status(client, blocker["id"], "RUNNING")

    answer = await client.post(f"/v2/actor-runs/{run['id']}/resurrect")

    assert (answer.status_code, error_of(answer)) == (402, "actor-memory-limit-exceeded")
    assert "resurrect" not in bench.server.get("actorruns", NAMESPACE, run["id"])["spec"]


async def test_only_a_finished_run_can_be_resurrected(client: httpx.AsyncClient) -> None:
    run = await start(client, "endless")
    answer = await client.post(f"/v2/actor-runs/{run['id']}/resurrect")
    assert answer.status_code == 400


async def test_a_rebooted_run_goes_on_and_a_finished_one_is_refused_in_the_words_of_clients(
    client: httpx.AsyncClient,
) -> None:
    run = await start(client, "endless")
    await until_status(client, run["id"], "RUNNING")
    answer = await client.post(f"/v2/actor-runs/{run['id']}/reboot")
    assert answer.status_code == 200, answer.text

    async def is_rebooted() -> bool:
        return bool((await get(client, run["id"]))["stats"]["rebootCount"] == 1)

    await until("it is rebooted", is_rebooted)
    await client.post(f"/v2/actor-runs/{run['id']}/abort")
    await finished(client, run["id"])

    refused = await client.post(f"/v2/actor-runs/{run['id']}/reboot")

    assert (refused.status_code, error_of(refused)) == (403, "job-finished")
    assert "already finished" in refused.text


async def test_a_status_message_is_kept_also_after_the_end(client: httpx.AsyncClient) -> None:
    run = await start(client, params={"waitForFinish": 60})
    answer = await client.put(
        f"/v2/actor-runs/{run['id']}",
        json={
            "runId": run["id"],
            "statusMessage": "Done it all.",
            "isStatusMessageTerminal": True,
            "level": "INFO",
        },
    )
    assert answer.json()["data"]["statusMessage"] == "Done it all."
    assert (await get(client, run["id"]))["isStatusMessageTerminal"] is True


async def test_only_a_finished_run_can_be_removed_and_goes_with_its_storages(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    run = await start(client, "endless")
    refused = await client.delete(f"/v2/actor-runs/{run['id']}")
    assert (refused.status_code, error_of(refused)) == (400, "cannot-remove-running-run")
    await client.post(f"/v2/actor-runs/{run['id']}/abort")
    await finished(client, run["id"])

    assert (await client.delete(f"/v2/actor-runs/{run['id']}")).status_code == 204

    gone = await client.get(f"/v2/actor-runs/{run['id']}")
    assert (gone.status_code, error_of(gone)) == (404, "record-not-found")
    assert bench.server.find("actorruns", NAMESPACE, run["id"]) is None
    assert (await client.get("/v2/actor-runs")).json()["data"]["total"] == 0


async def test_metamorph_and_charge_are_refused_in_words(client: httpx.AsyncClient) -> None:
    run = await start(client, "endless")
    for path in ("metamorph?targetActorId=quick", "charge"):
        answer = await client.post(f"/v2/actor-runs/{run['id']}/{path}", json={})
        assert (answer.status_code, error_of(answer)) == (400, "invalid-request")
        assert "not supported" in answer.text


# Lists


async def test_lists_count_and_filter_runs(client: httpx.AsyncClient) -> None:
    first = await start(client, params={"waitForFinish": 60})
    second = await start(client, "fails", params={"waitForFinish": 60})
    third = await start(client, "endless")

    async def listed(path: str = "/v2/actor-runs", **params: Any) -> list[str]:
        found = (await client.get(path, params=params)).json()["data"]
        assert found["count"] == len(found["items"])
        return [item["id"] for item in found["items"]]

    async def is_mirrored() -> bool:
        return await listed(status="FAILED") == [second["id"]]

    await until("rows follow the objects", is_mirrored)
    assert await listed() == [first["id"], second["id"], third["id"]]
    assert await listed(desc="1", limit="1") == [third["id"]]
    assert await listed(offset="1", limit="1") == [second["id"]]
    assert await listed(status="SUCCEEDED,FAILED") == [first["id"], second["id"]]
    assert await listed("/v2/acts/fails/runs") == [second["id"]]
    assert await listed(startedAfter=second["startedAt"]) == [second["id"], third["id"]]
    assert await listed(startedBefore=second["startedAt"]) == [first["id"], second["id"]]
    page = (await client.get("/v2/actor-runs", params={"limit": "1"})).json()["data"]
    assert (page["total"], page["limit"], page["offset"]) == (3, 1, 0)
    assert {"usageTotalUsd", "meta", "buildId", "defaultDatasetId"} <= set(page["items"][0])
    last = await client.get("/v2/actors/quick/runs/last", params={"status": "SUCCEEDED"})
    assert last.json()["data"]["id"] == first["id"]
    none = await client.get("/v2/actors/quick/runs/last", params={"status": "FAILED"})
    assert (none.status_code, error_of(none)) == (404, "record-not-found")


async def test_a_run_made_with_kubectl_is_listed_and_its_deletion_seen(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    bench.server.create("actorruns", {"metadata": {"name": "mine"}, "spec": {"actor": "quick"}})

    async def ids_listed() -> list[str]:
        found = (await client.get("/v2/actor-runs", params={"status": "SUCCEEDED"})).json()
        return [item["id"] for item in found["data"]["items"]]

    await until("it is listed", ids_listed)
    run = await get(client, (await ids_listed())[0])
    assert run["meta"]["origin"] == "CLI"
    assert run["options"]["memoryMbytes"] == 1024

    bench.server.delete("actorruns", NAMESPACE, "mine")

    async def is_gone() -> bool:
        answer = await client.get(f"/v2/actor-runs/{run['id']}")
        return answer.status_code == 404 and await ids_listed() == []

    await until("nobody finds it", is_gone)
    assert (await client.get("/v2/actor-runs")).json()["data"]["total"] == 0


# Results as answers


async def test_run_sync_answers_with_the_output_or_says_what_went_wrong(
    client: httpx.AsyncClient,
) -> None:
    failed = await client.post("/v2/actors/fails/run-sync")
    assert (failed.status_code, error_of(failed)) == (400, "run-failed")
    missing = await client.post("/v2/actors/quick/run-sync")
    assert (missing.status_code, error_of(missing)) == (404, "record-not-found")
    given = await client.post(
        "/v2/actors/quick/run-sync", params={"outputRecordKey": "INPUT"}, json={"a": 1}
    )
    assert (given.status_code, given.json()) == (201, {"a": 1})
    items = await client.post("/v2/actors/quick/run-sync-get-dataset-items")
    assert (items.status_code, items.json()) == (201, [])


# Who may


async def test_nobody_else_finds_a_run_unless_its_owner_shares_it(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    run = await start(client, params={"waitForFinish": 60})
    bench.gate.callers["other"] = await bench.caller("actor-operator-system")
    async with bench.client("other") as other, bench.client("nobody") as nobody:
        for stranger in (other, nobody):
            answer = await stranger.get(f"/v2/actor-runs/{run['id']}")
            assert (answer.status_code, error_of(answer)) == (404, "record-not-found")
        await client.put(
            f"/v2/actor-runs/{run['id']}", json={"generalAccess": "ANYONE_WITH_ID_CAN_READ"}
        )
        for stranger in (other, nobody):
            assert (await stranger.get(f"/v2/actor-runs/{run['id']}")).status_code == 200
        answer = await other.post(f"/v2/actor-runs/{run['id']}/abort")
        assert answer.status_code == 404


async def test_a_reader_cannot_start_runs(bench: RunBench) -> None:
    bench.gate.callers["reader"] = await bench.caller(NAMESPACE, [Permission.READ])
    async with bench.client("reader") as reader:
        assert (await reader.post("/v2/actors/quick/runs")).status_code == 403
        assert (await reader.get("/v2/actor-runs")).status_code == 200
