"""Objects between the object store and the rows that refer to them.

Before an upload its key is entered here; the transaction that makes a row refer to the object takes
the entry away. An object that no row came to refer to is found by its entry. An object that is no
longer referred to stays for an hour: somebody may be reading it, and a backup takes the database
first and the objects later.
"""

import base64
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, delete, insert, select

from actor_operator.errors import StaleError
from actor_operator.storage.across import across_accounts
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.tables import DELETIONS, UPLOADS
from actor_operator.storage.upsert import insert_into

HOUR = 3_600_000
"""Milliseconds of an hour."""

DELETION_DELAY = HOUR
"""How long an object stays that nothing refers to any more."""

UPLOAD_TIME = 24 * HOUR
"""How long an upload may take before it counts as given up."""

KEY_BYTES = 20
"""Random bytes of a key: nobody guesses it, and none is made twice."""

BATCH = 500
"""Most rows that one transaction of the sweep changes."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An object that is stored, and to which no row refers yet.

    Parameters
    ----------
    key
        Its key.
    size
        Its bytes.
    """

    key: str
    size: int


class Uploads:
    """The entries of an account.

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

    def begin(self, key: str, now: int) -> None:
        """Enter a key, before anything is stored under it."""
        self._connection.execute(
            insert(UPLOADS).values(object_key=key, account=self._account, begun_at=now)
        )

    def keep(self, key: str) -> None:
        """Take the entry away, in the transaction that makes a row refer to the object.

        Raises
        ------
        StaleError
            When the upload counts as given up already.
        """
        taken = self._connection.execute(
            delete(UPLOADS).where(UPLOADS.c.object_key == key, UPLOADS.c.account == self._account)
        )
        if taken.rowcount != 1:
            raise StaleError("The upload took too long: it was given up.")

    def give_up(self, key: str, now: int) -> None:
        """Remove an object later that no row came to refer to."""
        self._connection.execute(
            delete(UPLOADS).where(UPLOADS.c.object_key == key, UPLOADS.c.account == self._account)
        )
        queue_deletions(self._connection, [key], now)


async def upload(
    database: Database, objects: ObjectStore, account: int, body: AsyncIterator[bytes], now: int
) -> Uploaded:
    """Store an object. The transaction that makes a row refer to it must call `Uploads.keep`.

    What the stream raises is raised here; what was stored of it is removed later.

    Parameters
    ----------
    database
        Where the entry is made.
    objects
        Where the object goes.
    account
        Whose it is.
    body
        Its bytes.
    now
        The time in milliseconds.

    Raises
    ------
    DatabaseUnavailableError
        When the entry cannot be made.
    ObjectStoreUnavailableError
        When the object cannot be stored.
    """
    key = new_key(account)
    await database.write(lambda connection: Uploads(connection, account).begin(key, now))
    return Uploaded(key, await objects.put(key, body))


def new_key(account: int) -> str:
    """A key that was never used, such as ``7/ab/cdef…``: files spread over 1024 folders."""
    name = base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode().lower()
    return f"{account}/{name[:2]}/{name[2:]}"


def queue_deletions(connection: Connection, keys: Iterable[str], now: int) -> None:
    """Remove objects to which nothing refers any more, in an hour.

    To be called in the transaction that removes the last reference.
    """
    rows = [{"object_key": key, "due_at": now + DELETION_DELAY} for key in keys]
    if rows:
        connection.execute(insert_into(connection, DELETIONS).on_conflict_do_nothing(), rows)


async def sweep(database: Database, objects: ObjectStore, now: int) -> int:
    """Remove objects whose time has come, and give up uploads that took too long.

    Several replicas may do it at the same time.

    Returns
    -------
    int
        How many objects were removed.

    Raises
    ------
    DatabaseUnavailableError
        When the database does not answer.
    ObjectStoreUnavailableError
        When the object store does not answer.
    """
    while await database.write(lambda connection: _give_up_old(connection, now)):
        pass
    removed = 0
    while keys := await database.read(lambda connection: _due(connection, now)):
        for key in keys:
            await objects.delete(key)
        await database.write(partial(_forget, keys))
        removed += len(keys)
    return removed


def _give_up_old(connection: Connection, now: int) -> bool:
    """Move a batch from the uploads to the deletions; False: there was none.

    Across accounts: objects are removed alike, whoever they belonged to.
    """
    keys = connection.scalars(
        across_accounts(
            select(UPLOADS.c.object_key)
            .where(UPLOADS.c.begun_at < now - UPLOAD_TIME)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
    ).all()
    connection.execute(across_accounts(delete(UPLOADS).where(UPLOADS.c.object_key.in_(keys))))
    queue_deletions(connection, keys, now)
    return bool(keys)


def _due(connection: Connection, now: int) -> list[str]:
    return list(
        connection.scalars(
            select(DELETIONS.c.object_key)
            .where(DELETIONS.c.due_at <= now)
            .order_by(DELETIONS.c.due_at)
            .limit(BATCH)
        )
    )


def _forget(keys: list[str], connection: Connection) -> None:
    connection.execute(delete(DELETIONS).where(DELETIONS.c.object_key.in_(keys)))
