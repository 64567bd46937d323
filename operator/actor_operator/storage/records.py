"""Records of key-value stores."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, delete, exists, select, update

from actor_operator.storage.catalog import StorageKind
from actor_operator.storage.tables import RECORDS, STORAGES
from actor_operator.storage.uploads import Uploaded, Uploads, queue_deletions
from actor_operator.storage.upsert import Insert, for_each_dialect


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
_WRITTEN = ("content_type", "content_encoding", "size", "modified_at", "body", "object_key")

# Statements are built once: building one costs more than running it. Parameters have names of
# their own, because those of columns mean new values in an UPDATE.
_IS_STORE = (
    STORAGES.c.account == bindparam("of_account"),
    STORAGES.c.id == bindparam("of_store"),
    STORAGES.c.kind == StorageKind.KEY_VALUE_STORE,
)
# Records of a store that is there: those of a deleted one go only by and by.
_IN_STORE = (
    RECORDS.c.account == bindparam("of_account"),
    RECORDS.c.storage == bindparam("of_store"),
    exists().where(*_IS_STORE),
)
_IS_RECORD = (*_IN_STORE, RECORDS.c.key == bindparam("of_key"))
_LOCK_STORE = select(STORAGES.c.id).where(*_IS_STORE).with_for_update()
_NOTE_WRITE = (
    update(STORAGES)
    .where(*_IS_STORE)
    .values(
        modified_at=bindparam("now"),
        accessed_at=bindparam("now"),
        storage_bytes=STORAGES.c.storage_bytes + bindparam("grown"),
        write_count=STORAGES.c.write_count + bindparam("writes"),
        delete_count=STORAGES.c.delete_count + bindparam("deletes"),
    )
)
_HEAD = select(*_COLUMNS).where(*_IS_RECORD)
_GET = select(*_COLUMNS, RECORDS.c.body).where(*_IS_RECORD)
_DELETE = delete(RECORDS).where(*_IS_RECORD)
_KEYS = (
    select(RECORDS.c.key, RECORDS.c.size)
    .where(*_IN_STORE, RECORDS.c.key > bindparam("after"))
    .order_by(RECORDS.c.key)
    .limit(bindparam("most", type_=Integer))
)
# A range is found in the index.
_KEYS_OF_PREFIX = _KEYS.where(
    RECORDS.c.key >= bindparam("prefix"), RECORDS.c.key < bindparam("beyond")
)


def _or_update(insert: Insert) -> Insert:
    return insert.on_conflict_do_update(
        index_elements=["account", "storage", "key"],
        set_={name: insert.excluded[name] for name in _WRITTEN},
    )


_PUT = for_each_dialect(_or_update, RECORDS)


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
        store, key
            Id of the store, key of the record.
        body, content_type, content_encoding
            The body, or the object that it is in; its type and encoding.
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
        kept = self._kept(body)
        self._connection.execute(
            _PUT[self._connection.dialect.name],
            {
                "account": self._account,
                "storage": store,
                "key": key,
                "content_type": content_type,
                "content_encoding": content_encoding,
                "modified_at": now,
                **kept,
            },
        )
        self._release(before, now)
        self._note_write(store, kept["size"] - (before.size if before else 0), now)
        return True

    def _kept(self, body: bytes | Uploaded) -> dict[str, Any]:
        """The columns that say where a body is."""
        if isinstance(body, Uploaded):
            Uploads(self._connection, self._account).keep(body.key)
            return {"size": body.size, "body": None, "object_key": body.key}
        return {"size": len(body), "body": body, "object_key": None}

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
            self._connection.execute(_DELETE, self._record(store, key))
            self._release(before, now)
            self._note_write(store, -before.size, now, deletes=1)
        return True

    def head(self, store: str, key: str) -> RecordRow | None:
        """What is known of a record; None: there is none."""
        row = self._connection.execute(_HEAD, self._record(store, key)).one_or_none()
        return None if row is None else RecordRow(*row)

    def get(self, store: str, key: str) -> tuple[RecordRow, bytes | None] | None:
        """A record, with its body if that is in the row; None: there is none."""
        row = self._connection.execute(_GET, self._record(store, key)).one_or_none()
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
        parameters = {**self._store(store), "after": after, "most": limit + 1}
        query = _KEYS
        if prefix:
            # Symbols of keys are ASCII, so there is always a next one.
            beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
            parameters |= {"prefix": prefix, "beyond": beyond}
            query = _KEYS_OF_PREFIX
        rows = self._connection.execute(query, parameters).all()
        return KeyPage([(row.key, row.size) for row in rows[:limit]], len(rows) > limit)

    def _store(self, store: str) -> dict[str, Any]:
        return {"of_account": self._account, "of_store": store}

    def _record(self, store: str, key: str) -> dict[str, Any]:
        return {"of_account": self._account, "of_store": store, "of_key": key}

    def _lock_store(self, store: str) -> bool:
        """Have the store's row until the end of the transaction; False: there is none."""
        found = self._connection.execute(_LOCK_STORE, self._store(store))
        return found.one_or_none() is not None

    def _release(self, before: RecordRow | None, now: int) -> None:
        if before is not None and before.object_key is not None:
            queue_deletions(self._connection, [before.object_key], now)

    def _note_write(self, store: str, grown: int, now: int, *, deletes: int = 0) -> None:
        self._connection.execute(
            _NOTE_WRITE,
            {
                **self._store(store),
                "now": now,
                "grown": grown,
                "writes": 1 - deletes,
                "deletes": deletes,
            },
        )
