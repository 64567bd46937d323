"""The embedded database."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from actor_operator.errors import ConfigurationError
from actor_operator.storage.database import DatabaseUnavailableError
from actor_operator.storage.sqlite import FILE, SqliteDatabase

CHILD = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import text
from actor_operator.storage.sqlite import SqliteDatabase

async def write(database, writer):
    number = 0
    while True:
        number += 1
        await database.write(lambda connection: connection.execute(
            text("INSERT INTO confirmed VALUES (:w, :n)"), {"w": writer, "n": number}).rowcount)
        print(writer, number, flush=True)

async def main():
    database = await SqliteDatabase.open(Path(sys.argv[1]))
    await database.write(lambda connection: connection.execute(
        text("CREATE TABLE confirmed (w INT, n INT)")).rowcount)
    await asyncio.gather(*(write(database, writer) for writer in range(8)))

asyncio.run(main())
"""
"""Writes numbers, and prints each once it is confirmed."""

CONFIRMED = 400
"""Numbers after which the process is killed."""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = await SqliteDatabase.open(tmp_path)
    await opened.write(lambda connection: connection.execute(text("CREATE TABLE t (x)")).rowcount)
    yield opened
    await opened.close()


def insert(connection: Connection, value: object = 1) -> int:
    return connection.execute(text("INSERT INTO t VALUES (:x)"), {"x": value}).rowcount


def count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM t")).scalar_one())


def commits(database: SqliteDatabase) -> list[str]:
    """The commits of the writer from now on."""
    seen: list[str] = []

    def trace(statement: str) -> None:
        if statement == "COMMIT":
            seen.append(statement)

    database._writer._raw.set_trace_callback(trace)
    return seen


def write_until_killed(folder: Path) -> set[tuple[int, ...]]:
    """What a process confirmed before it was killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(CONFIRMED)]
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.read().splitlines()
    child.wait()
    child.stdout.close()
    return {tuple(map(int, line.split())) for line in lines if len(line.split()) == 2}


async def test_a_process_that_is_killed_has_written_all_that_it_confirmed(tmp_path: Path) -> None:
    confirmed = write_until_killed(tmp_path)

    database = await SqliteDatabase.open(tmp_path)
    rows = await database.read(
        lambda connection: connection.execute(text("SELECT w, n FROM confirmed")).all()
    )
    await database.close()

    written = {tuple(row) for row in rows}
    assert len(confirmed) >= CONFIRMED - 1
    assert confirmed - written == set()
    # Of each writer at most the one number that it waited for.
    assert len(written - confirmed) <= 8


async def test_writes_that_wait_share_a_commit(database: SqliteDatabase) -> None:
    seen = commits(database)

    await asyncio.gather(*(database.write(insert) for _ in range(100)))

    assert len(seen) == 1
    assert await database.read(count) == 100


async def test_writes_that_come_during_a_commit_are_the_next_group(
    database: SqliteDatabase,
) -> None:
    seen = commits(database)
    begun, going_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> int:
        begun.set()
        going_on.wait()
        return insert(connection)

    first = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(begun.wait)
    others = [asyncio.create_task(database.write(insert)) for _ in range(50)]
    await asyncio.sleep(0)
    going_on.set()
    await asyncio.gather(first, *others)

    assert len(seen) == 2


async def test_a_group_of_which_all_fail_leaves_the_writer_in_order(
    database: SqliteDatabase,
) -> None:
    def fail(connection: Connection) -> int:
        insert(connection)
        raise KeyError("no")

    results = await asyncio.gather(
        *(database.write(fail) for _ in range(3)), return_exceptions=True
    )

    assert all(isinstance(result, KeyError) for result in results)
    assert await database.write(insert) == 1
    assert await database.read(count) == 1


async def test_who_went_away_before_its_turn_writes_nothing(database: SqliteDatabase) -> None:
    begun, going_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> int:
        begun.set()
        going_on.wait()
        return insert(connection)

    first = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(begun.wait)
    second = asyncio.create_task(database.write(insert))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    going_on.set()
    await first

    assert await database.read(count) == 1


async def test_a_full_disk_is_told_to_all_and_passes(database: SqliteDatabase) -> None:
    raw = database._writer._raw
    pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count = {pages}")

    results = await asyncio.gather(
        *(database.write(lambda c: insert(c, b"x" * 100_000)) for _ in range(5)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [DatabaseUnavailableError] * 5
    assert await database.read(count) == 0

    raw.execute("PRAGMA max_page_count = 1000000")
    assert await database.write(insert) == 1


async def test_a_commit_that_fails_is_told_to_all(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        """The writer's connection, whose commits fail."""

        def __init__(self, raw: sqlite3.Connection) -> None:
            self._raw = raw

        @property
        def in_transaction(self) -> bool:
            return self._raw.in_transaction

        def execute(self, statement: str) -> sqlite3.Cursor:
            if statement == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return self._raw.execute(statement)

    with monkeypatch.context() as patch:
        patch.setattr(database._writer, "_raw", Failing(database._writer._raw))
        results = await asyncio.gather(
            *(database.write(insert) for _ in range(5)), return_exceptions=True
        )

    assert [type(result) for result in results] == [DatabaseUnavailableError] * 5
    assert await database.write(insert) == 1
    assert await database.read(count) == 1


async def test_a_reader_sees_one_moment(database: SqliteDatabase) -> None:
    loop = asyncio.get_running_loop()

    def read_twice(connection: Connection) -> tuple[int, int]:
        before = count(connection)
        asyncio.run_coroutine_threadsafe(database.write(insert), loop).result()
        return before, count(connection)

    assert await database.read(read_twice) == (0, 0)
    assert await database.read(count) == 1


async def test_a_commit_waits_for_the_disk(database: SqliteDatabase) -> None:
    def setting(name: str) -> object:
        return database._writer._raw.execute(f"PRAGMA {name}").fetchone()[0]

    assert setting("journal_mode") == "wal"
    assert setting("synchronous") == 2  # FULL
    assert setting("foreign_keys") == 1


async def test_a_second_process_is_refused(database: SqliteDatabase, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Another process"):
        await SqliteDatabase.open(tmp_path)


async def test_closing_finishes_what_waits(tmp_path: Path) -> None:
    database = await SqliteDatabase.open(tmp_path)
    await database.write(lambda connection: connection.execute(text("CREATE TABLE t (x)")).rowcount)
    tasks = [asyncio.create_task(database.write(insert)) for _ in range(20)]
    await asyncio.sleep(0)

    await database.close()

    assert await asyncio.gather(*tasks) == [1] * 20
    with pytest.raises(DatabaseUnavailableError, match="closed"):
        await database.write(insert)
    with pytest.raises(DatabaseUnavailableError, match="closed"):
        await database.read(count)
    again = await SqliteDatabase.open(tmp_path)
    assert await again.read(count) == 20
    await again.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database" * 1000)

    with pytest.raises(ConfigurationError, match="cannot be used"):
        await SqliteDatabase.open(tmp_path)

    (tmp_path / FILE).unlink()  # the folder was left to others
    await (await SqliteDatabase.open(tmp_path)).close()


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    database = await SqliteDatabase.open(tmp_path)
    await database.write(
        lambda connection: (
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'")).rowcount
        )
    )
    await database.close()

    with pytest.raises(ConfigurationError, match="newer version"):
        await SqliteDatabase.open(tmp_path)
