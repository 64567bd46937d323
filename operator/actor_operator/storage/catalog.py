"""Storages themselves: key-value stores, datasets and request queues, by id and by name.

What is in them is kept by the repositories of each kind.
"""

import re
import secrets
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from actor_operator.desired.names import ID_ALPHABET, ID_LENGTH
from actor_operator.errors import ActorOperatorError
from actor_operator.storage.counters import Counters
from actor_operator.storage.removals import Removals
from actor_operator.storage.schemas import StorageSchemas
from actor_operator.storage.tables import STORAGES
from actor_operator.storage.upsert import insert_into

NAME_PATTERN = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
"""What a name of a storage looks like (Apify docs: storage, "Naming")."""

FIRST_SYMBOLS = ID_ALPHABET[:26]
"""Letters: what an id begins with."""

SIGNING_KEY_BYTES = 24
"""Random bytes of the key for signed links."""

NAMED = "named"
"""Status of the counter of storages with a name."""

UNNAMED = "unnamed"
"""Status of the counter of storages without one."""


class StorageKind(StrEnum):
    """The kinds of storages, as they stand in the table and as kinds of counters."""

    KEY_VALUE_STORE = "keyValueStore"
    DATASET = "dataset"
    REQUEST_QUEUE = "requestQueue"


class NameTakenError(ActorOperatorError):
    """Another storage of the kind has the name."""


@dataclass(frozen=True, slots=True)
class StorageRow:
    """A storage. Times are in milliseconds since 1970; the rest is said in `tables.STORAGES`."""

    id: str
    kind: str
    name: str | None
    title: str | None
    run_id: str | None
    actor_id: str | None
    creator_run: str | None
    created_at: int
    modified_at: int
    accessed_at: int
    general_access: str
    signing_key: str
    item_count: int
    clean_item_count: int
    handled_count: int
    fields: bytes | None
    storage_bytes: int
    inflated_bytes: int
    had_multiple_clients: bool
    read_count: int
    write_count: int
    delete_count: int
    list_count: int
    schema_digest: str | None


@dataclass(frozen=True, slots=True)
class NewStorage:
    """A storage that is to be.

    Parameters
    ----------
    kind
        What it is.
    name
        Its name, in a valid form; None: it has none.
    id
        Its id, where that is derived from the run's; None: a random one.
    title
        A title for people.
    run_id, actor_id
        The run whose default storage it is, and the Actor of that.
    creator_run
        The run whose token made it.
    general_access
        Who else may read it.
    schema
        JSON of its schema; empty: it has none.
    """

    kind: StorageKind
    name: str | None = None
    id: str | None = None
    title: str | None = None
    run_id: str | None = None
    actor_id: str | None = None
    creator_run: str | None = None
    general_access: str = "FOLLOW_USER_SETTING"
    schema: bytes = b""


@dataclass(frozen=True, slots=True)
class StorageChanges:
    """What is to change of a storage; None: that stays. An empty schema takes it away."""

    name: str | None = None
    title: str | None = None
    general_access: str | None = None
    schema: bytes | None = None


@dataclass(frozen=True, slots=True)
class StoragePage:
    """A part of a list.

    Parameters
    ----------
    total
        How many there are in the whole list.
    items
        Those of the page.
    """

    total: int
    items: list[StorageRow]


ROW_COLUMNS = tuple(STORAGES.c[field.name] for field in fields(StorageRow))
"""What a `StorageRow` is made of."""

# Statements that every request needs are built once: building one costs more than running it.
_OF_KIND = and_(
    STORAGES.c.account == bindparam("of_account"), STORAGES.c.kind == bindparam("of_kind")
)
_BY_ID = select(*ROW_COLUMNS).where(_OF_KIND, STORAGES.c.id == bindparam("of_id"))
_BY_ID_LOCKED = _BY_ID.with_for_update()
_BY_NAME = select(*ROW_COLUMNS).where(_OF_KIND, STORAGES.c.name_key == bindparam("of_name"))


