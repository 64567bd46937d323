"""Items of datasets: what the routes do, without HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from actor_operator.services.access import StorageRef
from actor_operator.services.dataset_compaction import DatasetCompactor
from actor_operator.services.dataset_export import ItemExport, begun
from actor_operator.services.dataset_reading import DatasetReader, Portion, Window
from actor_operator.services.dataset_schema import WHOLE, View
from actor_operator.services.dataset_schemas import DatasetSchemas
from actor_operator.services.dataset_statistics import FieldStatistics
from actor_operator.services.dataset_writing import prepare, store_large
from actor_operator.services.errors import invalid, not_found
from actor_operator.services.exports.formats import FileOptions, format_of
from actor_operator.services.storage_object import Addresses
from actor_operator.services.storage_use import StorageUse
from actor_operator.services.transformation import Transformation
from actor_operator.storage.blocks import NewBlock
from actor_operator.storage.catalog import Catalog, StorageKind, StorageRow
from actor_operator.storage.database import Database
from actor_operator.storage.datasets import DatasetItems
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.uploads import Uploads

UNLIMITED = 999_999_999_999
"""What stands for no limit in an answer (Apify)."""


NO_SCHEMA = "dataset-does-not-have-schema"
"""Type of the error about a view of a dataset without a schema (Apify)."""


@dataclass(frozen=True, slots=True)
class ItemsRequest:
    """Which items are wanted, and how.

    Parameters
    ----------
    offset
        How many are passed over, before anything is left out.
    limit
        Most of them, before anything is left out; 0: no limit.
    desc
        Whether the newest come first.
    transformation
        What is done with each of them.
    options
        How they are written.
    view
        Name of a view of the dataset's schema; empty: none. What is asked for besides wins.
    as_attachment
        Whether a browser is to save the answer.
    """

    offset: int = 0
    limit: int = 0
    desc: bool = False
    transformation: Transformation = field(default_factory=Transformation)
    options: FileOptions = field(default_factory=FileOptions)
    view: str = ""
    as_attachment: bool = False


@dataclass(frozen=True, slots=True)
class ItemsPage:
    """Which items an answer has.

    Parameters
    ----------
    total
        How many the dataset has.
    offset, limit, desc
        What was asked for.
    count
        How many were looked at; less or more may come out of it.
    media_type
        Of the content.
    file_name
        Under which a browser saves the content; empty: it may be shown.
    """

    total: int
    offset: int
    limit: int
    desc: bool
    count: int
    media_type: str
    file_name: str


class Datasets:
    """Appends and reads items.

    Parameters
    ----------
    database
        Where datasets and small blocks are.
    objects
        Where large blocks are.
    use
        Is told of what is read.
    compactor
        Is told of what is appended.
    now
        The time in milliseconds since 1970.
    addresses
        Where things are for clients.
    """

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        use: StorageUse,
        compactor: DatasetCompactor,
        now: Callable[[], int],
        addresses: Addresses,
    ) -> None:
        self._database = database
        self._objects = objects
        self._reader = DatasetReader(database, objects)
        self._schemas = DatasetSchemas(database)
        self._use = use
        self._compactor = compactor
        self._now = now
        self._addresses = addresses

    async def push(self, dataset: StorageRef, body: bytes) -> None:
        """Append an item, or an array of items: all of them or none.

        Parameters
        ----------
        dataset
            Where.
        body
            JSON.

        Raises
        ------
        ApiError
            400 when these are no items, or do not fit the dataset's schema; 404 without it.
        StaleError
            When the schema was changed meanwhile.
        DatabaseUnavailableError, ObjectStoreUnavailableError
            When they cannot be kept now.
        """
        push, blocks = await prepare(body)
        if not blocks:
            return
        await self._schemas.check(dataset, push.lines)
        now = self._now()
        stored = await store_large(self._database, self._objects, dataset.account, blocks, now)
        first = await self._database.write(
            lambda connection: DatasetItems(connection, dataset.account).append(
                dataset.id,
                stored,
                clean=push.clean,
                fields=push.fields,
                now=now,
                schema=dataset.schema,
            )
        )
        if first is None:
            await self._give_up(dataset, stored, now)
            raise not_found("Dataset")
        self._compactor.note(dataset.account, dataset.id)

    async def read_items(
        self, dataset: StorageRef, request: ItemsRequest
    ) -> tuple[ItemsPage, bytes | AsyncIterator[bytes]]:
        """Items in a format: whole where they are few, else piece by piece.

        Raises
        ------
        ApiError
            400 for options that cannot be, 404 without the dataset.
        StaleError
            When the dataset was deleted meanwhile; perhaps in the middle.
        DatabaseUnavailableError, ObjectStoreUnavailableError
            When they cannot be read now; perhaps in the middle.
        """
        page, row, transformation = await self._page(dataset, request)
        self._use.note(dataset.account, dataset.id, reads=1)
        first = page.total - page.offset - page.count if page.desc else page.offset
        start = max(first, 0)
        export = ItemExport(
            dataset,
            Window(start, start + page.count, desc=page.desc),
            transformation,
            self._with_feed(request.options, row),
        )
        return page, await begun(export.stream(self._reader))

    async def describe_items(self, dataset: StorageRef, request: ItemsRequest) -> ItemsPage:
        """What `read_items` would say of the items, without them.

        Raises
        ------
        ApiError
            As `read_items`.
        DatabaseUnavailableError
            When the dataset cannot be read now.
        """
        page, _, _ = await self._page(dataset, request)
        return page

    async def statistics(self, dataset: StorageRef) -> dict[str, Any]:
        """Statistics of the fields; every item is read for it.

        Raises
        ------
        ApiError
            404 without the dataset.
        StaleError, DatabaseUnavailableError, ObjectStoreUnavailableError
            As `read_items`.
        """
        row = await self._row(dataset)
        statistics = FieldStatistics()
        async for portion in self._reader.portions(dataset, Window(0, row.item_count)):
            await asyncio.to_thread(_measure, statistics, portion)
        return {"fieldStatistics": statistics.describe()}

    async def _page(
        self, dataset: StorageRef, request: ItemsRequest
    ) -> tuple[ItemsPage, StorageRow, Transformation]:
        wanted = format_of(request.options)
        row = await self._row(dataset)
        view = await self._view(dataset, row, request.view)
        transformation = request.transformation.over(view.transformation)
        transformation.check()
        limit = request.limit or UNLIMITED
        end = min(row.item_count, view.limit or UNLIMITED)
        # What a browser might run is never shown by it under our address.
        is_saved = request.as_attachment or wanted.is_active
        page = ItemsPage(
            total=row.item_count,
            offset=request.offset,
            limit=limit,
            desc=request.desc or view.desc,
            count=max(0, min(limit, end - request.offset)),
            media_type=wanted.media_type,
            file_name=f"dataset_{row.id}.{request.options.format}" if is_saved else "",
        )
        return page, row, transformation

    async def _view(self, dataset: StorageRef, row: StorageRow, name: str) -> View:
        if not name:
            return WHOLE
        if row.schema_digest is None:
            raise invalid("The dataset has no schema, and so no views.", NO_SCHEMA)
        return (await self._schemas.find(dataset, row.schema_digest)).view(name)

    async def _row(self, dataset: StorageRef) -> StorageRow:
        row = await self._database.read(
            lambda connection: Catalog(connection, dataset.account).get(
                StorageKind.DATASET, dataset.id
            )
        )
        if row is None:
            raise not_found("Dataset")
        return row

    def _with_feed(self, options: FileOptions, row: StorageRow) -> FileOptions:
        return replace(
            options,
            feed_title=options.feed_title or f"Dataset {row.name or row.id}",
            feed_description=options.feed_description or f'Items in dataset with id "{row.id}".',
            feed_link=self._addresses.storage("datasets", row.id),
        )

    async def _give_up(self, dataset: StorageRef, blocks: list[NewBlock], now: int) -> None:
        """Have objects removed that no row came to refer to."""
        keys = [block.object_key for block in blocks if block.object_key is not None]
        if keys:
            await self._database.write(partial(_give_up, dataset.account, keys, now))


def _give_up(account: int, keys: Sequence[str], now: int, connection: Connection) -> None:
    uploads = Uploads(connection, account)
    for key in keys:
        uploads.give_up(key, now)


def _measure(statistics: FieldStatistics, portion: Portion) -> None:
    statistics.add(portion.lines())
