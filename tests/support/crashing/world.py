"""The services of storages over a database and an object store, for a workload and its check."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from actor_operator.services.access import StorageRef
from actor_operator.services.dataset_compaction import DatasetCompactor
from actor_operator.services.datasets import Datasets, ItemsRequest
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.key_value_stores import KeyValueStores
from actor_operator.services.request_queues import RequestQueues
from actor_operator.services.storage_forms import storage_forms
from actor_operator.services.storage_object import Addresses
from actor_operator.services.storage_use import StorageUse
from actor_operator.services.storages import Storages
from actor_operator.settings_api import BucketSettings
from actor_operator.storage.accounts import Accounts
from actor_operator.storage.bucket import Bucket
from actor_operator.storage.catalog import Catalog, StorageKind, StorageRow
from actor_operator.storage.database import Database
from actor_operator.storage.folder import Folder
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.postgres import PostgresDatabase
from actor_operator.storage.sqlite import SqliteDatabase

START = 1_700_000_000_000
"""The time, in milliseconds: it stands still."""

OBJECTS = "objects"
"""Where large bodies are in the folder of a point."""

DATABASE = "database"
"""Where the embedded database is in it."""

CHUNK = 65_536
"""Bytes that a body comes in at a time."""


@dataclass(slots=True)
class World:
    """An account with storages that are found by their names."""

    database: Database
    objects: ObjectStore
    account: int
    stores: KeyValueStores = field(init=False)
    datasets: Datasets = field(init=False)
    queues: RequestQueues = field(init=False)
    compactor: DatasetCompactor = field(init=False)
    kinds: dict[StorageKind, Storages] = field(init=False)

    def __post_init__(self) -> None:
        """Build the use cases."""
        addresses = Addresses("https://api.example.org")
        use = StorageUse(self.database, now)
        self.compactor = DatasetCompactor(self.database)
        self.stores = KeyValueStores(
            self.database, self.objects, use, now, max_record_bytes=2_000_000
        )
        self.datasets = Datasets(self.database, self.objects, use, self.compactor, now, addresses)
        self.queues = RequestQueues(self.database, use, now)
        self.kinds = {
            form.kind: Storages(form, self.database, now, _no_run)
            for form in storage_forms(addresses)
        }

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return Caller(self.account, "acme", frozenset(Permission))

    async def make(self, kind: StorageKind, name: str) -> None:
        """Make a storage."""
        await self.kinds[kind].create(self.caller, name, None)

    async def remove(self, kind: StorageKind, name: str) -> None:
        """Delete a storage."""
        await self.kinds[kind].delete(await self.ref(kind, name))

    async def row(self, kind: StorageKind, name: str) -> StorageRow | None:
        """A storage as it stands in the database."""
        return await self.database.read(
            lambda connection: Catalog(connection, self.account).find(kind, name)
        )

    async def ref(self, kind: StorageKind, name: str) -> StorageRef:
        """A storage that is there."""
        row = await self.row(kind, name)
        if row is None:
            raise ValueError(f"there is no storage {name}")
        return StorageRef(self.account, row.id, self.caller)

    async def put(self, key: str, body: bytes) -> None:
        """Write a record of the store."""
        await self.stores.put_record(
            await self.ref(StorageKind.KEY_VALUE_STORE, "store"),
            key,
            _chunks(body),
            content_type="application/octet-stream",
            content_encoding=None,
        )

    async def record(self, store: StorageRef, key: str) -> str | None:
        """What is said of a record: the digest of its body, if the record is there."""
        try:
            found = await self.stores.get_record(store, key)
        except ApiError:
            return None
        content = found.body
        body = content if isinstance(content, bytes) else b"".join([part async for part in content])
        return digest(body)

    async def push(self, name: str, items: Any) -> None:
        """Append items."""
        dataset = await self.ref(StorageKind.DATASET, name)
        await self.datasets.push(dataset, msgspec.json.encode(items))

    async def items(self, dataset: StorageRef) -> Any:
        """All items."""
        _, content = await self.datasets.read_items(dataset, ItemsRequest())
        body = content if isinstance(content, bytes) else b"".join([part async for part in content])
        return msgspec.json.decode(body)


async def open_world(
    folder: Path, database_url: str, uid: str, bucket: BucketSettings | None = None
) -> World:
    """Open, or open again, what is in a folder and perhaps on a database server.

    Parameters
    ----------
    folder
        The folder of a point.
    database_url
        A database of PostgreSQL; empty: the embedded one.
    uid
        Uid of the account's namespace.
    bucket
        Where large bodies are; None: in the folder.
    """
    database: Database
    if database_url:
        database = await PostgresDatabase.open(database_url)
    else:
        database = await SqliteDatabase.open(folder / DATABASE)
    account = await database.write(
        lambda connection: Accounts(connection).ensure(f"acme-{uid}", uid, START)
    )
    objects = Bucket.of(bucket) if bucket else Folder(folder / OBJECTS)
    return World(database, objects, account)


def now() -> int:
    """The time."""
    return START


def digest(body: bytes) -> str:
    """What stands for a long body."""
    return f"{len(body)} bytes {hashlib.sha256(body).hexdigest()[:12]}"


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]


async def _no_run(_: Caller) -> None:
    return None
