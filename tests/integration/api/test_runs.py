"""Runs over HTTP, with the real operator and an API server of Kubernetes in this process."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.api.run_bench import NAMESPACE, SETTINGS, RunBench, run_bench, until
from tests.integration.operator.bench import SCENARIOS
from tests.integration.operator.replica import Replica
from tests.support.apiserver import ApiServer, PodPlayer

from actor_operator.desired.names import ids_of
from actor_operator.services.identity import Permission
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.records import Records
from actor_operator.storage.run_starts import INPUT_KEY
from actor_operator.storage.runs import RunRows

SPEED = 50.0
"""Seconds of a pod's life that pass in one second."""

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
    server: ApiServer, database: Database, objects: ObjectStore, tmp_path: Path
) -> AsyncIterator[RunBench]:
    """A bench without an operator."""
    for name in SCENARIOS:
        make_actor(server, name)
    async with run_bench(server, database, objects) as bench:
        yield bench


@pytest.fixture
async def client(bench: RunBench) -> AsyncIterator[httpx.AsyncClient]:
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


# Starting


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


async def until_found(client: httpx.AsyncClient, actor: str) -> None:
    async def is_found() -> bool:
        return (await client.get(f"/v2/actors/{actor}")).status_code == 200

    await until("the Actor is seen", is_found)


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


def limit(server: ApiServer, **spec: Any) -> None:
    server.create("actoraccounts", {"metadata": {"name": NAMESPACE}, "spec": spec})


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
