"""Storages that nobody keeps, on each database."""

import pytest
from sqlalchemy import Connection, text

from actor_operator.services import storage_expiry
from actor_operator.services.storage_expiry import StorageExpiry
from actor_operator.services.storage_use import StorageUse
from actor_operator.storage.catalog import Catalog, NewStorage, StorageChanges, StorageKind
from actor_operator.storage.database import Database

DATASET = StorageKind.DATASET
WEEK = 7 * 86_400


class World:
    """Storages of two accounts."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = 1_700_000_000_000
        self.use = StorageUse(database, lambda: self.now)
        self.expiry = StorageExpiry(database, self.use, WEEK, lambda: self.now)

    async def make(self, new: NewStorage, account: int = 1) -> str:
        row, _ = await self.database.write(
            lambda connection: Catalog(connection, account).create(new, self.now)
        )
        return row.id

    async def there(self, account: int = 1) -> set[str]:
        page = await self.database.read(
            lambda connection: Catalog(connection, account).page(
                DATASET, offset=0, limit=1000, desc=False, unnamed=True
            )
        )
        return {row.id for row in page.items}


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


async def test_what_has_no_name_and_no_run_goes_some_time_after_its_last_use(
    world: World,
) -> None:
    run = NewStorage(DATASET, id="d" * 17, run_id="r" * 17)
    kept = {await world.make(NewStorage(DATASET, "named")), await world.make(run)}
    unused = await world.make(NewStorage(DATASET, creator_run="r" * 17))
    used = await world.make(NewStorage(DATASET))
    named_later = await world.make(NewStorage(DATASET))
    await world.make(NewStorage(StorageKind.REQUEST_QUEUE), 2)
    world.now += WEEK * 1000
    assert await world.expiry.sweep() == 0

    world.now += 1
    world.use.note(1, used, reads=1)
    await world.database.write(
        lambda connection: Catalog(connection, 1).update(
            DATASET, named_later, StorageChanges(name="later"), 0
        )
    )

    assert await world.expiry.sweep() == 2
    assert await world.there() == {*kept, used, named_later}
    assert unused not in await world.there()
    world.now += WEEK * 1000 + 1
    assert await world.expiry.sweep() == 1
    assert await world.there() == {*kept, named_later}


async def test_a_pass_does_a_bounded_piece_of_the_work_and_the_next_one_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_expiry, "BATCH", 2)
    monkeypatch.setattr(storage_expiry, "BATCHES", 2)
    ids = [await world.make(NewStorage(DATASET)) for _ in range(7)]
    world.now += WEEK * 1000 + 1
    for used in ids:
        world.use.note(1, used, reads=1)
    last = await world.make(NewStorage(DATASET))
    world.now += WEEK * 1000
    # Those are all in use but one; it is the last in the order.
    passes = [await world.expiry.sweep()]
    assert passes == [0]
    world.now += 1
    for used in ids:
        world.use.note(1, used, reads=1)
    assert await world.expiry.sweep() == 1
    assert last not in await world.there()


QUERY = (
    "SELECT id FROM storages WHERE name_key IS NULL AND run_id IS NULL"
    " AND created_at < 9 AND (created_at, id) > (0, '') ORDER BY created_at, id LIMIT 2"
)


async def test_finding_them_costs_nothing_for_storages_of_runs(world: World) -> None:
    def plan(connection: Connection) -> str:
        explain = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            # It scans tables as small as this one, unless it is told what a large one costs.
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            explain = "EXPLAIN"
        return " ".join(str(row) for row in connection.execute(text(f"{explain} {QUERY}")))

    assert "ix_storages_unkept" in await world.database.read(plan)
