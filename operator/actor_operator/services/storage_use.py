"""When storages were last used, and how often: gathered, and written now and then.

What a crash loses of it is not missed: these are statistics.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from actor_operator.storage.catalog import Catalog
from actor_operator.storage.database import Database

BATCH = 200
"""Most storages that one transaction writes about."""


@dataclass(slots=True)
class _Use:
    at: int = 0
    reads: int = 0
    lists: int = 0


class StorageUse:
    """Gathers what is read.

    Parameters
    ----------
    database
        Where it is written.
    now
        The time in milliseconds since 1970.
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now
        self._used: dict[tuple[int, str], _Use] = {}

    def note(self, account: int, storage: str, *, reads: int = 0, lists: int = 0) -> None:
        """Say that a storage was read, or that a list of what is in it was."""
        use = self._used.setdefault((account, storage), _Use())
        use.at = self._now()
        use.reads += reads
        use.lists += lists

    async def flush(self) -> None:
        """Write what was gathered. To be called every few seconds, and at the end.

        Raises
        ------
        DatabaseUnavailableError
            When the database does not answer; the batch at hand is lost.
        """
        while self._used:
            keys = sorted(self._used)[:BATCH]  # one order for all replicas: no deadlocks
            await self._database.write(partial(_write, {key: self._used.pop(key) for key in keys}))


def _write(used: dict[tuple[int, str], _Use], connection: Connection) -> None:
    for (account, storage), use in used.items():
        Catalog(connection, account).touch(storage, use.at, reads=use.reads, lists=use.lists)
