"""A PostgreSQL database: any number of API servers share it.

Writes run in READ COMMITTED: a function that writes what depends on what it has read must first
lock the row that it is about (``UPDATE … RETURNING``, or ``with_for_update``, which says nothing on
SQLite). Reads run in one snapshot (REPEATABLE READ, READ ONLY).
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from actor_operator.errors import ConfigurationError
from actor_operator.storage.database import CommitListener, DatabaseUnavailableError
from actor_operator.storage.migrate import migrate

T = TypeVar("T")

CONNECTIONS = 16
"""Connections of one API server; PostgreSQL takes 100 unless told otherwise."""

POOL_SECONDS = 10.0
"""How long a free connection is waited for."""

CONNECT_SECONDS = 10
"""How long a new connection may take."""

TCP = {
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""A server that has vanished without a word is given up after 30 s, also in the middle of a
transaction (libpq's parameters; seconds, and milliseconds for the last one)."""

SESSION = {"statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s"}
"""What the server ends by itself: a statement that takes too long, be it stuck behind a lock, and a
transaction whose client has fallen silent and would keep its locks from everybody."""

_OPTIONS = " ".join(f"-c {name}={value}" for name, value in SESSION.items())

TRIES = 8
"""How often a function is run before the conflict is told to the client (as 503)."""

PAUSE_SECONDS = 0.005
"""Longest pause before the second try; it doubles with each."""

CONFLICTS = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: the same again will do."""

UNAVAILABLE_CLASSES = frozenset({"08", "53", "57", "58"})
"""Classes of SQLSTATE that tell of the server and not of the statement: connection, resources,
operator intervention, system."""

READ_ONLY = "25006"
"""A write is refused: the server is a standby (still), or the function was given to `read`."""

REQUIRED_ON = ("fsync", "synchronous_commit", "full_page_writes")
"""Settings without which an answer would promise too much."""


class PostgresDatabase:
    """Runs functions on a PostgreSQL database. Made by `open`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._writers = engine.execution_options(isolation_level="READ COMMITTED")
        self._readers = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._engine = engine
        self._listener: CommitListener | None = None

    @classmethod
    async def open(cls, url: str) -> "PostgresDatabase":
        """Connect, and bring the database to the newest form.

        Parameters
        ----------
        url
            ``postgresql://user:password@host:5432/name``. It is in no message.

        Raises
        ------
        ConfigurationError
            When the URL is none, the server loses what it has confirmed, or a newer version of the
            program has changed the database.
        DatabaseUnavailableError
            When the server does not answer.
        """
        database = cls(_engine(url))
        try:
            await database.write(_check_settings)
            await database.write(migrate)
        except BaseException:
            await database.close()
            raise
        return database

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a function on a consistent snapshot; the server refuses its writes.

        Raises
        ------
        DatabaseUnavailableError
            When the server does not answer.
        """
        return await self._run(self._readers, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a function in a transaction, again after a conflict with another one.

        Raises
        ------
        DatabaseUnavailableError
            When the server does not answer, or has no room. When the connection broke during the
            commit nobody knows whether it took place: functions must bear being asked for again.
        """
        begun = time.perf_counter()
        try:
            result = await self._run(self._writers, work)
        except DBAPIError as error:
            if _code(error) != READ_ONLY:
                raise
            raise DatabaseUnavailableError("The database is read-only.") from error
        if self._listener is not None:
            self._listener(1, time.perf_counter() - begun)
        return result

    def on_commit(self, listener: CommitListener) -> None:
        """Have every commit told; it must not fail."""
        self._listener = listener

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def _run(self, engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
        pause = PAUSE_SECONDS
        for number in range(1, TRIES + 1):
            attempt = _Attempt(engine)
            try:
                return await attempt.run(work)
            except PoolTimeoutError as error:
                raise DatabaseUnavailableError("No connection to the database is free.") from error
            except DBAPIError as error:
                # A connection that lay idle may be dead: the next one is new.
                was_dead = _is_lost(error) and number == 1 and not attempt.is_committing
                if was_dead or (_code(error) in CONFLICTS and number < TRIES):
                    pass
                elif _tells_of_server(error):
                    raise DatabaseUnavailableError(
                        f"The database does not answer: {_sentence(error)}"
                    ) from error
                else:
                    raise
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 -- no secret
            pause *= 2
        raise AssertionError("the last try returns or raises")


class _Attempt:
    """One transaction, and whether it came to its commit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.is_committing = False

    async def run(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.begin() as connection:
            result = await connection.run_sync(work)
            self.is_committing = True
            return result


def _engine(url: str) -> AsyncEngine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not chained: the cause may have a part of the URL.
        raise ConfigurationError(
            "The URL of the database is none (postgresql://user:password@host:5432/name)."
        ) from None
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ConfigurationError(
            f"The URL of the database names {parsed.drivername}; only postgresql is supported."
        )
    return create_async_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            # What the URL says comes first.
            **{name: parsed.query.get(name, value) for name, value in TCP.items()},
            # Of two words on the same setting the last one counts.
            "options": f"{_OPTIONS} {parsed.query.get('options', '')}".rstrip(),
        },
    )


def _check_settings(connection: Connection) -> None:
    """Refuse a server that confirms what it may lose.

    ``synchronous_commit`` may be anything but off: ``local`` and more all wait for the disk.

    Raises
    ------
    ConfigurationError
        When it does.
    """
    for name in REQUIRED_ON:
        if connection.execute(text(f"SHOW {name}")).scalar_one() == "off":
            raise ConfigurationError(
                f"PostgreSQL runs with {name}=off: it would lose what it has confirmed. "
                f"Set {name}=on for the server, this user and this database."
            )


def _code(error: DBAPIError) -> str:
    """SQLSTATE of an error; empty when the server did not send one."""
    return getattr(error.orig, "sqlstate", None) or ""


def _is_lost(error: DBAPIError) -> bool:
    """Whether the connection is."""
    # psycopg itself, not the server, raises errors without a code: above all when the connection
    # breaks or cannot be made.
    from_driver = not _code(error) and isinstance(error.orig, psycopg.OperationalError)
    return error.connection_invalidated or from_driver


def _tells_of_server(error: DBAPIError) -> bool:
    code = _code(error)
    return _is_lost(error) or code in CONFLICTS or code[:2] in UNAVAILABLE_CLASSES


def _sentence(error: DBAPIError) -> str:
    """First line of what was said; statements and their parameters stay out."""
    return str(error.orig).partition("\n")[0]
