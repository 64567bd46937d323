"""Removes storages that nobody keeps: without a name and a run, some time after their last use.

Storages with a name are never removed by it, and the default ones of runs go with their run.
"""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from actor_operator.log import logger
from actor_operator.services.storage_use import StorageUse
from actor_operator.storage.database import Database
from actor_operator.storage.expiry import START, Unkept, remove_unused, unkept

log = logger(__name__)

BATCH = 200
"""Most storages that are looked at in one transaction."""

BATCHES = 10
"""Most batches of one pass; the next pass goes on behind them."""


class StorageExpiry:
    """Looks for storages that nobody uses any more.

    Parameters
    ----------
    database
        Where they are.
    use
        Knows of uses that are not written yet.
    seconds
        How long after its last use one is removed.
    now
        The time in milliseconds since 1970.
    """

    def __init__(
        self, database: Database, use: StorageUse, seconds: float, now: Callable[[], int]
    ) -> None:
        self._database = database
        self._use = use
        self._millis = int(seconds * 1000)
        self._now = now
        self._place = START

    async def sweep(self) -> int:
        """Look at some of them; the whole is looked through in several passes.

        Returns
        -------
        int
            How many were removed.

        Raises
        ------
        DatabaseUnavailableError
            When the database does not answer.
        """
        now = self._now()
        before, removed = now - self._millis, 0
        await self._use.flush()
        for _ in range(BATCHES):
            found = await self._database.read(
                lambda connection: unkept(connection, self._place, before, BATCH)
            )
            unused = [one for one in found if one.accessed_at < before]
            if unused:
                removed += await self._database.write(partial(_remove, unused, before, now))
            self._place = found[-1].place if len(found) == BATCH else START
            if self._place == START:
                break
        if removed:
            log.info("Storages that nobody used were removed.", number=removed)
        return removed


def _remove(unused: list[Unkept], before: int, now: int, connection: Connection) -> int:
    # One order for all replicas: no deadlocks.
    ordered = sorted(unused, key=lambda one: (one.account, one.id))
    return sum(remove_unused(connection, one, before, now) for one in ordered)
