"""Following a pod's log over streams that end, break, hang and repeat themselves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web
from tests.integration.api.log_world import words
from tests.support.answering_server import Server, a_connection, answering_server
from tests.support.builders import RUN_UID, a_pod, a_run, a_status, ended

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import PodView
from actor_operator.clock import SystemClock
from actor_operator.kube.client import KubeClient
from actor_operator.services import log_follower, log_text, log_writer
from actor_operator.services.log_follower import AttemptFollower, PodLogSource, number_of
from actor_operator.services.log_tails import Tail, Tails
from actor_operator.services.log_text import CREATING, GAP, MARK, STARTING
from actor_operator.services.log_writer import LogStore, LogWriter
from actor_operator.services.logs import Logs
from actor_operator.services.run_watch import RunHub, pod_store, run_store
from actor_operator.storage.database import CommitListener, Database, DatabaseUnavailableError
from actor_operator.storage.logs import LogOwners, LogRow
from actor_operator.storage.objects import ObjectStore

OURS = ["ACTOR: Pulling the image of the build.", CREATING, STARTING]
KEY = (7, "abcdefghijklmnopq")
Stream = Callable[[web.StreamResponse], Awaitable[None]]


def line(number: int) -> bytes:
    return f"2026-03-01T12:00:{number:02}.000000001Z line {number}\n".encode()


class Flaky:
    """A database that fails when told to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.failures = 0

    async def read(self, work: Any) -> Any:
        return await self._database.read(work)

    async def write(self, work: Any) -> Any:
        if self.failures:
            self.failures -= 1
            raise DatabaseUnavailableError("no answer")
        return await self._database.write(work)

    def on_commit(self, listener: CommitListener) -> None:
        self._database.on_commit(listener)

    async def close(self) -> None:
        await self._database.close()


class World:
    """A pod whose streams a test writes, and its follower."""

    def __init__(self, http: Server, database: Database, objects: ObjectStore) -> None:
        self.http = http
        self.runs, self.pods = run_store(), pod_store()
        self.hub = RunHub(self.runs, self.pods)
        self.database = Flaky(database)
        self.store = LogStore(self.database, objects, Tails(), "me", SystemClock())
        self.logs = Logs(self.database, objects, self.store.tails)
        self.client = KubeClient(a_connection(http.url), user_agent="test")
        self.streams: list[Stream] = []
        self._version = 1
        http.handler = self._answer
        self.put(a_run(status=a_status(started=2)), a_pod(running=2))

    def put(self, *objects: Any) -> None:
        """Let the informers tell of something newer."""
        for found in objects:
            self._version += 1
            metadata = msgspec.structs.replace(found.metadata, resource_version=str(self._version))
            newer = msgspec.structs.replace(found, metadata=metadata)
            if isinstance(found, PodView):
                self.pods.apply(newer)
            else:
                self.runs.apply(newer)

    def end(self) -> None:
        """The container and the run have ended."""
        self.put(a_pod(ended=ended()), a_run(status=a_status(started=2, end=Phase.SUCCEEDED)))

    async def follow(self) -> LogWriter:
        """Follow until everything is read."""
        row = LogRow(attempt=1)
        await self.database.write(
            lambda connection: LogOwners(connection, KEY[0]).take(KEY[1], "me", 0, 2**52)
        )
        tail = Tail(1, 0)
        writer = LogWriter(self.store, KEY, row, tail)
        source = PodLogSource(self.client, self.hub)
        await AttemptFollower(source, writer, RUN_UID, 1).run()
        return writer

    async def text(self) -> str:
        parts = [part async for part in self.logs.read(*KEY)]
        return b"".join(parts).decode()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await self.streams.pop(0)(response)
        return response


@pytest.fixture
async def world(database: Database, objects: ObjectStore) -> AsyncIterator[World]:
    async with answering_server() as http:
        world = World(http, database, objects)
        async with world.client:
            yield world


def sends(*chunks: bytes) -> Stream:
    async def stream(response: web.StreamResponse) -> None:
        for chunk in chunks:
            await response.write(chunk)

    return stream


