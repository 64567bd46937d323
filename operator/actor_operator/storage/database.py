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


class DatabaseUnavailableError(RetryableError):
    """The database does not answer, or has no room: nothing was changed."""


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
        more than once (after a serialization failure): it must have no effect but on its connection.

        Raises
        ------
        DatabaseUnavailableError
            When the database does not answer, or has no room.
        """
        ...

    async def close(self) -> None:
        """Finish what was begun, and close every connection."""
        ...
