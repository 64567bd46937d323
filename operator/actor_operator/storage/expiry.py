"""Storages that nobody keeps: without a name and a run, and not used for long.

They are looked through in the order in which they were made: an index by the last access would have
to be written at each access.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select, tuple_

from actor_operator.storage.across import across_accounts
from actor_operator.storage.catalog import Catalog, StorageKind
from actor_operator.storage.tables import STORAGES


@dataclass(frozen=True, slots=True)
class Unkept:
    """A storage without a name and without a run. Times are milliseconds since 1970."""

    account: int
    id: str
    kind: str
    created_at: int
    accessed_at: int

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in the order."""
        return self.created_at, self.id


START = (0, "")
"""The place before all others."""


def unkept(connection: Connection, after: tuple[int, str], before: int, most: int) -> list[Unkept]:
    """Storages of all accounts that nobody keeps, used or not.

    Parameters
    ----------
    connection
        For reading.
    after
        Behind which place.
    before
        Only those that were made before this moment.
    most
        How many at most.
    """
    found = connection.execute(
        across_accounts(
            select(
                STORAGES.c.account,
                STORAGES.c.id,
                STORAGES.c.kind,
                STORAGES.c.created_at,
                STORAGES.c.accessed_at,
            )
            .where(
                STORAGES.c.name_key.is_(None),
                STORAGES.c.run_id.is_(None),
                STORAGES.c.created_at < before,
                tuple_(STORAGES.c.created_at, STORAGES.c.id) > tuple_(*after),
            )
            .order_by(STORAGES.c.created_at, STORAGES.c.id)
            .limit(most)
        )
    )
    return [Unkept(*row) for row in found]


def remove_unused(connection: Connection, found: Unkept, before: int, now: int) -> bool:
    """Remove a storage, unless it got a name or was used meanwhile.

    Returns
    -------
    bool
        Whether it was removed.
    """
    catalog, kind = Catalog(connection, found.account), StorageKind(found.kind)
    row = catalog.lock(kind, found.id)
    if row is None or row.accessed_at >= before:
        return False
    return catalog.delete(kind, found.id, now, named=False)
