"""Apify's client for Python, unmodified, against the whole API server, on both databases."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from apify_client import ApifyClientAsync
from apify_client._models import DatasetSchemaValidationErrorData
from apify_client.errors import ApifyApiError
from tests.integration.api.world import AUTHOR, OWNER, World, until, world_on
from tests.support.sdk_secrets import decrypted

from actor_operator.log import configure

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE = timedelta(seconds=60)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    configure(level="ERROR")
    url = ""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres") % "postgres"
    folder: Path = tmp_path_factory.mktemp("world")
    async with world_on(request.param, folder, url) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(world: World) -> ApifyClientAsync:
    return world.apify(await world.token(OWNER))


async def finished(client: ApifyClientAsync, **more: Any) -> Any:
    """A run that has ended well."""
    run = await client.actor("quick").call(wait_duration=MINUTE, logger=None, **more)
    assert run is not None
    assert run.status == "SUCCEEDED"
    return run


# Actors


async def test_actors_are_listed_and_found_by_every_name(client: ApifyClientAsync) -> None:
    listed = await client.actors().list(my=True)
    assert {"quick", "endless"} <= {actor.name for actor in listed.items}
    by_name = await client.actor(f"{OWNER}/quick").get()
    assert by_name is not None
    by_id = await client.actor(by_name.id).get()
    assert by_id == by_name
    assert by_name.username == OWNER
    assert await client.actor(f"{OWNER}/no-such-actor").get() is None


async def test_a_build_is_found(client: ApifyClientAsync) -> None:
    builds = await client.actor("quick").builds().list()
    assert [build.build_number for build in builds.items] == ["1.0.1"]
    found = await client.build(builds.items[0].id).get()
    assert found is not None
    assert found.build_number == "1.0.1"
    log = await client.build(found.id).log().get()
    assert log is not None
    assert "Build 1.0.1 of owners/quick" in log
    assert await client.log(found.id).get() == log
    document = await client.build(found.id).get_open_api_definition()
    assert f"/acts/{OWNER}~quick/runs" in document["paths"]


# Runs


async def test_a_call_waits_for_the_end(client: ApifyClientAsync) -> None:
    run = await finished(client, run_input={"a": 1}, memory_mbytes=256)
    assert run.options.memory_mbytes == 256
    found = await client.key_value_store(run.default_key_value_store_id).get_record("INPUT")
    assert found is not None
    assert found["value"] == {"a": 1}


async def test_secret_fields_of_an_input_are_for_the_run_alone(
    client: ApifyClientAsync, world: World
) -> None:
    schema = {"type": "object", "properties": {"word": {"type": "string", "isSecret": True}}}
    build = {"image": "registry.example/endless:1", "inputSchema": json.dumps(schema)}
    world.make_actor("endless-secret", build=build)
    await until("the Actor is seen", lambda: is_there(client, "endless-secret"))
    given = {"word": "sesame", "open": 1}
    run = await client.actor("endless-secret").start(run_input=given)
    store = client.key_value_store(run.default_key_value_store_id)
    found = await store.get_record("INPUT")
    assert found is not None
    kept = found["value"]
    assert kept["word"].startswith("ENCRYPTED_VALUE:")
    assert kept["open"] == 1
    environment = next(
        each["data"]
        for each in world.server.objects("secrets", OWNER)
        if each["metadata"]["name"].startswith(run.id)
    )
    variables = {name: base64.b64decode(value).decode() for name, value in environment.items()}
    assert decrypted(kept, variables) == given
    with pytest.raises(ApifyApiError, match="encrypted for another run"):
        await client.actor("endless-secret").start(run_input=kept)
    await client.run(run.id).abort()


async def is_there(client: ApifyClientAsync, name: str) -> bool:
    """Whether the API server knows an Actor."""
    return await client.actor(f"{OWNER}/{name}").get() is not None


async def test_a_public_actor_of_another_account_is_called(client: ApifyClientAsync) -> None:
    run = await client.actor(f"{AUTHOR}/public-quick").call(wait_duration=MINUTE, logger=None)
    assert run is not None
    assert run.status == "SUCCEEDED"


async def test_a_run_is_aborted_and_resurrected_and_rebooted(client: ApifyClientAsync) -> None:
    run = await client.actor("endless").start()
    one = client.run(run.id)
    await until_status(client, run.id, "RUNNING")
    await one.reboot()
    await until("it has a new container", lambda: was_rebooted(client, run.id))
    await one.abort(gracefully=False)
    ended = await one.wait_for_finish(wait_duration=MINUTE)
    assert ended is not None
    assert ended.status == "ABORTED"
    again = await one.resurrect()
    assert again.status in {"READY", "RUNNING"}
    assert again.finished_at is None
    await until_status(client, run.id, "RUNNING")
    await one.abort()
    ended = await one.wait_for_finish(wait_duration=MINUTE)
    assert ended is not None
    assert ended.status == "ABORTED"


async def test_a_status_message_is_kept_and_a_finished_run_is_deleted(
    client: ApifyClientAsync,
) -> None:
    run = await finished(client)
    changed = await client.run(run.id).update(
        status_message="Done with it.", is_status_message_terminal=True
    )
    assert changed.status_message == "Done with it."
    await client.run(run.id).delete()
    assert await client.run(run.id).get() is None
    assert await client.dataset(run.default_dataset_id).get() is None


async def test_runs_are_listed_and_the_last_one_is_found(client: ApifyClientAsync) -> None:
    run = await finished(client)
    listed = await client.runs().list(desc=True, limit=1)
    assert listed.items[0].id == run.id
    of_actor = await client.actor("quick").runs().list(desc=True, status="SUCCEEDED")
    assert of_actor.items[0].id == run.id
    last = await client.actor("quick").last_run(status="SUCCEEDED").get()
    assert last is not None
    assert last.id == run.id


async def test_the_log_of_a_run_is_read(client: ApifyClientAsync, world: World) -> None:
    run = await finished(client)

    async def is_written() -> bool:
        return "ACTOR: Creating the container." in (await client.log(run.id).get() or "")

    await until("the log is written", is_written)
    by_run = await client.run(run.id).log().get()
    assert by_run == await client.log(run.id).get()
    assert await client.log("z0z0z0z0z0z0z0z0z").get() is None


async def test_what_is_not_there_is_none(client: ApifyClientAsync) -> None:
    nowhere = "z0z0z0z0z0z0z0z0z"
    assert await client.run(nowhere).get() is None
    assert await client.dataset(nowhere).get() is None
    assert await client.key_value_store(nowhere).get() is None
    assert await client.key_value_store(nowhere).get_record("k") is None
    assert await client.request_queue(nowhere).get() is None
    assert await client.request_queue(nowhere).get_request("abcdefghijklmno") is None
    assert await client.actor("quick").last_run(status="TIMED-OUT").get() is None


async def test_who_has_no_token_is_told_so(world: World) -> None:
    with pytest.raises(ApifyApiError) as caught:
        await world.apify("apify_api_wrong").user("me").get()
    assert (caught.value.status_code, caught.value.type) == (401, "user-or-token-not-found")


# Accounts


async def test_the_account_and_its_limits_are_told(client: ApifyClientAsync) -> None:
    me = await client.user("me").get()
    assert me is not None
    assert me.username == OWNER
    limits = await client.user("me").limits()
    assert limits is not None
    assert limits.current.actor_count >= 4
    usage = await client.user("me").monthly_usage()
    assert usage is not None


# Storages


async def test_items_are_pushed_and_read(client: ApifyClientAsync) -> None:
    made = await client.datasets().get_or_create(name="Pages")
    dataset = client.dataset(made.id)
    await dataset.push_items([{"n": n, "#hidden": 1} for n in range(5)])
    await dataset.push_items({"n": 5})
    page = await dataset.list_items(offset=1, limit=2, desc=True, clean=True)
    assert page.items == [{"n": 4}, {"n": 3}]
    assert page.total == 6
    assert [item["n"] async for item in dataset.iterate_items()] == list(range(6))
    assert (await dataset.get_items_as_bytes(item_format="csv", fields=["n"])).count(b"\n") >= 6
    same = await client.datasets().get_or_create(name="pages")
    assert same.id == made.id
    assert made.id in {each.id for each in (await client.datasets().list()).items}
    await dataset.delete()
    assert await dataset.get() is None


async def test_items_are_checked_by_the_schema_of_their_dataset(client: ApifyClientAsync) -> None:
    fields = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    view = {"title": "Numbers", "transformation": {"fields": ["n"], "limit": 2, "desc": True}}
    schema = {"actorSpecification": 1, "fields": fields, "views": {"numbers": view}}
    made = await client.datasets().get_or_create(name="numbers", schema=schema)
    dataset = client.dataset(made.id)
    assert made.schema_ == schema
    await dataset.push_items([{"n": n, "x": 1} for n in range(3)])
    with pytest.raises(ApifyApiError) as caught:
        await dataset.push_items([{"n": 4}, {"n": "five"}])
    assert (caught.value.status_code, caught.value.type) == (400, "schema-validation-error")
    told: Any = caught.value.data
    (invalid,) = DatasetSchemaValidationErrorData.model_validate(told).invalid_items
    assert invalid.item_position == 1
    assert invalid.validation_errors is not None
    assert invalid.validation_errors[0].instance_path == "/n"
    shown = await dataset.list_items(view="numbers")
    assert (shown.items, shown.total) == ([{"n": 2}, {"n": 1}], 3)
    assert [item async for item in dataset.iterate_items(view="numbers")] == shown.items
    csv = await dataset.get_items_as_bytes(item_format="csv", view="numbers", bom=False)
    assert csv.decode().split() == ["n", "2", "1"]
    with pytest.raises(ApifyApiError, match="no view"):
        await dataset.list_items(view="other")
    await dataset.delete()


async def test_records_are_written_and_read(client: ApifyClientAsync) -> None:
    made = await client.key_value_stores().get_or_create(name="records")
    store = client.key_value_store(made.id)
    await store.set_record("a", {"b": 1})
    await store.set_record("text", "some words", content_type="text/plain")
    await store.set_record("bytes", b"\x00\x01", content_type="application/octet-stream")
    found = await store.get_record("a")
    assert found is not None
    assert found["value"] == {"b": 1}
    text = await store.get_record("text")
    assert text is not None
    assert text["value"] == "some words"
    assert await store.record_exists("bytes")
    assert not await store.record_exists("none")
    keys = await store.list_keys(limit=2)
    assert [key.key for key in keys.items] == ["a", "bytes"]
    assert keys.is_truncated
    await store.delete_record("a")
    assert await store.get_record("a") is None
    await store.delete()


async def test_requests_are_queued_locked_and_handled(client: ApifyClientAsync) -> None:
    made = await client.request_queues().get_or_create(name="urls")
    queue = client.request_queue(made.id, client_key="one")
    urls = [f"https://example.org/{n}" for n in range(3)]
    requests: list[Any] = [{"url": url, "uniqueKey": url} for url in urls]
    added = await queue.batch_add_requests(requests)
    assert len(added.processed_requests) == 3
    first = await queue.add_request({"url": urls[0], "uniqueKey": urls[0]})
    assert first.was_already_present
    head = await queue.list_and_lock_head(lock_duration=MINUTE, limit=2)
    assert [request.url for request in head.items] == urls[:2]
    await queue.prolong_request_lock(head.items[0].id, lock_duration=MINUTE)
    other = client.request_queue(made.id, client_key="two")
    left = await other.list_and_lock_head(lock_duration=MINUTE)
    assert [request.url for request in left.items] == urls[2:]
    await queue.delete_request_lock(head.items[1].id)
    await queue.update_request(
        {
            "id": head.items[0].id,
            "url": urls[0],
            "uniqueKey": urls[0],
            "handledAt": "2026-01-01T00:00:00.000Z",
        }
    )
    shown = await queue.get()
    assert shown is not None
    assert (shown.handled_request_count, shown.pending_request_count) == (1, 2)
    await queue.delete()


# Room


async def test_an_account_without_room_refuses_until_there_is_some(
    client: ApifyClientAsync, world: World
) -> None:
    account = {"metadata": {"name": OWNER}, "spec": {"memoryLimitMbytes": 1024}}
    world.server.create("actoraccounts", account, "")
    await until("the operator knows it", lambda: is_counted(world))
    try:
        await none_is_live(client)
        run = await client.actor("endless").start(memory_mbytes=1024)
        before = len(world.server.objects("actorruns", OWNER))
        with pytest.raises(ApifyApiError) as caught:
            await client.actor("quick").start(memory_mbytes=512)
        assert caught.value.status_code == 402
        assert caught.value.type == "actor-memory-limit-exceeded"
        assert len(world.server.objects("actorruns", OWNER)) == before
        waiting = asyncio.create_task(finished(client, memory_mbytes=512, wait_for_resources=True))
        await until("it was refused", lambda: has_refused(world, 2))
        await client.run(run.id).abort()
        assert (await waiting).status == "SUCCEEDED"
    finally:
        world.server.delete("actoraccounts", "", OWNER)


async def is_counted(world: World) -> bool:
    """Whether the operator has written what the account uses."""
    return bool(world.server.get("actoraccounts", "", OWNER).get("status"))


async def has_refused(world: World, times: int) -> bool:
    """Whether starts were refused for want of memory, so many times."""
    path = "/v2/actors/{actorId}/runs"
    counted = world.api.metrics.registry.get_sample_value(
        "actor_operator_api_requests_total", {"method": "POST", "route": path, "status": "402"}
    )
    return (counted or 0) >= times


async def none_is_live(client: ApifyClientAsync) -> None:
    """Wait until what other tests have started is over."""

    async def is_so() -> bool:
        found = await client.user("me").limits()
        assert found is not None
        return found.current.actor_memory_gbytes == 0

    await until("no run is live", is_so)


async def was_rebooted(client: ApifyClientAsync, run_id: str) -> bool:
    run = await client.run(run_id).get()
    return run is not None and run.stats.reboot_count == 1 and run.status == "RUNNING"


async def until_status(client: ApifyClientAsync, run_id: str, status: str) -> None:
    """Wait for the status of a run."""

    async def is_so() -> bool:
        run = await client.run(run_id).get()
        return run is not None and run.status == status

    await until(f"the run is {status}", is_so, seconds=120)
