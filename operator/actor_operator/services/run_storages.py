"""The default storages of runs that ``kubectl`` made: made when they are first asked for.

Those of runs that the API started are made with the run (``storage.run_starts``).
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from actor_operator.api.views.run import RunView
from actor_operator.desired.names import RunIds, ids
from actor_operator.kube.runs import Runs
from actor_operator.services.times import millis_of
from actor_operator.storage.catalog import Catalog, NewStorage, StorageKind, StorageRow
from actor_operator.storage.database import Database
from actor_operator.storage.records import Records
from actor_operator.storage.run_starts import INPUT_KEY, storages_of
from actor_operator.storage.runs import RunRows

JSON = "application/json; charset=utf-8"


class RunStorages:
    """Makes default storages, and knows which storages a run was given.

    Parameters
    ----------
    database
        Where they are.
    runs
        Asked for inputs, which the informer does not keep.
    now
        The time.
    """

    def __init__(self, database: Database, runs: Runs, now: Callable[[], datetime]) -> None:
        self._database = database
        self._runs = runs
        self._now = now

    @staticmethod
    def ids(run: RunView) -> RunIds:
        """The ids of a run and of its default storages."""
        return ids(run)

    async def ensure(self, account: int, run: RunView) -> None:
        """Make what is missing of a run's default storages; ``spec.input`` becomes its INPUT, once.

        Raises
        ------
        RetryableError
            When Kubernetes or the database does not answer.
        """
        now = millis_of(self._now())
        whole = await self._runs.read(run.namespace, run.name)
        given = bytes(whole.spec.input) if whole is not None and whole.uid == run.uid else b""
        await self._database.write(lambda connection: _ensure(connection, account, run, given, now))

    async def is_named_in_input(
        self, account: int, run: RunView, storage: StorageRow, username: str
    ) -> bool:
        """Whether the input of a run names a storage, by its id or its name.

        Only the input that the run was started with counts: the run itself may write the record,
        and so give itself every storage of the account.

        Raises
        ------
        DatabaseUnavailableError
            When the database does not answer.
        """
        store = ids(run).key_value_store
        body = await self._database.read(
            lambda connection: _first_input(connection, account, store)
        )
        if body is None:  # none, or one so large that it is no list of storages
            return False
        names = {storage.id}
        if storage.name is not None:
            name = storage.name.lower()
            names |= {name, f"~{name}", f"{username}~{name}", f"{username}/{name}"}
        try:
            return any(text.lower() in names for text in _texts(msgspec.json.decode(body)))
        except msgspec.MsgspecError:
            return False


def _ensure(connection: Connection, account: int, run: RunView, given: bytes, now: int) -> None:
    run_id = ids(run).run
    row = RunRows(connection, account).get(run_id)
    actor_id = row.actor_id if row is not None else None
    for kind, storage_id in storages_of(run_id):
        new = NewStorage(kind=kind, id=storage_id, run_id=run_id, actor_id=actor_id)
        _, made = Catalog(connection, account).create(new, now)
        if made and kind is StorageKind.KEY_VALUE_STORE and given:
            Records(connection, account).put(
                storage_id, INPUT_KEY, given, content_type=JSON, content_encoding=None, now=now
            )


def _first_input(connection: Connection, account: int, store: str) -> bytes | None:
    """The record INPUT as it was made together with its store, if it is that still."""
    made = Catalog(connection, account).get(StorageKind.KEY_VALUE_STORE, store)
    found = Records(connection, account).get(store, INPUT_KEY)
    if made is None or found is None:
        return None
    record, body = found
    return body if record.modified_at <= made.created_at else None


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part.values())
