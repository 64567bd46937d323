"""Records of key-value stores."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, exists, select, update

from actor_operator.storage.catalog import StorageKind
from actor_operator.storage.tables import RECORDS, STORAGES
from actor_operator.storage.uploads import Uploaded, Uploads, queue_deletions
from actor_operator.storage.upsert import insert_into


@dataclass(frozen=True, slots=True)
class RecordRow:
    """What is known of a record without its body.

    Parameters
    ----------
    key
        Its key.
    content_type
        Of the body, as it was given.
    content_encoding
        How the body is encoded as it is kept; None: not at all.
    size
        Bytes of the body as it is kept.
    modified_at
        When it was written, in milliseconds since 1970.
    object_key
        Where the body is in the object store; None: it is in the row.
    """

    key: str
    content_type: str
    content_encoding: str | None
    size: int
    modified_at: int
    object_key: str | None


@dataclass(frozen=True, slots=True)
class KeyPage:
    """A part of the keys of a store.

    Parameters
    ----------
    items
        Keys with sizes, in the order of the keys.
    is_truncated
        Whether there are more.
    """

    items: list[tuple[str, int]]
    is_truncated: bool


_COLUMNS = tuple(
    RECORDS.c[name]
    for name in ("key", "content_type", "content_encoding", "size", "modified_at", "object_key")
)


class Records:
    """The records of an account's key-value stores.

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

    def put(
        self,
        store: str,
        key: str,
        body: bytes | Uploaded,
        *,
        content_type: str,
        content_encoding: str | None,
        now: int,
    ) -> bool:
        """Write a record, in the place of the one that has the key.

        Parameters
        ----------
        store
            Id of the store.
        key
            Key of the record.
        body
            The body, or the object that it is in.
        content_type, content_encoding
            Of the body.
        now
            The time in milliseconds.

        Returns
        -------
        bool
            False: there is no such store, and nothing was changed.

        Raises
        ------
        StaleError
            When the upload was given up meanwhile.
        """
        if not self._lock_store(store):
            return False
        before = self.head(store, key)
        values: dict[str, object] = {
            "content_type": content_type,
            "content_encoding": content_encoding,
            "modified_at": now,
        }
        if isinstance(body, Uploaded):
            size = body.size
            values |= {"size": size, "body": None, "object_key": body.key}
            Uploads(self._connection, self._account).keep(body.key)
        else:
            size = len(body)
            values |= {"size": size, "body": body, "object_key": None}
        self._connection.execute(
            insert_into(self._connection, RECORDS)
            .values(account=self._account, storage=store, key=key, **values)
            .on_conflict_do_update(index_elements=["account", "storage", "key"], set_=values)
        )
        self._release(before, now)
        self._note_write(store, size - (before.size if before else 0), now)
        return True

    def delete(self, store: str, key: str, now: int) -> bool:
        """Remove a record; that there is none is no error.

        Returns
        -------
        bool
            False: there is no such store.
        """
        if not self._lock_store(store):
            return False
        before = self.head(store, key)
        if before is not None:
            self._connection.execute(
                delete(RECORDS).where(
                    RECORDS.c.account == self._account,
                    RECORDS.c.storage == store,
                    RECORDS.c.key == key,
                )
            )
            self._release(before, now)
            self._note_write(store, -before.size, now, deletes=1)
        return True

    def head(self, store: str, key: str) -> RecordRow | None:
        """What is known of a record; None: there is none."""
        row = self._connection.execute(
            select(*_COLUMNS).where(*self._of(store), RECORDS.c.key == key)
        ).one_or_none()
        return None if row is None else RecordRow(*row)

    def get(self, store: str, key: str) -> tuple[RecordRow, bytes | None] | None:
        """A record, with its body if that is in the row; None: there is none."""
        row = self._connection.execute(
            select(*_COLUMNS, RECORDS.c.body).where(*self._of(store), RECORDS.c.key == key)
        ).one_or_none()
        if row is None:
            return None
        *known, body = row
        return RecordRow(*known), body

    def keys(self, store: str, *, after: str = "", prefix: str = "", limit: int) -> KeyPage:
        """A part of the keys, in the order of their bytes.

        Parameters
        ----------
        store
            Id of the store.
        after
            Only keys after this one.
        prefix
            Only keys that begin with this; symbols of keys.
        limit
            Most keys of the page.
        """
        query = (
            select(RECORDS.c.key, RECORDS.c.size)
            .where(*self._of(store), RECORDS.c.key > after)
            .order_by(RECORDS.c.key)
            .limit(limit + 1)
        )
        if prefix:
            # A range is found in the index; symbols of keys are ASCII, so there is always a next.
            beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
            query = query.where(RECORDS.c.key >= prefix, RECORDS.c.key < beyond)
        rows = self._connection.execute(query).all()
        return KeyPage([(row.key, row.size) for row in rows[:limit]], len(rows) > limit)

    def _of(self, store: str) -> tuple[ColumnElement[bool], ...]:
        """Records of a store that is there: those of a deleted one go only by and by."""
        store_is_there = exists().where(
            STORAGES.c.account == self._account,
            STORAGES.c.id == store,
            STORAGES.c.kind == StorageKind.KEY_VALUE_STORE,
        )
        return RECORDS.c.account == self._account, RECORDS.c.storage == store, store_is_there

    def _lock_store(self, store: str) -> bool:
        """Have the store's row until the end of the transaction; False: there is none."""
        found = self._connection.execute(
            select(STORAGES.c.id)
            .where(
                STORAGES.c.account == self._account,
                STORAGES.c.id == store,
                STORAGES.c.kind == StorageKind.KEY_VALUE_STORE,
            )
            .with_for_update()
        )
        return found.one_or_none() is not None

    def _release(self, before: RecordRow | None, now: int) -> None:
        if before is not None and before.object_key is not None:
            queue_deletions(self._connection, [before.object_key], now)

    def _note_write(self, store: str, grown: int, now: int, *, deletes: int = 0) -> None:
        self._connection.execute(
            update(STORAGES)
            .where(STORAGES.c.account == self._account, STORAGES.c.id == store)
            .values(
                modified_at=now,
                accessed_at=now,
                storage_bytes=STORAGES.c.storage_bytes + grown,
                write_count=STORAGES.c.write_count + (1 - deletes),
                delete_count=STORAGES.c.delete_count + deletes,
            )
        )
