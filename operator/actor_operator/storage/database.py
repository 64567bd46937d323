"""The database as the rest of the API server sees it: functions that are given a connection.

A unit of work is an ordinary function of a SQLAlchemy connection. It is run whole in one
transaction, on SQLite by the one writer together with others that wait (one fsync for all of them),
on PostgreSQL on a connection of its own. An answer means that it is durable.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from actor_operator.errors import RetryableError

T = TypeVar("T")

CommitListener = Callable[[int, float], None]
"""Told of a commit: how many writes it made durable, and the seconds that all of it took."""


class DatabaseUnavailableError(RetryableError):
    """The database does not answer, or has no room: as a rule nothing was changed."""


class Database(Protocol):
    """Runs units of work."""

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a function on a consistent snapshot; it must not write.

        Raises
        ------
        DatabaseUnavailableError
            When the database does not answer.
        """
        ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a function in a transaction of its own, and return once that is durable.

        What the function raises rolls back its own changes only and is raised here. It may be run
        more than once (after a conflict): it must have no effect but on its connection. Others may
        write meanwhile: what it writes from what it has read must be guarded by a lock of a row
        (``with_for_update``, which says nothing on SQLite, or the UPDATE first).

        Raises
        ------
        DatabaseUnavailableError
            When the database does not answer, or has no room. When the connection broke during the
            commit, nobody knows whether it took place.
        """
        ...

    def on_commit(self, listener: CommitListener) -> None:
        """Have every commit told; also from another thread, and it must not fail."""
        ...

    async def close(self) -> None:
        """Finish what was begun, and close every connection."""
        ...
