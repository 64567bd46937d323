"""What is done in the background for all that is stored."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from actor_operator.services.account_sweeper import AccountSweeper
from actor_operator.services.background import repeat
from actor_operator.services.dataset_compaction import DatasetCompactor
from actor_operator.services.storage_expiry import StorageExpiry
from actor_operator.services.storage_use import StorageUse
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.removals import remove_content
from actor_operator.storage.uploads import sweep

FLUSH_SECONDS = 5.0
"""Pause between two times that statistics of storages are written."""

SWEEP_SECONDS = 60.0
"""Pause between two looks for what nobody keeps or refers to."""

REMOVAL_SECONDS = 5.0
"""Pause between two looks for what is left of deleted storages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """The work in the background.

    Parameters
    ----------
    database, objects
        Where everything is.
    now
        The time in milliseconds since 1970.
    use
        Statistics of storages that are to be written.
    compactor
        Joins blocks of datasets.
    expiry
        Removes storages that nobody keeps.
    accounts
        Removes accounts that nobody can reach.
    """

    database: Database
    objects: ObjectStore
    now: Callable[[], int]
    use: StorageUse
    compactor: DatasetCompactor
    expiry: StorageExpiry
    accounts: AccountSweeper

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What runs for ever, by name."""
        works: dict[str, tuple[str, Callable[[], Awaitable[object]], float]] = {
            "storage-use": ("statistics of storages", self.use.flush, FLUSH_SECONDS),
            "objects": ("removal of objects", self._sweep_objects, SWEEP_SECONDS),
            "removals": ("removal of storages", self._remove_content, REMOVAL_SECONDS),
            "unkept-storages": ("removal of unused storages", self.expiry.sweep, SWEEP_SECONDS),
            "accounts": ("removal of accounts", self.accounts.sweep, SWEEP_SECONDS),
        }
        return {
            "compaction": self.compactor.run,
            **{name: partial(repeat, *work) for name, work in works.items()},
        }

    async def _sweep_objects(self) -> None:
        await sweep(self.database, self.objects, self.now())

    async def _remove_content(self) -> None:
        await remove_content(self.database, self.now())