class Catalog:
    """The storages of an account.

    Parameters
    ----------
    connection
        In a transaction.
    account
        Whose they are.
    """

    def __init__(self, connection: Connection, account: int) -> None:
        self._connection = connection
        self._account = account

    def create(self, new: NewStorage, now: int) -> tuple[StorageRow, bool]:
        """Make a storage, or find the one that has the name or the id already.

        Names that differ only in case are the same.

        Returns
        -------
        tuple
            The storage, and whether it was made.
        """
        found = self._same(new)
        if found is not None:
            return found, False
        storage_id = new.id or new_id()
        if new.id is not None:
            Removals(self._connection, self._account).finish(new.id, now)
        made = self._connection.execute(
            insert_into(self._connection, STORAGES)
            .values(
                account=self._account,
                id=storage_id,
                kind=new.kind,
                name=new.name,
                name_key=None if new.name is None else new.name.lower(),
                title=new.title,
                run_id=new.run_id,
                actor_id=new.actor_id,
                creator_run=new.creator_run,
                general_access=new.general_access,
                signing_key=secrets.token_urlsafe(SIGNING_KEY_BYTES),
                created_at=now,
                modified_at=now,
                accessed_at=now,
            )
            .on_conflict_do_nothing()  # another replica makes the same
            .returning(STORAGES.c.id)
        ).all()
        if made:
            self._count(new.kind, new.name, 1)
        if made and new.schema:
            StorageSchemas(self._connection, self._account).put(storage_id, new.schema)
        row = self._same(new) or self.get(new.kind, storage_id)
        assert row is not None  # noqa: S101 -- one of the two has just written it
        return row, bool(made)

    def get(self, kind: StorageKind, storage_id: str) -> StorageRow | None:
        """The storage with an id; None: there is none."""
        return self._one(_BY_ID, kind, of_id=storage_id)

    def lock(self, kind: StorageKind, storage_id: str) -> StorageRow | None:
        """The storage, that nobody else changes until the end of the transaction."""
        return self._one(_BY_ID_LOCKED, kind, of_id=storage_id)

    def find(self, kind: StorageKind, name: str) -> StorageRow | None:
        """The storage with a name, in any case of its letters; None: there is none."""
        return self._one(_BY_NAME, kind, of_name=name.lower())

    def update(
        self, kind: StorageKind, storage_id: str, changes: StorageChanges, now: int
    ) -> StorageRow | None:
        """Change a storage.

        Returns
        -------
        StorageRow
            As it is now; None: there is none.

        Raises
        ------
        NameTakenError
            When another one has the name.
        """
        before = self.lock(kind, storage_id)
        if before is None:
            return None
        values: dict[str, object] = {"modified_at": now, "accessed_at": now}
        if changes.name is not None:
            other = self.find(kind, changes.name)
            if other is not None and other.id != storage_id:
                raise NameTakenError(f'Another storage has the name "{changes.name}".')
            values |= {"name": changes.name, "name_key": changes.name.lower()}
            self._count(kind, before.name, -1)
            self._count(kind, changes.name, 1)
        if changes.title is not None:
            values["title"] = changes.title
        if changes.general_access is not None:
            values["general_access"] = changes.general_access
        try:
            self._connection.execute(self._update(storage_id).values(values))
        except IntegrityError as error:  # another replica was faster
            raise NameTakenError(f'Another storage has the name "{changes.name}".') from error
        if changes.schema is not None:
            StorageSchemas(self._connection, self._account).put(storage_id, changes.schema)
        return self.get(kind, storage_id)

    def delete(self, kind: StorageKind, storage_id: str, now: int, *, named: bool = True) -> bool:
        """Remove a storage; its content follows in pieces (`removals.remove_content`).

        Parameters
        ----------
        kind, storage_id
            Which one.
        now
            The time in milliseconds.
        named
            Whether it is removed even if it has a name.

        Returns
        -------
        bool
            Whether it was removed.
        """
        before = self.lock(kind, storage_id)
        if before is None or (before.name is not None and not named):
            return False
        self._connection.execute(
            delete(STORAGES).where(STORAGES.c.account == self._account, STORAGES.c.id == storage_id)
        )
        StorageSchemas(self._connection, self._account).remove(storage_id)
        Removals(self._connection, self._account).add(storage_id, kind, now)
        self._count(kind, before.name, -1)
        return True

    def page(
        self, kind: StorageKind, *, offset: int, limit: int, desc: bool, unnamed: bool
    ) -> StoragePage:
        """A part of the list of storages, by the time they were made.

        Parameters
        ----------
        kind
            Which of them.
        offset
            How many are passed over.
        limit
            Most of them on the page.
        desc
            Whether the newest come first.
        unnamed
            Whether those without a name are in the list too.
        """
        order = (STORAGES.c.created_at, STORAGES.c.id)
        query = (
            select(*ROW_COLUMNS)
            .where(STORAGES.c.account == self._account, STORAGES.c.kind == kind)
            .order_by(*(column.desc() if desc else column for column in order))
            .offset(offset)
            .limit(limit)
        )
        if not unnamed:
            query = query.where(STORAGES.c.name_key.is_not(None))
        statuses = (NAMED, UNNAMED) if unnamed else (NAMED,)
        total = Counters(self._connection, self._account).total(kind, statuses)
        rows = self._connection.execute(query)
        return StoragePage(total, [StorageRow(**row) for row in rows.mappings()])

    def of_run(self, run_id: str) -> list[StorageRow]:
        """The default storages of a run that were made so far."""
        rows = self._connection.execute(
            select(*ROW_COLUMNS).where(
                STORAGES.c.account == self._account, STORAGES.c.run_id == run_id
            )
        )
        return [StorageRow(**row) for row in rows.mappings()]

    def touch(self, storage_id: str, now: int, *, reads: int = 0, lists: int = 0) -> None:
        """Say that a storage was used, and how often; statistics, written now and then."""
        self._connection.execute(
            self._update(storage_id)
            .where(STORAGES.c.accessed_at <= now)
            .values(
                accessed_at=now,
                read_count=STORAGES.c.read_count + reads,
                list_count=STORAGES.c.list_count + lists,
            )
        )

    def _same(self, new: NewStorage) -> StorageRow | None:
        if new.name is not None:
            return self.find(new.kind, new.name)
        return None if new.id is None else self.get(new.kind, new.id)

    def _one(self, query: Select[Any], kind: StorageKind, **of: str) -> StorageRow | None:
        row = self._connection.execute(
            query, {"of_account": self._account, "of_kind": kind, **of}
        ).one_or_none()
        return None if row is None else StorageRow(*row)

    def _count(self, kind: StorageKind, name: str | None, difference: int) -> None:
        status = UNNAMED if name is None else NAMED
        Counters(self._connection, self._account).add(kind, status, difference)

    def _update(self, storage_id: str) -> Update:
        return update(STORAGES).where(
            STORAGES.c.account == self._account, STORAGES.c.id == storage_id
        )


def new_id() -> str:
    """A random id."""
    rest = "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH - 1))
    return secrets.choice(FIRST_SYMBOLS) + rest
