"""Schemas of storages: the text of each, and its digest in the row of the storage."""

import hashlib

from sqlalchemy import Connection, delete, select, update

from actor_operator.storage.tables import STORAGE_SCHEMAS, STORAGES
from actor_operator.storage.upsert import insert_into


class StorageSchemas:
    """The schemas of an account's storages.

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

    def get(self, storage: str) -> bytes | None:
        """The schema of a storage; None: it has none."""
        body: bytes | None = self._connection.scalar(
            select(STORAGE_SCHEMAS.c.body).where(
                STORAGE_SCHEMAS.c.account == self._account, STORAGE_SCHEMAS.c.storage == storage
            )
        )
        return body

    def put(self, storage: str, body: bytes) -> None:
        """Give a storage that is there a schema; empty: take it away."""
        if not body:
            self.remove(storage)
        else:
            insert = insert_into(self._connection, STORAGE_SCHEMAS).values(
                account=self._account, storage=storage, body=body
            )
            self._connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["account", "storage"], set_={"body": body}
                )
            )
        self._connection.execute(
            update(STORAGES)
            .where(STORAGES.c.account == self._account, STORAGES.c.id == storage)
            .values(schema_digest=digest_of(body) if body else None)
        )

    def remove(self, storage: str) -> None:
        """Remove the schema of a storage that is going."""
        self._connection.execute(
            delete(STORAGE_SCHEMAS).where(
                STORAGE_SCHEMAS.c.account == self._account, STORAGE_SCHEMAS.c.storage == storage
            )
        )


def digest_of(body: bytes) -> str:
    """What tells schemas apart: SHA-256 in hexadecimal."""
    return hashlib.sha256(body).hexdigest()
