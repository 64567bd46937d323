"""INSERT … ON CONFLICT, which SQLite and PostgreSQL have, and SQLAlchemy spells for each.

Of such an INSERT on PostgreSQL the driver does not say how many rows it made: ask by RETURNING.
"""

from collections.abc import Callable

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert
"""An INSERT that can be given ``on_conflict_do_nothing`` or ``on_conflict_do_update``."""

_INSERTS: dict[str, Callable[[Table], Insert]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


def insert_into(connection: Connection, table: Table) -> Insert:
    """An INSERT for the database of a connection."""
    return _INSERTS[connection.dialect.name](table)


def for_each_dialect(build: Callable[[Insert], Insert], table: Table) -> dict[str, Insert]:
    """A statement by name of the dialect, built once: building one costs more than running it."""
    return {name: build(insert(table)) for name, insert in _INSERTS.items()}
