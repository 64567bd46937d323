"""Ids of Actors: an Actor that is deleted and made anew keeps its id."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from actor_operator.storage.tables import ACTOR_IDS
from actor_operator.storage.upsert import insert_into


class ActorIds:
    """The ids of the Actors of one account.

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

    def known(self) -> dict[str, str]:
        """Name and id of each Actor that ever was seen."""
        query = select(ACTOR_IDS.c.name, ACTOR_IDS.c.id).where(ACTOR_IDS.c.account == self._account)
        return {row.name: row.id for row in self._connection.execute(query)}

    def ensure(self, wished: Iterable[tuple[str, str]], now: int) -> dict[str, str]:
        """Give ids to Actors that have none; returns name and id of each that there is.

        Parameters
        ----------
        wished
            Name of each Actor, and the id that it gets if it has none.
        now
            Milliseconds since 1970.
        """
        known = self.known()
        missing = [(name, wish) for name, wish in wished if name not in known]
        for name, wish in sorted(missing):
            self._connection.execute(
                insert_into(self._connection, ACTOR_IDS)
                .values(account=self._account, name=name, id=wish, created_at=now)
                .on_conflict_do_nothing()  # another replica was faster
            )
        return self.known() if missing else known
