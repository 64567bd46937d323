"""The transactions around the start of a run: all of it is there, or nothing."""

from dataclasses import dataclass

from sqlalchemy import Connection

from actor_operator.desired.names import ids_of
from actor_operator.storage.catalog import Catalog, NewStorage, StorageKind
from actor_operator.storage.logs import LogSegments
from actor_operator.storage.records import Records
from actor_operator.storage.runs import RunRow, RunRows
from actor_operator.storage.uploads import Uploaded

INPUT_KEY = "INPUT"
"""Key of the record with a run's input (Apify's)."""


@dataclass(frozen=True, slots=True)
class InputRecord:
    """The record INPUT of a new run."""

    body: bytes | Uploaded
    content_type: str


def begin_run(connection: Connection, row: RunRow, record: InputRecord) -> None:
    """Write the row of a new run, its three storages, and its input."""
    RunRows(connection, row.account).insert(row)
    create_storages(connection, row)
    Records(connection, row.account).put(
        ids_of(row.id).key_value_store,
        INPUT_KEY,
        record.body,
        content_type=record.content_type,
        content_encoding=None,
        now=row.started_at,
    )


def create_storages(connection: Connection, row: RunRow) -> None:
    """Make the storages that a run has by default, as far as they are not there."""
    catalog = Catalog(connection, row.account)
    for kind, storage_id in storages_of(row.id):
        new = NewStorage(kind=kind, id=storage_id, run_id=row.id, actor_id=row.actor_id)
        catalog.create(new, row.started_at)


def forget_run(connection: Connection, account: int, run_id: str, now: int) -> None:
    """Remove a run's row, its logs, and the storages that it has by default.

    A storage that got a name has become a thing of its own: it stays.
    """
    RunRows(connection, account).forget([run_id])
    LogSegments(connection, account).remove(run_id, now)
    catalog = Catalog(connection, account)
    for kind, storage_id in storages_of(run_id):
        catalog.delete(kind, storage_id, now, named=False)


def storages_of(run_id: str) -> tuple[tuple[StorageKind, str], ...]:
    """Kind and id of each storage that a run has by default."""
    known = ids_of(run_id)
    return (
        (StorageKind.KEY_VALUE_STORE, known.key_value_store),
        (StorageKind.DATASET, known.dataset),
        (StorageKind.REQUEST_QUEUE, known.request_queue),
    )
