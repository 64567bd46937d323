"""What the end of a run's attempt brings with it, on each database."""

from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import Connection
from tests.integration.api.test_run_rows import ACCOUNT, a_row, news

from actor_operator.desired.names import ids_of
from actor_operator.storage.catalog import Catalog, NewStorage, StorageChanges, StorageKind
from actor_operator.storage.database import Database
from actor_operator.storage.logs import LogOwners, LogRow, LogSegments, NewSegment
from actor_operator.storage.queue_locks import QueueLocks
from actor_operator.storage.queue_rows import Client, attempt_name
from actor_operator.storage.queues import NewRequest, QueueRequests
from actor_operator.storage.run_ends import MICRO, bury, compute_units, take_news
from actor_operator.storage.run_starts import create_storages, forget_run
from actor_operator.storage.runs import Mirrored, RunRows

NOW = 1_700_000_000_000
QUEUE = StorageKind.REQUEST_QUEUE
ROW = a_row(uid="uid")


class Queue:
    """A queue with one request, that attempts of a run lock."""

    def __init__(self, database: Database, storage: str) -> None:
        self.database = database
        self.storage = storage

    @classmethod
    async def make(cls, database: Database) -> "Queue":
        def make(connection: Connection) -> str:
            row, _ = Catalog(connection, ACCOUNT).create(NewStorage(QUEUE), NOW)
            QueueRequests(connection, ACCOUNT).add(
                row.id,
                [NewRequest(id="r" * 15, head=b"{}", body=b"{}")],
                forefront=False,
                key=None,
                now=NOW,
            )
            return row.id

        return cls(database, await database.write(make))

    async def lock(self, attempt: int, uid: str = "uid") -> int:
        """Lock it for an hour; returns how many were free."""

        def lock(connection: Connection) -> int:
            client = Client(None, attempt_name(uid, attempt))
            locked = QueueLocks(connection, ACCOUNT).head_and_lock(
                self.storage, limit=9, until=NOW + 3_600_000, client=client, now=NOW
            )
            return len(locked.heads)

        return await self.database.write(lock)


async def take(database: Database, told: Mirrored, *, with_row: bool = False) -> None:
    row = msgspec.structs.replace(ROW, **msgspec.structs.asdict(told)) if with_row else None
    await database.write(
        lambda connection: take_news(connection, ACCOUNT, ROW.id, told, row=row, now=NOW)
    )


@pytest.fixture
async def queue(database: Database) -> Queue:
    await database.write(lambda connection: RunRows(connection, ACCOUNT).insert(ROW))
    return await Queue.make(database)


async def test_the_end_of_an_attempt_frees_what_it_has_locked(
    database: Database, queue: Queue
) -> None:
    await take(database, news(1, 1, "RUNNING"))
    assert await queue.lock(1) == 1
    await take(database, news(1, 3, "ABORTING"))
    assert await queue.lock(2) == 0
    await take(database, news(1, 4, "ABORTED"))
    assert await queue.lock(2) == 1


async def test_an_attempt_whose_end_was_never_seen_holds_nothing_when_the_next_one_is(
    database: Database, queue: Queue
) -> None:
    await queue.lock(1)
    await take(database, news(2, 1, "RUNNING"))
    assert await queue.lock(2) == 1


async def test_locks_of_other_runs_and_of_the_new_attempt_stay(
    database: Database, queue: Queue
) -> None:
    await queue.lock(1, "other")
    await take(database, news(1, 4, "FAILED"))
    assert await queue.lock(9) == 0
    await take(database, news(2, 1, "RUNNING"))
    assert await queue.lock(9) == 0


async def test_a_run_that_vanished_holds_nothing(database: Database, queue: Queue) -> None:
    await queue.lock(1)
    await database.write(lambda connection: bury(connection, ACCOUNT, ROW.id, NOW))
    assert await queue.lock(2) == 1


def used(attempt: int, units: float, at: datetime) -> Mirrored:
    ended = news(attempt, 4, "SUCCEEDED")
    return msgspec.structs.replace(
        ended, micro_units=round(units * MICRO), finished_at=int(at.timestamp() * 1000)
    )


async def units_of(database: Database, at: datetime) -> float:
    millis = int(at.timestamp() * 1000)
    return await database.read(lambda connection: compute_units(connection, ACCOUNT, millis))


async def test_compute_units_count_once_in_the_month_in_which_the_attempt_ended(
    database: Database,
) -> None:
    november, december = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    first, second = used(1, 0.25, november), used(2, 0.75, december)
    for told in (first, first, second, first, second):
        await take(database, told, with_row=True)
    assert await units_of(database, november) == 0.25
    assert await units_of(database, december) == 0.5
    await database.write(lambda connection: forget_run(connection, ACCOUNT, ROW.id, NOW))
    assert await units_of(database, december) == 0.5


async def test_logs_and_unnamed_storages_go_with_a_run_and_named_ones_stay(
    database: Database,
) -> None:
    known = ids_of(ROW.id)

    def make(connection: Connection) -> None:
        RunRows(connection, ACCOUNT).insert(ROW)
        create_storages(connection, ROW)
        changes = StorageChanges(name="kept")
        Catalog(connection, ACCOUNT).update(StorageKind.DATASET, known.dataset, changes, NOW)
        LogOwners(connection, ACCOUNT).take(ROW.id, "me", NOW, NOW + 1)
        LogSegments(connection, ACCOUNT).append(
            ROW.id, LogRow(attempt=1), NewSegment(1, 1, b"x"), owner="me", now=NOW
        )

    await database.write(make)
    await database.write(lambda connection: forget_run(connection, ACCOUNT, ROW.id, NOW))

    def left(connection: Connection) -> tuple[object, ...]:
        catalog = Catalog(connection, ACCOUNT)
        return (
            catalog.get(StorageKind.KEY_VALUE_STORE, known.key_value_store),
            catalog.get(StorageKind.REQUEST_QUEUE, known.request_queue),
            LogSegments(connection, ACCOUNT).row(ROW.id),
            RunRows(connection, ACCOUNT).get(ROW.id),
        )

    assert await database.read(left) == (None,) * 4
    kept = await database.read(
        lambda connection: Catalog(connection, ACCOUNT).find(StorageKind.DATASET, "kept")
    )
    assert kept is not None
    assert kept.id == known.dataset
