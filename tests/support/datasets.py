"""Datasets for tests, without HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from actor_operator.services.access import StorageRef
from actor_operator.services.dataset_compaction import DatasetCompactor
from actor_operator.services.dataset_schema import check_schema
from actor_operator.services.datasets import Datasets, ItemsRequest
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.storage_object import Addresses, describe_dataset, list_dataset
from actor_operator.services.storage_use import StorageUse
from actor_operator.services.storages import Form, Storages
from actor_operator.storage.accounts import Accounts
from actor_operator.storage.catalog import Catalog, StorageKind
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore

NAMESPACE = "acme"
ADDRESSES = Addresses("https://api.example.org")


@dataclass(slots=True)
class Ticking:
    """A clock that goes on a millisecond with every look."""

    millis: int = 1_700_000_000_000

    def __call__(self) -> int:
        self.millis += 1
        return self.millis


@dataclass(slots=True)
class DatasetWorld:
    """An account with datasets."""

    database: Database
    objects: ObjectStore
    caller: Caller
    now: Ticking
    storages: Storages = field(init=False)
    compactor: DatasetCompactor = field(init=False)
    datasets: Datasets = field(init=False)
    use: StorageUse = field(init=False)

    def __post_init__(self) -> None:
        """Build the use cases."""
        form = Form(
            StorageKind.DATASET,
            "Dataset",
            lambda row, viewer, schema: describe_dataset(row, viewer, ADDRESSES, schema),
            list_dataset,
            check_schema,
        )
        self.storages = Storages(form, self.database, self.now, _no_run)
        self.compactor = DatasetCompactor(self.database)
        self.use = StorageUse(self.database, self.now)
        self.datasets = Datasets(
            self.database, self.objects, self.use, self.compactor, self.now, ADDRESSES
        )

    async def new(self, name: str = "") -> StorageRef:
        """Make a dataset."""
        made, _ = await self.storages.create(self.caller, name, None)
        return StorageRef(self.caller.account, made["id"], self.caller, may_share=True)

    async def shaped(self, schema: Any) -> StorageRef:
        """Make a dataset with a schema."""
        dataset = await self.new()
        await self.storages.update(dataset, {"schema": schema})
        return await self.found(dataset)

    async def found(self, dataset: StorageRef) -> StorageRef:
        """A dataset as the next request finds it."""
        row = await self.database.read(
            lambda connection: Catalog(connection, dataset.account).get(
                StorageKind.DATASET, dataset.id
            )
        )
        assert row is not None
        return replace(dataset, schema=row.schema_digest)

    async def push(self, dataset: StorageRef, items: Any) -> None:
        """Append items."""
        await self.datasets.push(dataset, msgspec.json.encode(items))

    async def read(self, dataset: StorageRef, request: ItemsRequest | None = None) -> bytes:
        """The content of an answer."""
        _, content = await self.datasets.read_items(dataset, request or ItemsRequest())
        return content if isinstance(content, bytes) else await joined(content)

    async def items(self, dataset: StorageRef, request: ItemsRequest | None = None) -> Any:
        """The items of an answer."""
        return msgspec.json.decode(await self.read(dataset, request))


async def dataset_world(database: Database, objects: ObjectStore) -> DatasetWorld:
    """Make the account."""
    now = Ticking()
    account = await database.write(
        lambda connection: Accounts(connection).ensure(NAMESPACE, "uid-1", now())
    )
    caller = Caller(account, NAMESPACE, frozenset(Permission))
    return DatasetWorld(database, objects, caller, now)


async def joined(stream: AsyncIterator[bytes]) -> bytes:
    """All of a stream."""
    return b"".join([piece async for piece in stream])


async def _no_run(_: Caller) -> None:
    return None
