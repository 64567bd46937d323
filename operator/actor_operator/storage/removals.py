"""Content of deleted storages, removed in small pieces.

A storage with a million records goes at once: its row is away, and with it the way to them. The
records follow in transactions that keep nobody waiting.
"""

from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, select

from actor_operator.storage.across import across_accounts
from actor_operator.storage.database import Database
from actor_operator.storage.tables import BLOCKS, RECORDS, REMOVALS, REQUESTS
from actor_operator.storage.uploads import queue_deletions
from actor_operator.storage.upsert import insert_into

BATCH = 500
"""Most rows that one transaction removes."""

CONTENT: dict[str, tuple[Table, Column[Any]]] = {
    "keyValueStore": (RECORDS, RECORDS.c.key),
    "dataset": (BLOCKS, BLOCKS.c.first_index),
    "requestQueue": (REQUESTS, REQUESTS.c.id),
}
"""What storages of a kind are made of: the table, and what tells its rows apart."""


class Removals:
    """Deleted storages of an account.

    Parameters
    ----------
    connection
        In a transaction.
    account
        Whose they are.
    """

    def __init__(self, connection: Connection, account: int) -> None:
        self._connection = connection
        self._account = account

    def add(self, storage: str, kind: str, now: int) -> None:
        """Have the content of a storage removed whose row was just deleted."""
        self._connection.execute(
            insert_into(self._connection, REMOVALS)
            .values(account=self._account, storage=storage, kind=kind, removed_at=now)
            .on_conflict_do_nothing()
        )

    def finish(self, storage: str, now: int) -> None:
        """Remove all that is left of a deleted storage, before one of the same id is made."""
        kind = self._connection.scalar(
            select(REMOVALS.c.kind).where(
                REMOVALS.c.account == self._account, REMOVALS.c.storage == storage
            )
        )
        while kind is not None and self.remove_some(storage, kind, now):
            pass

    def remove_some(self, storage: str, kind: str, now: int) -> bool:
        """Remove a piece of the content, and the entry with the last one.

        Returns
        -------
        bool
            Whether there may be more.
        """
        table, name = CONTENT[kind]
        of_storage = (table.c.account == self._account, table.c.storage == storage)
        columns = [name, *([table.c.object_key] if "object_key" in table.c else [])]
        rows = self._connection.execute(select(*columns).where(*of_storage).limit(BATCH)).all()
        self._connection.execute(delete(table).where(*of_storage, name.in_([r[0] for r in rows])))
        keys = [row[1] for row in rows if len(columns) > 1 and row[1] is not None]
        queue_deletions(self._connection, keys, now)
        if len(rows) < BATCH:
            self._connection.execute(
                delete(REMOVALS).where(
                    REMOVALS.c.account == self._account, REMOVALS.c.storage == storage
                )
            )
        return len(rows) == BATCH


async def remove_content(database: Database, now: int) -> int:
    """Remove what is left of deleted storages, of all accounts.

    Returns
    -------
    int
        How many storages are gone altogether now.

    Raises
    ------
    DatabaseUnavailableError
        When the database does not answer.
    """
    removed = 0
    while (found := await database.read(_oldest)) is not None:
        while await database.write(partial(_remove_some, *found, now)):
            pass
        removed += 1
    return removed


def _remove_some(account: int, storage: str, kind: str, now: int, connection: Connection) -> bool:
    return Removals(connection, account).remove_some(storage, kind, now)


def _oldest(connection: Connection) -> tuple[int, str, str] | None:
    row = connection.execute(
        across_accounts(
            select(REMOVALS.c.account, REMOVALS.c.storage, REMOVALS.c.kind)
            .order_by(REMOVALS.c.removed_at)
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else (row.account, row.storage, row.kind)
