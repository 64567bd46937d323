"""What units of work may rely on, whatever the database is."""

import asyncio

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from actor_operator.storage.database import Database
from actor_operator.storage.tables import COUNTERS
from actor_operator.storage.upsert import insert_into

ACCOUNT = 1


def add(connection: Connection, status: str, number: int = 1) -> int:
    insert = insert_into(connection, COUNTERS).values(
        account=ACCOUNT, kind="test", status=status, count=number
    )
    result = connection.execute(
        insert.on_conflict_do_update(
            index_elements=["account", "kind", "status"],
            set_={"count": COUNTERS.c.count + number},
        ).returning(COUNTERS.c.count)
    )
    return int(result.scalar_one())


def counts(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(COUNTERS.c.status, COUNTERS.c["count"]))
    return {row[0]: row[1] for row in rows}


async def test_what_was_written_is_read(database: Database) -> None:
    assert await database.write(lambda connection: add(connection, "a")) == 1

    assert await database.read(counts) == {"a": 1}


async def test_many_writes_at_once_are_all_there(database: Database) -> None:
    results = await asyncio.gather(
        *(database.write(lambda connection: add(connection, "a")) for _ in range(300))
    )

    assert sorted(results) == list(range(1, 301))
    assert await database.read(counts) == {"a": 300}


async def test_a_function_that_raises_undoes_its_own_changes_only(database: Database) -> None:
    def fail(connection: Connection) -> int:
        add(connection, "failed")
        raise LookupError("no")

    works = [
        database.write(fail if number % 3 == 0 else lambda connection: add(connection, "done"))
        for number in range(30)
    ]
    results = await asyncio.gather(*works, return_exceptions=True)

    assert sum(isinstance(result, LookupError) for result in results) == 10
    assert await database.read(counts) == {"done": 20}


async def test_a_mistake_in_a_statement_is_raised_as_it_is(database: Database) -> None:
    def wrong(connection: Connection) -> None:
        add(connection, "wrong")
        connection.execute(text("SELECT nothing FROM nowhere"))

    results = await asyncio.gather(
        database.write(wrong),
        database.write(lambda connection: add(connection, "right")),
        return_exceptions=True,
    )

    assert isinstance(results[0], DBAPIError)
    assert await database.read(counts) == {"right": 1}


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError):
        await database.read(lambda connection: add(connection, "a"))

    assert await database.read(counts) == {}


async def test_a_caller_that_goes_away_does_no_harm_to_others(database: Database) -> None:
    tasks = [
        asyncio.create_task(database.write(lambda connection: add(connection, "a")))
        for _ in range(40)
    ]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert not any(isinstance(result, BaseException) for result in results[1::2])
    assert 20 <= (await database.read(counts))["a"] <= 40


async def test_closing_finishes_what_was_begun(database: Database) -> None:
    tasks = [
        asyncio.create_task(database.write(lambda connection: add(connection, "a")))
        for _ in range(5)
    ]
    await asyncio.gather(*tasks)

    await database.close()
    await database.close()


async def test_a_write_may_use_savepoints_of_its_own(database: Database) -> None:
    def work(connection: Connection) -> None:
        add(connection, "kept")
        nested = connection.begin_nested()
        add(connection, "undone")
        nested.rollback()

    await asyncio.gather(*(database.write(work) for _ in range(4)))

    assert await database.read(counts) == {"kept": 4}
