"""How many of something an account has, without counting."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from actor_operator.storage.tables import COUNTERS


class Counters:
    """The counters of one account.

    Parameters
    ----------
    connection
        In whose transaction.
    account
        Whose.
    """

    def __init__(self, connection: Connection, account: int) -> None:
        self._connection = connection
        self._account = account

    def add(self, kind: str, status: str, number: int) -> None:
        """Count further ones, or fewer.

        Parameters
        ----------
        kind
            Of what.
        status
            In which state.
        number
            How many more; negative for fewer.
        """
        # Both dialects have the same words for "insert, or else update".
        postgres = self._connection.dialect.name == "postgresql"
        insert = postgresql.insert if postgres else sqlite.insert
        row = {"account": self._account, "kind": kind, "status": status, "count": number}
        statement = insert(COUNTERS).values(row)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["account", "kind", "status"],
                set_={"count": COUNTERS.c.count + statement.excluded.count},
            )
        )

    def total(self, kind: str, statuses: Collection[str] = ()) -> int:
        """How many there are, in some states or in all."""
        query = select(func.coalesce(func.sum(COUNTERS.c.count), 0)).where(
            COUNTERS.c.account == self._account, COUNTERS.c.kind == kind
        )
        if statuses:
            query = query.where(COUNTERS.c.status.in_(statuses))
        return int(self._connection.execute(query).scalar_one())

    def totals(self, kinds: Collection[str]) -> dict[str, int]:
        """How many there are of each kind, in all states."""
        query = (
            select(COUNTERS.c.kind, func.sum(COUNTERS.c.count).label("total"))
            .where(COUNTERS.c.account == self._account, COUNTERS.c.kind.in_(kinds))
            .group_by(COUNTERS.c.kind)
        )
        found = {row.kind: int(row.total) for row in self._connection.execute(query)}
        return {kind: found.get(kind, 0) for kind in kinds}