async def test_a_stream_that_is_cut_within_a_line_goes_on_without_a_repetition(
    world: World,
) -> None:
    async def cut(response: web.StreamResponse) -> None:
        await response.write(line(1) + line(2) + line(3)[:30])
        await asyncio.sleep(0.05)
        request = response._req
        assert request is not None
        assert request.transport is not None
        request.transport.abort()

    async def rest(response: web.StreamResponse) -> None:
        await response.write(line(1) + line(2) + line(3) + line(4))
        world.end()

    world.streams = [cut, rest, sends(line(3), line(4), line(5))]
    await world.follow()
    assert words(await world.text()) == [*OURS, *(f"line {n}" for n in range(1, 6))]
    assert [seen.query.get("sinceTime") for seen in world.http.seen] == [
        None,
        "2026-03-01T12:00:01Z",
        "2026-03-01T12:00:03Z",
    ]
    assert [seen.query.get("follow") for seen in world.http.seen] == ["true", "true", None]


async def test_a_stream_that_never_ends_is_left_some_time_after_its_container(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_follower, "END_SECONDS", 0.1)

    async def hang(response: web.StreamResponse) -> None:
        await response.write(line(1))
        world.end()
        await asyncio.sleep(3600)

    world.streams = [hang, sends(line(1), line(2))]
    await world.follow()
    assert words(await world.text()) == [*OURS, "line 1", "line 2"]


async def test_what_a_rotation_has_taken_is_said_to_be_missing(world: World) -> None:
    async def first(response: web.StreamResponse) -> None:
        await response.write(line(1) + line(2))
        world.end()

    world.streams = [first, sends(line(5), line(6))]
    await world.follow()
    assert words(await world.text()) == [*OURS, "line 1", "line 2", GAP, "line 5", "line 6"]


async def test_a_pod_that_is_removed_at_its_end_has_no_gap(world: World) -> None:
    async def last(response: web.StreamResponse) -> None:
        await response.write(line(1) + line(2).rstrip(b"\n"))

    async def gone(_: web.StreamResponse) -> None:
        raise AssertionError

    world.streams = [last, gone]
    answer = world.http.handler
    assert answer is not None

    async def not_found(request: web.BaseRequest) -> web.StreamResponse:
        if world.streams[0] is gone:
            pod = world.hub.state(RUN_UID).pods[0]
            world.pods.remove(pod.namespace, pod.name, pod.uid)
            world.put(a_run(status=a_status(started=2, end=Phase.ABORTED)))
            return web.json_response({"message": "pods not found"}, status=404)
        return await answer(request)

    world.http.handler = not_found
    await world.follow()
    assert words(await world.text()) == [*OURS, "line 1", "line 2"]


async def test_a_pod_that_is_removed_before_it_was_read_leaves_a_gap(world: World) -> None:
    async def not_found(_: web.BaseRequest) -> web.StreamResponse:
        pod = world.hub.state(RUN_UID).pods[0]
        world.pods.remove(pod.namespace, pod.name, pod.uid)
        world.put(a_run(status=a_status(started=2, end=Phase.ABORTED)))
        return web.json_response({"message": "pods not found"}, status=404)

    world.http.handler = not_found
    await world.follow()
    assert words(await world.text()) == [*OURS, GAP]


async def test_the_longest_log_ends_with_a_mark_and_its_pod_is_read_no_further(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_text, "MAX_CHARACTERS", 300)

    async def endless(response: web.StreamResponse) -> None:
        for number in range(60):
            await response.write(line(number))
        asyncio.get_running_loop().call_later(0.05, world.end)

    world.streams = [endless]
    writer = await world.follow()
    text = await world.text()
    assert words(text)[-1] == MARK
    assert 270 <= len(text[: text.index(MARK) - 25]) <= 301
    assert text.count(MARK) == 1
    assert writer.is_full
    assert len(world.http.seen) == 1


async def test_while_the_database_fails_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "MAX_CHARACTERS", 200)
    many = [line(number) for number in range(1, 50)]

    async def failing(response: web.StreamResponse) -> None:
        world.database.failures = 2
        await response.write(b"".join(many))
        world.end()

    world.streams = [failing, sends(*many[-2:])]
    await world.follow()
    assert words(await world.text()) == [*OURS, *(f"line {n}" for n in range(1, 50))]


async def test_a_line_that_comes_in_parts_is_whole_in_the_end(world: World) -> None:
    long = b"2026-03-01T12:00:01.000000001Z " + "ä ".encode() * 100_000 + b"\n"

    async def half(response: web.StreamResponse) -> None:
        for begin in range(0, len(long) - 50_000, 10_000):
            await response.write(long[begin : begin + 10_000])
        world.end()

    world.streams = [half, sends(long, line(2))]
    await world.follow()
    assert words(await world.text()) == [*OURS, "ä " * 100_000, "line 2"]


def test_the_number_of_a_pod_is_at_the_end_of_its_name() -> None:
    assert number_of("hello-ab12-31") == 31
    assert number_of("hello") == 0
