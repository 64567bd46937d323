"""Opens what the settings name."""

import asyncio
from contextlib import suppress

from actor_operator.errors import ConfigurationError
from actor_operator.settings_api import ObjectStoreKind, StorageSettings
from actor_operator.storage.bucket import Bucket
from actor_operator.storage.database import Database
from actor_operator.storage.folder import Folder
from actor_operator.storage.objects import ObjectStore, ObjectStoreUnavailableError
from actor_operator.storage.postgres import PostgresDatabase
from actor_operator.storage.sqlite import SqliteDatabase

OBJECTS_FOLDER = "objects"
"""Where large bodies are in the folder of the settings."""

CHECK_SECONDS = 10.0
"""How long the start waits for the bucket."""


async def open_database(settings: StorageSettings) -> Database:
    """Open the database and bring it to the newest form.

    Raises
    ------
    ConfigurationError
        When it cannot be used at all; the message says what to change.
    DatabaseUnavailableError
        When the server does not answer.
    """
    if settings.database_url_file is None:
        return await SqliteDatabase.open(settings.folder)
    try:
        url = settings.database_url_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"storage.databaseUrlFile cannot be read: {error}.") from error
    return await PostgresDatabase.open(url)


async def open_objects(settings: StorageSettings) -> ObjectStore:
    """Open the store of large bodies; a bucket that does not answer now may do so later.

    Raises
    ------
    ConfigurationError
        When the folder cannot be made, or the bucket not be used.
    """
    if settings.objects is not ObjectStoreKind.S3:
        return Folder(settings.folder / OBJECTS_FOLDER)
    bucket = Bucket.of(settings.bucket)
    with suppress(TimeoutError, ObjectStoreUnavailableError):  # is logged
        async with asyncio.timeout(CHECK_SECONDS):
            await bucket.check()
    return bucket
