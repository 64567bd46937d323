"""Requests of queues, on each database: many workers, locks that end, and what it costs."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, select, text

from actor_operator.desired.tokens import PermissionLevel, RunIdentity
from actor_operator.services.access import StorageRef
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import OF_RUNS, Caller
from actor_operator.services.queue_requests import request_id
from actor_operator.services.request_queues import RequestQueues
from actor_operator.services.storage_use import StorageUse
from actor_operator.storage import queue_locks, queues
from actor_operator.storage.catalog import Catalog, NewStorage, StorageKind, StorageRow
from actor_operator.storage.database import Database
from actor_operator.storage.queue_rows import Client
from actor_operator.storage.queues import NewRequest, QueueRequests
from actor_operator.storage.tables import REQUESTS

ACCOUNT = 7
START = 1_700_000_000_000
QUEUE = StorageKind.REQUEST_QUEUE
ONLY_OWNER = Caller(ACCOUNT, "crawls", OF_RUNS)


class World:
    """A queue in a database, and the service."""

    def __init__(self, database: Database) -> None:
        self.now = START
        self.database = database
        self.use = StorageUse(database, lambda: self.now)
        self.service = RequestQueues(database, self.use, lambda: self.now)
        self.queue = StorageRef(ACCOUNT, "", ONLY_OWNER)

    async def make(self) -> "World":
        row, _ = await self.database.write(
            lambda connection: Catalog(connection, ACCOUNT).create(NewStorage(QUEUE), self.now)
        )
        self.queue = StorageRef(ACCOUNT, row.id, ONLY_OWNER)
        return self

    def by_run(self, uid: str, attempt: int = 1) -> StorageRef:
        """The queue as a run uses it."""
        identity = RunIdentity("key", "crawls", "run", uid, attempt, PermissionLevel.FULL)
        return StorageRef(ACCOUNT, self.queue.id, Caller(ACCOUNT, "crawls", OF_RUNS, identity))

    async def row(self) -> StorageRow:
        found = await self.database.read(
            lambda connection: Catalog(connection, ACCOUNT).get(QUEUE, self.queue.id)
        )
        assert found is not None
        return found

    async def add(self, *keys: str, forefront: bool = False, key: str | None = None) -> list[Any]:
        sent = await self.service.add_batch(
            self.queue, batch(keys), forefront=forefront, client_key=key
        )
        assert sent["unprocessedRequests"] == []
        return list(sent["processedRequests"])

    async def put(self, key: str, *, forefront: bool = False, **fields: object) -> dict[str, Any]:
        body = msgspec.json.encode(draft(key) | fields)
        return await self.service.update(
            self.queue, request_id(key), body, forefront=forefront, client_key=None
        )

    async def lock(
        self, client: str | None, limit: int = 25, queue: StorageRef | None = None, secs: float = 60
    ) -> list[str]:
        head = await self.service.locks.head_and_lock(
            queue or self.queue, lock_secs=secs, limit=limit, client_key=client
        )
        return keys_of(head["items"])

    async def head(self) -> list[str]:
        head = await self.service.locks.head(self.queue, limit=0, client_key=None)
        return keys_of(head["items"])


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).make()


def draft(key: str) -> dict[str, object]:
    return {"url": f"https://example.com/{key}", "uniqueKey": key}


def batch(keys: Iterable[str]) -> bytes:
    return msgspec.json.encode([draft(key) for key in keys])


def keys_of(items: Iterable[msgspec.Raw]) -> list[str]:
    return [msgspec.json.decode(item)["uniqueKey"] for item in items]


async def test_requests_are_worked_on_in_the_order_in_which_they_came(world: World) -> None:
    await world.add("c", "a", "b")
    await world.add("z", "y", forefront=True)
    await world.add("a", "x", "x", forefront=True)

    assert await world.head() == ["x", "z", "y", "c", "a", "b"]


async def test_what_is_there_is_told_and_left_alone(world: World) -> None:
    await world.add("a", "b")
    await world.put("b", handledAt="2024-01-01T00:00:00.000Z")

    results = await world.add("a", "b", "c", "c")

    assert [(one["wasAlreadyPresent"], one["wasAlreadyHandled"]) for one in results] == [
        (True, False),
        (True, True),
        (False, False),
        (True, False),
    ]
    assert [one["requestId"] for one in results] == [request_id(key) for key in "abcc"]
    row = await world.row()
    assert (row.item_count, row.handled_count) == (3, 1)


async def test_only_a_change_without_a_time_brings_a_handled_request_back(world: World) -> None:
    await world.add("a", "b")
    done = await world.put("a", handledAt="2024-01-01T00:00:00.000Z")
    again = await world.put("a", handledAt="2024-01-02T00:00:00.000Z")
    assert (done["wasAlreadyHandled"], again["wasAlreadyHandled"]) == (False, True)
    assert await world.head() == ["b"]

    back = await world.put("a", forefront=True)

    assert back["wasAlreadyHandled"]
    assert await world.head() == ["a", "b"]
    assert (await world.row()).handled_count == 0


async def test_50_workers_lock_each_request_once(world: World) -> None:
    keys = [f"page-{number}" for number in range(500)]
    for start in range(0, 500, 25):
        await world.add(*keys[start : start + 25])
    taken: Counter[str] = Counter()

    async def work(client: str) -> None:
        while mine := await world.lock(client, limit=5):
            taken.update(mine)
            for key in mine:
                await world.put(key, handledAt="2024-01-01T00:00:00.000Z")

    await asyncio.gather(*(work(f"worker-{number}") for number in range(50)))

    assert taken == Counter(keys)
    row = await world.row()
    assert (row.item_count, row.handled_count) == (500, 500)
    assert row.had_multiple_clients


async def test_50_clients_that_add_the_same_add_it_once(world: World) -> None:
    results = await asyncio.gather(
        *(world.add(*(f"page-{number}" for number in range(10))) for _ in range(50))
    )

    new = Counter(
        one["uniqueKey"] for some in results for one in some if not one["wasAlreadyPresent"]
    )
    assert set(new.values()) == {1}
    assert len(new) == 10
    assert (await world.row()).item_count == 10


async def test_puts_of_a_request_that_is_not_there_add_it_once(world: World) -> None:
    results = await asyncio.gather(*(world.put("a") for _ in range(20)))

    assert [one["wasAlreadyPresent"] for one in results].count(False) == 1
    assert (await world.row()).item_count == 1


async def test_a_lock_that_is_over_gives_the_request_to_the_next(world: World) -> None:
    await world.add("a", "b")
    assert await world.lock("one", secs=60) == ["a", "b"]
    assert await world.lock("two") == []

    world.now += 60_000

    assert await world.lock("two", limit=1) == ["a"]
    with pytest.raises(ApiError) as caught:
        await world.service.locks.prolong(
            world.queue, request_id("a"), lock_secs=1, forefront=False, client_key="one"
        )
    assert caught.value.error_type == "request-handled-or-locked"


async def test_a_client_without_a_key_gets_one_for_its_locks(world: World) -> None:
    await world.add("a")

    head = await world.service.locks.head_and_lock(
        world.queue, lock_secs=1.5, limit=0, client_key=None
    )

    assert (head["lockSecs"], head["limit"], head["queueHasLockedRequests"]) == (1.5, 25, True)
    prolonged = await world.service.locks.prolong(
        world.queue, request_id("a"), lock_secs=5, forefront=False, client_key=head["clientKey"]
    )
    assert prolonged == {"lockExpiresAt": "2023-11-14T22:13:25.000Z"}


async def test_the_end_of_an_attempt_frees_what_it_has_locked(world: World) -> None:
    await world.add("a", "b", "c")
    await world.lock("one", limit=1, queue=world.by_run("uid-1"))
    await world.lock("one", limit=1, queue=world.by_run("uid-1", attempt=2))
    await world.lock("one", limit=1)

    assert await world.service.locks.free_locks_of_run(ACCOUNT, "uid-1", 1) == 1

    assert await world.lock("two") == ["a"]


async def test_a_run_that_was_resurrected_is_the_same_client(world: World) -> None:
    await world.add("a", key="run-1")
    for attempt in (1, 2):
        await world.lock("run-1", queue=world.by_run("uid-1", attempt))
    await world.head()
    assert not (await world.row()).had_multiple_clients

    head = await world.service.locks.head(world.queue, limit=1, client_key="run-2")

    assert head["hadMultipleClients"]
    assert (await world.row()).had_multiple_clients


async def test_somebody_elses_look_is_no_second_client(world: World) -> None:
    await world.add("a", key="run-1")
    stranger = StorageRef(ACCOUNT, world.queue.id, Caller(8, "others", OF_RUNS))

    await world.service.locks.head(stranger, limit=1, client_key="stranger")

    assert not (await world.row()).had_multiple_clients


async def test_a_run_can_give_back_what_it_locked_under_several_keys(world: World) -> None:
    await world.add("a", "b", "c", "d")
    run = world.by_run("uid-1")
    for key in ("one", "two"):
        await world.lock(key, limit=1, queue=run)
    await world.lock("three", limit=1)

    assert await world.service.locks.unlock_all(run, client_key="one") == {"unlockedCount": 2}

    assert await world.lock("four") == ["a", "b", "d"]


async def test_the_list_goes_on_where_it_ended(world: World) -> None:
    keys = [f"page-{number}" for number in range(10)]
    await world.add(*keys)
    found, cursor = [], ""
    for _ in range(4):
        page = await world.service.page(
            world.queue, start="", cursor=cursor, limit=3, states=(), client_key=None
        )
        found.extend(keys_of(page["items"]))
        cursor = page.get("nextCursor", "")

    assert cursor == ""
    assert sorted(found) == sorted(keys)


async def test_a_page_of_large_requests_is_shorter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MAX_PAGE_BYTES", 250)
    await world.add("a", "b", "c", "d")  # about 90 bytes each

    page = await world.service.page(
        world.queue, start="", cursor="", limit=0, states=(), client_key=None
    )

    assert len(page["items"]) == 2
    rest = await world.service.page(
        world.queue, start=page["nextCursor"], cursor="", limit=0, states=(), client_key=None
    )
    assert sorted(keys_of(page["items"]) + keys_of(rest["items"])) == ["a", "b", "c", "d"]


async def test_the_list_can_be_of_locked_or_pending_ones(world: World) -> None:
    await world.add("a", "b", "c", "d")
    await world.put("d", handledAt="2024-01-01T00:00:00.000Z")
    await world.lock("one", limit=1, secs=1)
    world.now += 2000
    await world.lock("one", limit=2)

    async def listed(*states: str) -> list[str]:
        page = await world.service.page(
            world.queue, start="", cursor="", limit=0, states=states, client_key=None
        )
        return sorted(keys_of(page["items"]))

    assert await listed() == ["a", "b", "c", "d"]
    assert await listed("locked") == ["a", "b"]
    assert await listed("pending") == ["c"]
    assert await listed("locked", "pending") == ["a", "b", "c"]
    with pytest.raises(ApiError):
        await listed("handled")


async def test_a_queue_that_is_gone_is_not_found(world: World) -> None:
    await world.add("a")
    await world.database.write(
        lambda connection: Catalog(connection, ACCOUNT).delete(QUEUE, world.queue.id, world.now)
    )

    for call in (world.add("b"), world.put("b"), world.lock("one"), world.head()):
        with pytest.raises(ApiError) as caught:
            await call
        assert (caught.value.status, caught.value.error_type) == (404, "record-not-found")


async def test_reads_are_counted(world: World) -> None:
    await world.add("a", "b")
    await world.service.get(world.queue, request_id("a"))
    await world.head()
    await world.use.flush()

    row = await world.row()
    assert (row.read_count, row.list_count, row.write_count) == (1, 1, 2)


async def test_what_a_lock_costs_does_not_depend_on_history(world: World) -> None:
    def fill(connection: Connection) -> None:
        requests = QueueRequests(connection, ACCOUNT)
        for start in range(0, 5000, 500):
            some = [new(number, handled_at=1) for number in range(start, start + 500)]
            requests.add(world.queue.id, some, forefront=False, key=None, now=world.now)
        some = [new(number) for number in range(5000, 5200)]
        requests.add(world.queue.id, some, forefront=False, key=None, now=world.now)
        locks = queue_locks.QueueLocks(connection, ACCOUNT)
        until = world.now + 1000
        locks.head_and_lock(
            world.queue.id, limit=100, until=until, client=Client("one"), now=world.now
        )

    await world.database.write(fill)
    await world.database.write(analyze)
    names = {"p_account": ACCOUNT, "p_storage": world.queue.id, "p_limit": 25, "p_now": world.now}

    for statement, index in (
        (queue_locks._TAKE, "ix_requests_free"),
        (queue_locks._FREE, "ix_requests_free"),
        (queue_locks._LOCKED, "ix_requests_locked"),
        (queue_locks._EXPIRED, "ix_requests_locked"),
        (queue_locks._ANY_LOCKED, "ix_requests_locked"),
    ):
        plan = await world.database.write(explain(statement, names))
        assert index in plan, plan


def analyze(connection: Connection) -> None:
    connection.execute(text("ANALYZE"))


def new(number: int, handled_at: int | None = None) -> NewRequest:
    return NewRequest(request_id(str(number)), b"{}", b"x" * 200, handled_at)


def explain(statement: Any, names: dict[str, object]) -> Callable[[Connection], str]:
    def run(connection: Connection) -> str:
        is_sqlite = connection.dialect.name == "sqlite"
        used = {name: names[name] for name in names if name in statement.compile().params}
        written = statement.params(**used).compile(
            connection, compile_kwargs={"literal_binds": True}
        )
        prefix = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        rows = connection.execute(text(f"{prefix} {written}"))
        return "\n".join(str(row[-1]) for row in rows)

    return run


async def test_the_order_stays_free_of_gaps_that_matter(world: World) -> None:
    """A number is never given twice, whoever adds."""
    await asyncio.gather(
        *(world.add(f"a{number}", forefront=bool(number % 2)) for number in range(40))
    )
    numbers = await world.database.read(
        lambda connection: connection.scalars(
            select(REQUESTS.c.order_no).where(REQUESTS.c.account == ACCOUNT)
        ).all()
    )
    assert len(set(numbers)) == 40
