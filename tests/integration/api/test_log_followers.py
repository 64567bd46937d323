"""Logs of runs, from pods to readers."""

import asyncio

import pytest
from tests.integration.api.log_world import (
    ACCOUNT,
    RUNNING,
    LogWorld,
    ended,
    text_of,
    words,
)
from tests.support.apiserver import ApiServer, on

from actor_operator.services.log_text import CREATING, GAP, STARTING
from actor_operator.storage.database import Database
from actor_operator.storage.logs import LogOwners, LogSegments
from actor_operator.storage.objects import ObjectStore

PULLING = "ACTOR: Pulling the image of build 1.0.1."
OURS = [PULLING, CREATING, STARTING]


@pytest.fixture
def world(server: ApiServer, database: Database, objects: ObjectStore) -> LogWorld:
    return LogWorld(server, database, objects)


async def test_a_log_is_stored_and_archived_with_one_write_to_the_run(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    async with world.replica() as replica:
        pod = world.pod().run().print("one\ntwo\n")
        pod.print("three\n").exit(0)
        world.say(ended())
        await world.until_archived()
        text = await text_of(replica.logs.read(ACCOUNT, run_id))
    assert words(text) == [*OURS, "one", "two", "three"]
    writes = [r for r in world.server.requests if r.verb not in {"get", "list", "watch"}]
    assert [(r.verb, r.kind) for r in writes] == [("patch", "actorruns")]


async def test_a_reader_follows_a_log_to_the_end_of_the_run(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    async with world.replica() as replica:
        over = asyncio.Event()
        stream = replica.logs.stream(ACCOUNT, run_id, over.is_set)
        pod = world.pod().run().print("\x1b[31mone\x1b[0m\n")
        seen = ""
        while "one" not in seen:
            seen += (await anext(stream)).decode()
        assert words(seen) == [*OURS, "one"]
        pod.print("two\n").exit(0)
        world.say(ended())
        over.set()
        assert words(seen + await text_of(stream)) == [*OURS, "one", "two"]
        raw = await text_of(replica.logs.read(ACCOUNT, run_id, raw=True))
        assert words(raw) == [*OURS, "\x1b[31mone\x1b[0m", "two"]


async def test_a_stream_ends_with_what_it_has_when_the_server_stops(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    async with world.replica() as replica:
        stream = replica.logs.stream(ACCOUNT, run_id, lambda: False)
        world.pod().run().print("one\n")
        seen = ""
        while "one" not in seen:
            seen += (await anext(stream)).decode()
        waiting = asyncio.create_task(text_of(stream))
        await asyncio.sleep(0)

        replica.logs.close()

        assert words(seen + await waiting) == [*OURS, "one"]


async def test_all_pods_of_an_attempt_are_in_its_log_one_after_the_other(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    async with world.replica() as replica:
        world.pod(1).run().print("before\n").exit(1)
        world.pod(2).run().print("after\n").exit(0)
        world.say(ended())
        await world.until_archived()
        text = await text_of(replica.logs.read(ACCOUNT, run_id))
    assert words(text) == [*OURS, "before", *OURS, "after"]


async def test_a_run_that_never_had_a_container_is_archived_too(world: LogWorld) -> None:
    run_id = world.run()
    async with world.replica() as replica:
        world.say(ended("FAILED"))
        await world.until_archived()
        assert await text_of(replica.logs.read(ACCOUNT, run_id)) == ""
        stream = replica.logs.stream(ACCOUNT, run_id, lambda: True)
        assert await text_of(stream) == ""


async def test_a_log_that_was_gone_before_anybody_read_it_says_so(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    world.say(ended())
    async with world.replica() as replica:
        await world.until_archived()
        assert words(await text_of(replica.logs.read(ACCOUNT, run_id))) == [GAP]


async def test_a_pod_that_was_missed_between_two_others_is_said_to_be(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    async with world.replica() as replica:
        world.pod(1).run().print("first\n").exit(1)
        world.pod(3).run().print("third\n").exit(0)
        world.say(ended())
        await world.until_archived()
        text = await text_of(replica.logs.read(ACCOUNT, run_id))
    assert words(text) == [*OURS, "first", GAP, *OURS, "third"]


async def test_another_replica_goes_on_where_one_has_stopped(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    pod = world.pod().run().print("one\n")
    async with world.replica("one") as replica:
        await _stored(world, run_id, "one")
        pod.print("two\n")
    pod.print("three\n")
    async with world.replica("two") as replica:
        pod.exit(0)
        world.say(ended())
        await world.until_archived()
        text = await text_of(replica.logs.read(ACCOUNT, run_id))
    assert words(text) == [*OURS, "one", "two", "three"]


async def test_only_one_of_two_replicas_follows_and_both_can_read(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    async with world.replica("one") as one, world.replica("two") as two:
        pod = world.pod().run().print("one\n")
        await _stored(world, run_id, "one")
        streams = [
            asyncio.create_task(text_of(r.logs.stream(ACCOUNT, run_id, lambda: False)))
            for r in (one, two)
        ]
        pod.print("two\n").exit(0)
        world.say(ended())
        await world.until_archived()
        for stream in streams:
            assert words(await stream) == [*OURS, "one", "two"]
    patches = [r for r in world.server.requests if r.verb == "patch"]
    assert len(patches) == 1


async def test_who_has_lost_a_log_writes_nothing_more_to_it(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    async with world.replica("one"):
        pod = world.pod().run().print("one\n")
        await _stored(world, run_id, "one")
        await world.database.write(
            lambda connection: LogOwners(connection, ACCOUNT).release(run_id, "one")
        )
        later = 2**52
        assert await world.database.write(
            lambda connection: LogOwners(connection, ACCOUNT).take(run_id, "two", 0, later)
        )
        pod.print("two\n").exit(0)
        world.say(ended())
        await asyncio.sleep(2.5)  # longer than text stays unstored
        row = await world.database.read(
            lambda connection: LogSegments(connection, ACCOUNT).row(run_id)
        )
        assert row is not None
        assert not row.complete
        assert world.archived() is None


async def test_a_resurrection_begins_a_new_log_for_which_streams_wait(
    world: LogWorld,
) -> None:
    run_id = world.run()
    world.say(RUNNING)
    async with world.replica() as replica:
        world.pod(1).run().print("old\n").exit(1)
        world.say(ended("FAILED"))
        await world.until_archived(1)
        world.say({"phase": "READY", "finished": False, "attempt": 2})
        assert "old" in await text_of(replica.logs.read(ACCOUNT, run_id))
        stream = asyncio.create_task(
            text_of(replica.logs.stream(ACCOUNT, run_id, lambda: bool(world.archived() == "2")))
        )
        world.pod(2, attempt=2).run().print("new\n").exit(0)
        world.say(ended("FAILED", attempt=2))
        await world.until_archived(2)
        assert words(await text_of(replica.logs.read(ACCOUNT, run_id))) == [*OURS, "new"]
        assert words(await stream) == [*OURS, "new"]


async def test_a_log_that_cannot_be_read_for_a_while_is_read_later(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    async with world.replica() as replica:
        world.server.faults.fail(500, on("get", "pods", times=3))
        world.pod().run().print("one\n").exit(0)
        world.say(ended())
        await world.until_archived()
        text = await text_of(replica.logs.read(ACCOUNT, run_id))
    assert words(text) == [*OURS, "one"]


async def test_a_large_log_is_in_the_object_store_and_reads_the_same(world: LogWorld) -> None:
    run_id = world.run()
    world.say(RUNNING)
    printed = [f"{number * 7919 % 100_003:x}-{number * 104_729:x}" for number in range(40_000)]
    async with world.replica() as replica:
        world.pod().run().print("\n".join(printed) + "\n").exit(0)
        world.say(ended())
        await world.until_archived()
        text = await text_of(replica.logs.read(ACCOUNT, run_id))
    assert words(text) == [*OURS, *printed]
    assert [key async for key in world.objects.list("")] != []


async def _stored(world: LogWorld, run_id: str, word: str) -> None:
    """Wait until a word of the log is stored."""
    async with world.replica("reader-only") as replica:
        replica.tasks.pop().cancel()
        stream = replica.logs.stream(ACCOUNT, run_id, lambda: False)
        async for part in stream:
            if word in part.decode():
                return
