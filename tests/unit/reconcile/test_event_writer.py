"""Events are written few, late, and never in the way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs
from tests.support.builders import a_run, at

from actor_operator.errors import NotLeaderError
from actor_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    ForbiddenError,
    TooManyRequestsError,
    UnreachableError,
)
from actor_operator.kube.events import EventRecord
from actor_operator.lifecycle.events import RunEvent
from actor_operator.metrics import Metrics
from actor_operator.reconcile import event_writer
from actor_operator.reconcile.event_writer import (
    EVENT_BURST,
    MOST_WAITING,
    REPEAT_SECONDS,
    EventWriter,
)

pytestmark = pytest.mark.looptime(noop_cycles=0)

LOST = RunEvent("Warning", "Disrupted", "Migrate", "NodeLost: gone.")
DELETED = RunEvent("Warning", "Disrupted", "Migrate", "PodDeleted: gone.")
ENDED = RunEvent("Warning", "OOMKilled", "Finish", "Too much.")


@dataclass
class Server:
    """Takes Events, or raises what it is told to."""

    errors: list[Exception] = field(default_factory=list)
    seconds: float = 0.0
    created: list[EventRecord] = field(default_factory=list)
    repeated: list[tuple[str, int]] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)

    async def create(self, record: EventRecord) -> None:
        await self._answer()
        self.created.append(record)

    async def repeat(self, record: EventRecord, *, count: int, at: datetime) -> None:
        await self._answer()
        self.repeated.append((record.name, count))

    async def _answer(self) -> None:
        self.calls.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.seconds)
        if self.errors:
            raise self.errors.pop(0)

    @property
    def notes(self) -> list[str]:
        return [record.event.note for record in self.created]


class Clock:
    def now(self) -> datetime:
        return at(asyncio.get_running_loop().time())


class World:
    """A writer that writes to a server."""

    def __init__(self) -> None:
        self.server = Server()
        self.registry = CollectorRegistry()

    @cached_property
    def writer(self) -> EventWriter:
        """Begins in the test: the time of the fixtures is another."""
        writer = EventWriter(
            events=cast("Any", self.server), clock=Clock(), metrics=Metrics(self.registry)
        )
        writer.start()
        return writer

    def tell(self, event: RunEvent = LOST, name: str = "hello") -> None:
        self.writer.tell(event, a_run(name, uid=f"uid-of-{name}"), None)

    @property
    def results(self) -> dict[str, float]:
        """How many Events came to what."""
        return {
            sample.labels["result"]: sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == "actor_operator_events_total" and sample.value
        }


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.writer.stop()


async def test_an_event_is_written_soon_and_once(world: World) -> None:
    world.tell()
    await asyncio.sleep(3 * REPEAT_SECONDS)

    (record,) = world.server.created
    assert (record.event, record.run.name, record.at) == (LOST, "hello", at(0))
    assert record.name.startswith("hello.")
    assert world.server.calls == [0]
    assert world.server.repeated == []
    assert world.results == {"written": 1}


async def test_a_cause_that_comes_again_is_written_once_a_minute_with_its_count(
    world: World,
) -> None:
    for _ in range(13):
        world.tell()
        await asyncio.sleep(10)
    await asyncio.sleep(300)

    (record,) = world.server.created
    assert world.server.calls == [0, 60, 120, 180]
    assert world.server.repeated == [(record.name, 6), (record.name, 12), (record.name, 13)]


async def test_of_other_words_about_the_same_cause_the_last_are_written(world: World) -> None:
    """The API server takes no other note for an Event that it has."""
    for event in (LOST, LOST, DELETED):
        world.tell(event)
    await asyncio.sleep(2 * REPEAT_SECONDS)

    assert world.server.notes == [LOST.note, DELETED.note]
    assert world.server.calls == [0, 60]
    assert world.server.repeated == []


async def test_another_cause_and_another_run_do_not_wait(world: World) -> None:
    world.tell(LOST)
    world.tell(ENDED)
    world.tell(LOST, "other")
    await asyncio.sleep(1)

    assert world.server.notes == [LOST.note, ENDED.note, LOST.note]


async def test_what_comes_again_after_a_quiet_minute_is_an_event_of_its_own(world: World) -> None:
    world.tell()
    await asyncio.sleep(REPEAT_SECONDS + 1)
    world.tell()
    await asyncio.sleep(1)

    assert len({record.name for record in world.server.created}) == 2


async def test_telling_never_waits_for_the_api_server(world: World) -> None:
    world.server.seconds = 5.0
    before = asyncio.get_running_loop().time()
    for number in range(100):
        world.tell(name=f"run-{number}")

    assert asyncio.get_running_loop().time() == before


async def test_what_is_too_much_is_dropped_and_counted(world: World) -> None:
    for number in range(MOST_WAITING + 7):
        world.tell(name=f"run-{number}")
    await asyncio.sleep(100)

    assert world.results == {"written": MOST_WAITING, "dropped": 7}


async def test_a_burst_is_written_at_the_pace_that_is_left_for_events(world: World) -> None:
    for number in range(EVENT_BURST + 200):
        world.tell(name=f"run-{number}")
    await asyncio.sleep(100)

    assert [round(t) for t in world.server.calls[: EVENT_BURST + 1]] == [0] * (EVENT_BURST + 1)
    assert world.server.calls[-1] == pytest.approx(200 / event_writer.EVENTS_PER_SECOND, abs=0.1)


@pytest.mark.parametrize("error", [UnreachableError("down"), TooManyRequestsError("slow down")])
async def test_what_passes_is_tried_again_twice(world: World, error: ApiError) -> None:
    world.server.errors = [error, error]
    world.tell()
    await asyncio.sleep(30)

    assert world.server.calls == [0, 1, 6]
    assert world.results == {"written": 1}


@pytest.mark.parametrize(
    "errors",
    [
        [ForbiddenError("no right to write Events")],
        [UnreachableError("down")] * 3,
        [ValueError("a defect")],
    ],
)
async def test_what_cannot_be_written_is_given_up_and_the_next_is_written(
    world: World, errors: list[Exception]
) -> None:
    world.server.errors = errors
    with capture_logs() as logs:
        world.tell(LOST)
        world.tell(ENDED)
        await asyncio.sleep(30)

    assert world.server.notes == [ENDED.note]
    assert world.results == {"written": 1, "failed": 1}
    assert [entry["log_level"] for entry in logs] == ["warning"]


async def test_what_cannot_be_written_is_said_once(world: World) -> None:
    world.server.errors = [ForbiddenError("no right") for _ in range(5)]
    with capture_logs() as logs:
        for number in range(5):
            world.tell(name=f"run-{number}")
        await asyncio.sleep(1)

    assert [entry["log_level"] for entry in logs] == ["warning"] + ["debug"] * 4


async def test_an_event_of_a_lost_answer_counts_as_written(world: World) -> None:
    world.server.errors = [UnreachableError("lost"), AlreadyExistsError("it is there")]
    world.tell()
    await asyncio.sleep(10)

    assert world.server.calls == [0, 1]
    assert world.results == {"written": 1}


async def test_a_replica_that_lost_the_lease_writes_nothing(world: World) -> None:
    world.server.errors = [NotLeaderError("not leading")]
    world.tell()
    await asyncio.sleep(100)

    assert world.server.created == []
    assert world.results == {"dropped": 1}


async def test_a_replica_that_does_not_lead_takes_nothing_and_forgets_what_it_had(
    world: World,
) -> None:
    defects: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, defect: defects.append(defect))
    world.server.seconds = 5.0
    world.tell(LOST)
    world.tell(LOST)
    world.tell(ENDED)
    await asyncio.sleep(1)
    before = asyncio.get_running_loop().time()
    await world.writer.stop()
    assert asyncio.get_running_loop().time() == before
    world.tell(ENDED, "other")
    await asyncio.sleep(2 * REPEAT_SECONDS)
    assert world.server.created == defects == []

    world.writer.start()
    world.writer.start()
    world.tell(LOST)
    await asyncio.sleep(10)
    assert world.server.notes == [LOST.note]
