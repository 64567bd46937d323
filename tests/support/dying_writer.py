"""A process that writes a large record and is killed in the middle: ``python -m`` with arguments.

They are the folder of the database, the settings of the bucket as JSON, the id of the store, and
the moment of the death: `DURING` the upload, or `AFTER` it and before its row.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from typing_extensions import override

from actor_operator.services.access import StorageRef
from actor_operator.services.identity import NOBODY
from actor_operator.services.key_value_stores import KeyValueStores
from actor_operator.services.storage_use import StorageUse
from actor_operator.settings_api import BucketSettings
from actor_operator.storage.bucket import Bucket
from actor_operator.storage.sqlite import SqliteDatabase

ACCOUNT, NOW, RECORD = 7, 1_700_000_000_000, "OUTPUT"
"""Whose record it is, when it is written, and its key."""

DURING, AFTER = "during", "after"

SIZE = 30_000_000
"""Bytes of the record."""


class DyingBucket(Bucket):
    """A bucket whose user dies once an object is stored."""

    @override
    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        await super().put(key, body)
        return die()


async def write(folder: Path, settings: BucketSettings, store: str, moment: str) -> None:
    """Write the record."""
    database = await SqliteDatabase.open(folder)
    stores = KeyValueStores(
        database,
        DyingBucket.of(settings),
        StorageUse(database, lambda: NOW),
        lambda: NOW,
        max_record_bytes=2 * SIZE,
    )
    await stores.put_record(
        StorageRef(ACCOUNT, store, NOBODY),
        RECORD,
        body(moment),
        content_type=None,
        content_encoding=None,
    )


async def body(moment: str) -> AsyncIterator[bytes]:
    """The record."""
    for _ in range(SIZE // 1_000_000):
        yield b"x" * 1_000_000
    if moment == DURING:
        die()


def die() -> int:
    """Do not return."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


if __name__ == "__main__":
    _, folder, bucket, store, moment = sys.argv
    asyncio.run(write(Path(folder), BucketSettings.model_validate_json(bucket), store, moment))
