"""What the token of a run with limited permissions may touch of its account.

Such a run is of an Actor of somebody else: it may use what is its own, and read what it was given.
"""

from actor_operator.services.errors import ApiError
from actor_operator.services.identity import Caller
from actor_operator.services.run_directory import RunDirectory
from actor_operator.services.run_storages import RunStorages
from actor_operator.storage.catalog import StorageRow


class LimitedRuns:
    """Knows what belongs to runs.

    Parameters
    ----------
    directory
        The runs.
    run_storages
        Knows what the input of a run names.
    """

    def __init__(self, directory: RunDirectory, run_storages: RunStorages) -> None:
        self._directory = directory
        self._run_storages = run_storages

    def owns(self, caller: Caller, row: StorageRow) -> bool:
        """Whether a storage is a default one of the run that asks, or was made by it."""
        run = self._directory.by_uid(caller.run.uid) if caller.run else None
        if run is None:
            return False
        own = self._run_storages.ids(run)
        defaults = (own.key_value_store, own.dataset, own.request_queue)
        return row.id in defaults or row.creator_run == own.run

    async def may_read(self, caller: Caller, row: StorageRow) -> bool:
        """Whether the run that asks owns a storage, or its input names it."""
        if self.owns(caller, row):
            return True
        run = self._directory.by_uid(caller.run.uid) if caller.run else None
        return run is not None and await self._run_storages.is_named_in_input(
            caller.account, run, row, caller.namespace
        )


def refuse_limited(caller: Caller, what: str) -> None:
    """Refuse what tells of the whole account.

    Parameters
    ----------
    caller
        Who asks.
    what
        What is not seen, in the plural.

    Raises
    ------
    ApiError
        403 for a run with limited permissions.
    """
    if caller.is_limited:
        raise ApiError(
            "insufficient-permissions",
            f"A run with limited permissions does not see {what} of its account.",
            status=403,
        )
