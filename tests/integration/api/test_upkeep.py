"""What becomes of runs, storages and accounts over time, in the whole API server."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.api.world import OWNER, World, until, world_on

from actor_operator.constants import ANNOTATION_ADOPT, LABEL_INSTALL
from actor_operator.storage.accounts import Accounts
from actor_operator.storage.runs import RunRows

DATASETS = "/v2/datasets"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_on("sqlite", tmp_path) as world:
        yield world


async def run_of(
    world: World, token: str, actor: str = "quick", seconds: int = 60
) -> dict[str, Any]:
    """A run that has been started, and how it is once it has ended or after a time."""
    async with world.client(token) as client:
        answer = await client.post(f"/v2/actors/{actor}/runs?waitForFinish={seconds}")
    found: dict[str, Any] = answer.json()["data"]
    return found


async def test_a_run_takes_its_unnamed_storages_and_its_log_along(world: World) -> None:
    token = await world.token(OWNER)
    run = await run_of(world, token)
    kept, gone = run["defaultDatasetId"], run["defaultKeyValueStoreId"]
    async with world.client(token) as client:
        assert (await client.put(f"{DATASETS}/{kept}", json={"name": "kept"})).status_code == 200
        await client.post(f"{DATASETS}/{kept}/items", json={"a": 1})
        assert (await client.delete(f"/v2/actor-runs/{run['id']}")).status_code == 204

        assert (await client.get(f"{DATASETS}/~kept/items")).json() == [{"a": 1}]
        assert (await client.get(f"{DATASETS}/{kept}")).json()["data"]["actRunId"] == run["id"]
        assert (await client.get(f"/v2/key-value-stores/{gone}")).status_code == 404
        assert (await client.get(f"/v2/logs/{run['id']}")).status_code == 404


async def test_what_a_run_has_locked_is_free_once_it_has_ended(world: World) -> None:
    token = await world.token(OWNER)
    run = await run_of(world, token, "endless", 0)
    queue = f"/v2/request-queues/{run['defaultRequestQueueId']}"
    async with world.client(token) as client:
        body = {"url": "https://example.com", "uniqueKey": "k", "method": "GET"}
        assert (await client.post(f"{queue}/requests", json=body)).status_code == 201
        async with world.client(world.token_of_run(run["id"])) as own:
            head = (await own.post(f"{queue}/head/lock?lockSecs=3600")).json()["data"]
            assert len(head["items"]) == 1
        await client.post(f"/v2/actor-runs/{run['id']}/abort")

        async def is_free() -> bool:
            found = await client.post(f"{queue}/head/lock?lockSecs=1")
            return len(found.json()["data"]["items"]) == 1

        await until("the request is free", is_free)


async def test_what_runs_have_used_counts_in_the_month_also_when_they_are_gone(
    world: World,
) -> None:
    token = await world.token(OWNER)
    run = await run_of(world, token, "endless", 0)
    path = f"/v2/actor-runs/{run['id']}"
    async with world.client(token) as client:

        async def has_run_for_two_seconds() -> bool:
            stats = (await client.get(path)).json()["data"]["stats"]
            return bool(stats["runTimeSecs"] >= 2)

        # Times of pods are whole seconds.
        await until("it has used something", has_run_for_two_seconds)
        await client.post(f"{path}/abort")
        ended = (await client.get(f"{path}?waitForFinish=60")).json()["data"]
        used = ended["stats"]["computeUnits"]
        await client.delete(path)
        usage = (await client.get("/v2/users/me/usage/monthly")).json()["data"]
        limits = (await client.get("/v2/users/me/limits")).json()["data"]

    assert used > 0
    counted = usage["monthlyServiceUsage"]["ACTOR_COMPUTE_UNITS"]["quantity"]
    assert counted == pytest.approx(used)
    assert limits["current"]["monthlyActorComputeUnits"] == pytest.approx(used)


async def test_a_namespace_of_another_installation_is_no_account_here(world: World) -> None:
    token = await world.token(OWNER)
    account = await world.api.parts.accounts.expect(OWNER)
    labels = {"metadata": {"labels": {LABEL_INSTALL: "another"}}}
    world.server.patch("namespaces", "", OWNER, labels)

    async def is_refused() -> bool:
        return not await world.knows(token)

    await until("its tokens are refused", is_refused)
    spec = {"actor": "quick"}
    world.server.create("actorruns", {"metadata": {"name": "theirs"}, "spec": spec}, OWNER)

    async def is_known() -> bool:
        return world.api.parts.directory.by_name(OWNER, "theirs") is not None

    async def is_done() -> bool:
        return world.api.mirror.lag_seconds == 0

    await until("the run is heard of", is_known)
    await until("nothing waits to be written", is_done)
    rows = await world.api.parts.database.read(
        lambda connection: RunRows(connection, account).unfinished()
    )
    assert rows == []


async def test_a_namespace_adopts_what_the_one_before_it_had(world: World) -> None:
    token = await world.token(OWNER)
    async with world.client(token) as client:
        named = (await client.post(f"{DATASETS}?name=results")).json()["data"]
        await client.post(f"{DATASETS}/{named['id']}/items", json=[{"a": 1}])
    # As if the namespace had been another one then.
    now = world.api.parts.millis
    account = await world.api.parts.accounts.expect(OWNER)
    await world.api.parts.database.write(
        lambda connection: Accounts(connection)._change(
            account, namespace_uid="before", unreachable_at=now
        )
    )
    world.api.parts.accounts._known.clear()
    async with world.client(token) as client:
        assert (await client.get(f"{DATASETS}/~results")).status_code == 404
        annotations = {"metadata": {"annotations": {ANNOTATION_ADOPT: "before"}}}
        world.server.patch("namespaces", "", OWNER, annotations)

        async def is_back() -> bool:
            items = await client.get(f"{DATASETS}/~results/items")
            return bool(items.json() == [{"a": 1}])

        await until("the dataset is back", is_back)


async def test_the_metrics_tell_of_what_was_written(world: World) -> None:
    token = await world.token(OWNER)
    async with world.client(token) as client:
        await client.post(f"{DATASETS}?name=one")
    registry = world.api.metrics.registry

    assert (registry.get_sample_value("actor_operator_api_commit_writes_sum") or 0) >= 1
    assert registry.get_sample_value("actor_operator_api_held_requests") == 0
    assert registry.get_sample_value("actor_operator_api_vanished_runs_halted") == 0
