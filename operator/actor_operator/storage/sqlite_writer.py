"""The one writer of the embedded database: many functions, one fsync.

A commit costs an fsync, and while one lasts others come. The thread takes all that wait, runs each
in a savepoint of its own, commits once, and only then answers. Nobody is made to wait for company:
what comes in one turn of the event loop is handed over together, and what comes during a commit
is the next group.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from actor_operator.storage.database import CommitListener, DatabaseUnavailableError

MAX_GROUP = 256
"""Most functions that share a commit: one of them that is slow keeps all of them waiting."""

UNAVAILABLE_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOTADB,
    }
)
"""Results that tell of the disk and not of the statement (https://www.sqlite.org/rescode.html)."""


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], Any]
    answer: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class SqliteWriter:
    """Runs functions on one connection, in a thread of its own.

    Parameters
    ----------
    connection
        The connection; only the thread uses it, and closes it at the end. Its driver must leave
        transactions alone (``isolation_level=None``).
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._raw: sqlite3.Connection = driver_connection(connection)
        self._loop = asyncio.get_running_loop()
        self._collected: list[_Job] = []
        self._groups: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._closed = False
        self.listener: CommitListener | None = None
        """Told of every commit, in the writer's thread."""
        self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Connection], Any]) -> Any:
        """Run a function in a transaction, and return what it returned once that is durable.

        Raises
        ------
        DatabaseUnavailableError
            When the disk refuses, or the database is closed.
        """
        if self._closed:
            raise DatabaseUnavailableError("The database is closed.")
        if not self._collected:
            # The others that are woken in this turn of the loop come along.
            self._loop.call_soon(self._hand_over)
        answer = self._loop.create_future()
        self._collected.append(_Job(work, answer))
        return await answer

    async def close(self) -> None:
        """Finish what was begun, and close the connection."""
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._groups.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        jobs, self._collected = self._collected, []
        for start in range(0, len(jobs), MAX_GROUP):
            self._groups.put(jobs[start : start + MAX_GROUP])

    def _serve(self) -> None:
        going_on = True
        while going_on:
            group, going_on = self._next_group()
            # Who has gone away before its turn wants nothing any more.
            group = [job for job in group if not job.answer.cancelled()]
            if group:
                self._commit_together(group)
                # The loop is closed already when the process ends without closing the database.
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(_tell, group)
        self._connection.close()

    def _next_group(self) -> tuple[list[_Job], bool]:
        """All that waits, and whether there may be more later."""
        group = self._groups.get()
        if group is None:
            return [], False
        while len(group) < MAX_GROUP:
            try:
                more = self._groups.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return group, False
            group.extend(more)
        return group, True

    def _commit_together(self, group: list[_Job]) -> None:
        begun = time.perf_counter()
        try:
            self._raw.execute("BEGIN IMMEDIATE")
            for job in group:
                self._run_one(job, alone=len(group) == 1)
            if self._raw.in_transaction:
                self._raw.execute("COMMIT")
            if self.listener is not None:
                self.listener(len(group), time.perf_counter() - begun)
        except (sqlite3.Error, DatabaseUnavailableError) as error:
            for job in group:
                if job.error is None:
                    job.error = DatabaseUnavailableError(f"The database cannot write: {error}.")
        finally:
            self._roll_back()

    def _run_one(self, job: _Job, *, alone: bool) -> None:
        """Run a function; what it raises undoes its own changes only.

        Raises
        ------
        DatabaseUnavailableError
            When SQLite has given up the whole transaction, and with it what others did.
        """
        if not alone:
            self._raw.execute("SAVEPOINT work")
        try:
            job.result = job.work(self._connection)
        except BaseException as error:  # whatever it is, the caller is told
            job.error = translate(error)
            if not self._raw.in_transaction:
                raise DatabaseUnavailableError(str(error)) from error
            self._raw.execute("ROLLBACK" if alone else "ROLLBACK TO work")
        if not alone:
            self._raw.execute("RELEASE work")

    def _roll_back(self) -> None:
        """After a failure: leave no transaction behind."""
        if self._raw.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._raw.execute("ROLLBACK")


def translate(error: BaseException) -> BaseException:
    """Tell trouble with the disk from mistakes in statements, which stay what they are."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    # An extended result code has the kind of trouble in its lowest byte.
    if getattr(cause, "sqlite_errorcode", 0) & 0xFF in UNAVAILABLE_CODES:
        return DatabaseUnavailableError(f"The database does not answer: {cause}.")
    return error


def driver_connection(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection, on which transactions begin and end in a fifth of the time."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("the connection is none of SQLite")
    return driver


def _tell(group: list[_Job]) -> None:
    for job in group:
        if job.answer.done():  # cancelled meanwhile
            continue
        if job.error is None:
            job.answer.set_result(job.result)
        else:
            job.answer.set_exception(job.error)
