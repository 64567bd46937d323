"""The schemas of datasets at hand: read and made ready once, and kept for the next push."""

import asyncio
from collections.abc import Sequence

from actor_operator.errors import StaleError
from actor_operator.services.access import StorageRef
from actor_operator.services.dataset_schema import DatasetSchema, read_schema
from actor_operator.services.item_validation import check_items
from actor_operator.storage.database import Database
from actor_operator.storage.schemas import StorageSchemas, digest_of

MOST_KEPT = 32
"""Schemas that are kept ready: with all its patterns one may take many megabytes."""

THREAD_BYTES = 16_384
"""Longer schemas are made ready, and longer pushes checked, beside the event loop."""


class DatasetSchemas:
    """Finds schemas, and checks items by them.

    Parameters
    ----------
    database
        Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ready: dict[str, DatasetSchema] = {}

    async def find(self, dataset: StorageRef, digest: str) -> DatasetSchema:
        """The schema of a dataset.

        Parameters
        ----------
        dataset
            Which dataset.
        digest
            What its row says of the schema.

        Raises
        ------
        StaleError
            When it has another one by now.
        DatabaseUnavailableError
            When it cannot be read now.
        """
        ready = self._ready.pop(digest, None) or await self._read(dataset, digest)
        self._ready[digest] = ready  # at the end: what was used last stays longest
        while len(self._ready) > MOST_KEPT:
            del self._ready[next(iter(self._ready))]
        return ready

    async def check(self, dataset: StorageRef, lines: Sequence[bytes]) -> None:
        """Look whether items fit the schema of their dataset, if it has one.

        Raises
        ------
        ApiError
            400 schema-validation-error.
        StaleError, DatabaseUnavailableError
            As `find`.
        """
        if dataset.schema is None:
            return
        validator = (await self.find(dataset, dataset.schema)).validator
        if validator is None:
            return
        if sum(map(len, lines)) > THREAD_BYTES:
            await asyncio.to_thread(check_items, lines, validator)
        else:
            check_items(lines, validator)

    async def _read(self, dataset: StorageRef, digest: str) -> DatasetSchema:
        body = await self._database.read(
            lambda connection: StorageSchemas(connection, dataset.account).get(dataset.id)
        )
        if body is None or digest_of(body) != digest:
            raise StaleError("The schema of the dataset was changed meanwhile.")
        if len(body) > THREAD_BYTES:
            return await asyncio.to_thread(read_schema, body)
        return read_schema(body)
