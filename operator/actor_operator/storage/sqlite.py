"""The embedded database: one file of SQLite in a folder that one process uses.

Durable: WAL with ``synchronous=FULL``, so a commit returns after its fsync. One thread writes
(`sqlite_writer.py`), a few others read, each on a connection of its own and on one snapshot for
each function.
"""

import asyncio
import os
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from actor_operator.errors import ConfigurationError
from actor_operator.storage.database import CommitListener, DatabaseUnavailableError
from actor_operator.storage.folder_lock import FolderLock
from actor_operator.storage.migrate import migrate
from actor_operator.storage.sqlite_writer import SqliteWriter, driver_connection, translate

T = TypeVar("T")

FILE = "actor-operator.sqlite3"
"""The database in its folder."""

READERS = 4
"""Threads that read. SQLite reads in microseconds: more of them would wait for Python."""

BUSY_SECONDS = 10.0
"""How long a lock of another process (a backup) is waited for."""

CHECKPOINT_PAGES = 4000
"""Pages of 4 KiB in the write-ahead log before they are moved to the database: fewer moves of
pages that change all the time than with the 1000 of SQLite."""

CACHE_KIB = 32_768
"""Memory for pages, for each connection."""

STATEMENTS = 512
"""Prepared statements that a connection keeps."""


class SqliteDatabase:
    """Runs functions on the database of a folder. Made by `open`."""

    def __init__(self, lock: FolderLock, writer: SqliteWriter, readers: list[Connection]) -> None:
        self._lock = lock
        self._writer = writer
        self._idle = deque(readers)
        self._threads = ThreadPoolExecutor(len(readers), thread_name_prefix="sqlite-reader")
        self._closed = False

    @classmethod
    async def open(cls, folder: Path) -> "SqliteDatabase":
        """Take the folder, and bring its database to the newest form.

        Raises
        ------
        ConfigurationError
            When another process has the folder, it is on a network file system, or what is there
            is no database of ours.
        """
        lock = FolderLock(folder)
        try:
            connections = await asyncio.to_thread(_connect, folder)
        except BaseException:
            lock.release()
            raise
        return cls(lock, SqliteWriter(connections[0]), connections[1:])

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a function on a consistent snapshot; it must not write.

        Raises
        ------
        DatabaseUnavailableError
            When the database cannot be read, or is closed.
        """
        if self._closed:
            raise DatabaseUnavailableError("The database is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a function in a transaction, and return once that is durable.

        Raises
        ------
        DatabaseUnavailableError
            When the database cannot be written, or is closed.
        """
        result: T = await self._writer.run(work)
        return result

    def on_commit(self, listener: CommitListener) -> None:
        """Have every commit told, in the writer's thread; it must not fail."""
        self._writer.listener = listener

    async def close(self) -> None:
        """Finish what was begun, close every connection, and leave the folder to others."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        while self._idle:
            self._idle.pop().close()
        await self._writer.close()
        self._lock.release()

    def _read(self, work: Callable[[Connection], T]) -> T:
        # There are as many connections as threads, so one is always there.
        connection = self._idle.pop()
        try:
            raw = driver_connection(connection)
            raw.execute("BEGIN")
            try:
                return work(connection)
            finally:
                raw.execute("ROLLBACK")
        except Exception as error:
            translated = translate(error)
            if translated is error:
                raise
            raise translated from error
        finally:
            self._idle.append(connection)


def _connect(folder: Path) -> list[Connection]:
    """The connection for the writer, and those for the readers."""
    with ExitStack() as opened:
        try:
            writer = opened.enter_context(_engine(folder, reads_only=False).connect())
            _move_to_wal(writer)
            with writer.begin():
                writer.exec_driver_sql("BEGIN IMMEDIATE")
                migrate(writer)
            engine = _engine(folder, reads_only=True)
            readers = [opened.enter_context(engine.connect()) for _ in range(READERS)]
            _sync_folder(folder)
        except (DBAPIError, OSError) as error:
            raise ConfigurationError(
                f"The database in {folder} cannot be used: {error}."
            ) from error
        opened.pop_all()
    return [writer, *readers]


def _engine(folder: Path, *, reads_only: bool) -> Engine:
    """Makes connections whose transactions are begun and ended by us alone."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            folder / FILE,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS,
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        if reads_only:
            connection.execute("PRAGMA query_only = ON")
        return connection

    return create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)


def _move_to_wal(connection: Connection) -> None:
    mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar_one()
    connection.commit()
    if mode != "wal":
        raise ConfigurationError(f"SQLite refuses its write-ahead log here (it says {mode!r}).")


def _sync_folder(folder: Path) -> None:
    """Make the names of new files durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
