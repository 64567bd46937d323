"""A backup as docs/storage.md describes it, while writes go on, and what is restored from it."""

import asyncio
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from tests.integration.api.test_key_value_stores import World

from actor_operator.services.access import StorageRef
from actor_operator.storage.folder import Folder
from actor_operator.storage.open import OBJECTS_FOLDER
from actor_operator.storage.sqlite import FILE, SqliteDatabase
from actor_operator.storage.tables import METADATA

VACUUM = 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("VACUUM INTO ?", sys.argv[2:])'
"""The first step of the page: the database."""

LARGE = 40_000
"""Bytes of a record that goes to the object store."""

KEYS = 40
"""Records that are written again and again, small and large ones in turn."""


class Writers:
    """Write versions of records for ever, and know what was acknowledged."""

    def __init__(self, world: World, store: StorageRef) -> None:
        self.acknowledged: dict[str, int] = {}
        self._stopping = False
        self._written = asyncio.Event()
        self._world = world
        self._store = store
        self._tasks = [asyncio.create_task(self._write(number)) for number in range(4)]

    async def stop(self) -> None:
        """Stop after the writes that are under way."""
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def reach(self, version: int) -> None:
        """Return once every record has a version, or a later one."""
        while sum(found >= version for found in self.acknowledged.values()) < KEYS:
            self._written.clear()
            await self._written.wait()

    async def _write(self, number: int) -> None:
        version = 0
        while not self._stopping:
            version += 1
            for index in range(number, KEYS, 4):
                key = f"k{index}"
                await self._world.put(self._store, key, body_of(index, version))
                self.acknowledged[key] = version
                self._written.set()


@asynccontextmanager
async def writing(world: World, store: StorageRef) -> AsyncIterator[Writers]:
    """Write while the context lasts."""
    writers = Writers(world, store)
    try:
        yield writers
    finally:
        await writers.stop()


def body_of(index: int, version: int) -> bytes:
    """A version of a record, which says which one it is."""
    return f"{version} ".encode().ljust(LARGE if index % 2 else 10, b"x")


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[World]:
    """A store over SQLite and a folder, as an installation has them."""
    database = await SqliteDatabase.open(folder)
    try:
        yield World(database, Folder(folder / OBJECTS_FOLDER))
    finally:
        await database.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The store that is backed up."""
    async with opened(tmp_path / "data") as world:
        yield world


def back_up(folder: Path, archive: Path) -> None:
    """Both steps of the page: the database first, then the objects."""
    copy = folder / "backup.sqlite3"
    subprocess.run([sys.executable, "-c", VACUUM, str(folder / FILE), str(copy)], check=True)
    names = ("backup.sqlite3", OBJECTS_FOLDER)
    command = ["tar", "-c", "-f", str(archive), "-C", str(folder), *names]
    # 1: a folder got a file, or lost one, while it was read.
    assert subprocess.run(command, check=False).returncode in {0, 1}
    copy.unlink()


def restore(archive: Path, folder: Path) -> None:
    """What the page says of restoring."""
    folder.mkdir()
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    (folder / "backup.sqlite3").rename(folder / FILE)


def referred(connection: Connection) -> set[str]:
    """Keys of all objects that rows refer to, but for those that are to be deleted."""
    tables = [table for table in METADATA.tables.values() if "object_key" in table.columns]
    owners = [table for table in tables if table.name not in {"uploads", "deletions"}]
    assert len(owners) == 3
    return {
        key
        for table in owners
        for key in connection.execute(select(table.c.object_key)).scalars()
        if key is not None
    }


async def test_what_was_acknowledged_before_a_backup_is_there_after_restoring_it(
    world: World, tmp_path: Path
) -> None:
    store = await world.make()
    async with asyncio.timeout(60), writing(world, store) as writers:
        await writers.reach(2)
        before = dict(writers.acknowledged)
        await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "backup.tar")
        await writers.reach(max(before.values()) + 1)

    await asyncio.to_thread(restore, tmp_path / "backup.tar", tmp_path / "restored")
    async with opened(tmp_path / "restored") as restored:
        for key, version in before.items():
            body = await restored.body(store, key)
            found = int(body.split()[0])
            assert found >= version, key
            assert body == body_of(int(key.removeprefix("k")), found), key
        objects = set(await restored.stored())
        missing = await restored.database.read(referred) - objects
    assert missing == set()
    assert len(objects) >= KEYS / 2


async def test_a_restored_database_goes_on_where_the_backup_was_made(
    world: World, tmp_path: Path
) -> None:
    store = await world.make()
    await world.put(store, "old", b"x" * LARGE)
    await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / "backup.tar")
    await world.put(store, "lost", b"y")

    await asyncio.to_thread(restore, tmp_path / "backup.tar", tmp_path / "restored")
    async with opened(tmp_path / "restored") as restored:
        await restored.put(store, "new", b"z" * LARGE)
        assert await restored.body(store, "old") == b"x" * LARGE
        assert await restored.body(store, "new") == b"z" * LARGE
        assert (await restored.row(store)).storage_bytes == 2 * LARGE
