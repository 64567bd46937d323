"""Settles starts whose process went away, and removes what is left of runs that are gone."""

from functools import partial

from sqlalchemy import Connection

from actor_operator.errors import RetryableError
from actor_operator.log import logger
from actor_operator.services.errors import ApiError
from actor_operator.services.run_parts import RunParts
from actor_operator.services.run_start import RunStart
from actor_operator.storage.run_starts import forget_run
from actor_operator.storage.runs import RunRow, RunRows, live_accounts

log = logger(__name__)

PENDING_MILLIS = 60_000
"""How long a start may be pending before it counts as left behind."""


class RunSweeper:
    """Looks after rows that nobody looks after.

    Parameters
    ----------
    parts, start
        What it works with.
    """

    def __init__(self, parts: RunParts, start: RunStart) -> None:
        self._parts = parts
        self._start = start

    async def sweep(self) -> None:
        """Look at all accounts once; to be called each minute or so.

        Raises
        ------
        RetryableError
            When the database or Kubernetes does not answer.
        """
        for account, namespace in await self._parts.database.read(live_accounts):
            await self._settle_pending(account, namespace)
            await self._purge(account)

    async def _settle_pending(self, account: int, namespace: str) -> None:
        before = self._parts.millis - PENDING_MILLIS
        rows = await self._parts.database.read(
            lambda connection: RunRows(connection, account).pending(before)
        )
        for row in rows:
            try:
                await self._settle(row, namespace)
            except (ApiError, RetryableError) as error:
                # Refused, taken back, or to be looked at again in a minute.
                log.info("A start was left behind.", run=row.id, cause=str(error))

    async def _settle(self, row: RunRow, namespace: str) -> None:
        run = await self._parts.directory.read(namespace, row.name)
        if run is not None:
            await self._start.settle(row, run, 0)
            return
        now = self._parts.millis
        await self._parts.database.write(
            lambda connection: forget_run(connection, row.account, row.id, now)
        )

    async def _purge(self, account: int) -> None:
        now = self._parts.millis
        before = now - self._parts.settings.api.vanished_seconds * 1000
        rows = await self._parts.database.read(
            lambda connection: RunRows(connection, account).gone(before)
        )
        for row in rows:
            await self._parts.database.write(partial(_forget, row, now))


def _forget(row: RunRow, now: int, connection: Connection) -> None:
    forget_run(connection, row.account, row.id, now)
