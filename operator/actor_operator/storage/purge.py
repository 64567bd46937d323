"""Removal of everything that an account has, in small pieces."""

from typing import Any

from sqlalchemy import Column, Connection, Select, delete, select

from actor_operator.storage.accounts import Accounts
from actor_operator.storage.catalog import Catalog, StorageKind
from actor_operator.storage.logs import LogSegments
from actor_operator.storage.run_starts import forget_run
from actor_operator.storage.tables import (
    ACTOR_IDS,
    COUNTERS,
    LOG_OWNERS,
    LOGS,
    REMOVALS,
    RUNS,
    STORAGES,
)

BATCH = 100
"""Most things that one transaction removes."""


def purge_some(connection: Connection, account: int, now: int) -> bool:
    """Remove a piece of what an account has.

    With the last piece the account counts as purged. The content of storages follows in pieces of
    its own, and until it is gone the account waits for it.

    Returns
    -------
    bool
        Whether there may be more to remove at once.
    """
    if _remove_runs(connection, account, now) or _remove_storages(connection, account, now):
        return True
    if _some(connection, account, REMOVALS.c.storage):
        return False
    for table in (LOG_OWNERS, COUNTERS, ACTOR_IDS):
        connection.execute(delete(table).where(table.c.account == account))
    Accounts(connection).finish(account, now)
    return False


def _remove_runs(connection: Connection, account: int, now: int) -> bool:
    runs = _some(connection, account, RUNS.c.id)
    for run_id in runs:
        forget_run(connection, account, run_id, now)
    logs = _some(connection, account, LOGS.c.run_id)
    for run_id in logs:
        LogSegments(connection, account).remove(run_id, now)
    return bool(runs or logs)


def _remove_storages(connection: Connection, account: int, now: int) -> bool:
    query: Select[Any] = (
        select(STORAGES.c.kind, STORAGES.c.id).where(STORAGES.c.account == account).limit(BATCH)
    )
    found = connection.execute(query).all()
    for kind, storage_id in found:
        Catalog(connection, account).delete(StorageKind(kind), storage_id, now)
    return bool(found)


def _some(connection: Connection, account: int, column: Column[Any]) -> list[str]:
    query = select(column).where(column.table.c.account == account).limit(BATCH)
    return list(connection.execute(query).scalars())
