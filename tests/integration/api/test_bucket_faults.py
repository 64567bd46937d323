"""What stays true when the real object store, or who writes to it, dies in the middle."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.integration.api.world import OWNER, World, open_world, until
from tests.support.apiserver import ApiServer
from tests.support.dying_writer import ACCOUNT, AFTER, DURING, NOW, RECORD, SIZE
from tests.support.objects import keys, read, stream
from tests.support.s3_server import S3Server

from actor_operator.services.access import StorageRef
from actor_operator.services.identity import NOBODY
from actor_operator.services.key_value_stores import KeyValueStores
from actor_operator.services.storage_use import StorageUse
from actor_operator.storage.bucket import PART_BYTES, Bucket
from actor_operator.storage.catalog import Catalog, NewStorage, StorageKind
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStoreUnavailableError
from actor_operator.storage.sqlite import SqliteDatabase
from actor_operator.storage.uploads import HOUR, UPLOAD_TIME, sweep

KEY = "1/ab/cd"
LARGE = b"a" * 50_000
"""More than goes into a row."""

PARTS = b"b" * (PART_BYTES * 5 // 2)
"""More than is uploaded at once."""


async def test_an_upload_fails_when_the_store_dies_and_succeeds_when_it_is_back(
    s3: S3Server, prefix: str
) -> None:
    bucket = s3.bucket(prefix)

    async def interrupted() -> AsyncIterator[bytes]:
        async for chunk in stream(PARTS, 1_000_000):
            yield chunk
        assert s3.uploads(prefix) == [KEY]
        s3.kill()
        yield PARTS

    with s3.back_at_the_end(), pytest.raises(ObjectStoreUnavailableError):
        await bucket.put(KEY, interrupted())

    assert await keys(bucket) == set()
    assert await bucket.put("1/ab/again", stream(PARTS)) == len(PARTS)
    assert await read(bucket, "1/ab/again") == PARTS


async def test_who_reads_is_told_when_the_store_dies(s3: S3Server, prefix: str) -> None:
    bucket = s3.bucket(prefix)
    await bucket.put(KEY, stream(PARTS * 3))
    reading = await bucket.get(KEY)
    await anext(reading)

    with s3.away(), pytest.raises(ObjectStoreUnavailableError):
        async for _ in reading:
            pass

    assert await read(bucket, KEY) == PARTS * 3


@pytest.fixture
async def world(
    server: ApiServer, s3: S3Server, prefix: str, tmp_path: Path
) -> AsyncIterator[World]:
    """The API server, with its large bodies in a bucket."""
    database = await SqliteDatabase.open(tmp_path / "database")
    async with open_world(server, database, s3.bucket(prefix), tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client at the records of a new store."""
    async with world.client(await world.token(OWNER)) as client:
        made = await client.post("/v2/key-value-stores")
        client.base_url = f"{world.url}/v2/key-value-stores/{made.json()['data']['id']}/records/"
        yield client


async def test_while_the_store_is_away_clients_are_told_so_and_small_records_are_served(
    s3: S3Server, client: httpx.AsyncClient
) -> None:
    for key, body in (("small", b"x"), ("large", LARGE)):
        assert (await client.put(key, content=body)).status_code == 201

    with s3.away():
        for answer in (
            await client.get("large"),
            await client.put("large", content=LARGE[1:]),
            await client.put("another", content=LARGE),
        ):
            assert answer.status_code == 503
            assert answer.json()["error"]["type"] == "service-unavailable"
            assert s3.url not in answer.text
        assert (await client.get("small")).content == b"x"
        assert (await client.put("small", content=b"y")).status_code == 201

    assert (await client.get("large")).content == LARGE
    assert (await client.get("another")).status_code == 404
    assert (await client.get("small")).content == b"y"
    assert (await client.put("large", content=LARGE[1:])).status_code == 201
    assert (await client.get("large")).content == LARGE[1:]


async def test_a_client_that_goes_in_the_middle_of_an_upload_leaves_nothing(
    s3: S3Server, client: httpx.AsyncClient, prefix: str
) -> None:
    await client.put("record", content=LARGE)

    async def cut() -> AsyncIterator[bytes]:
        async for chunk in stream(PARTS, 1_000_000):
            yield chunk
        await until("the upload goes on", lambda: uploads_are(1))
        raise ConnectionResetError("gone")

    async def uploads_are(count: int) -> bool:
        return len(await asyncio.to_thread(s3.uploads, prefix)) == count

    with pytest.raises(ConnectionResetError, match="gone"):
        await client.put("record", content=cut())

    await until("the upload is given up", lambda: uploads_are(0))
    assert (await client.get("record")).content == LARGE
    assert len(await keys(s3.bucket(prefix))) == 1


@pytest.mark.parametrize("moment", [DURING, AFTER])
async def test_what_a_killed_server_has_uploaded_is_swept(
    s3: S3Server, tmp_path: Path, prefix: str, moment: str
) -> None:
    bucket = s3.bucket(prefix)
    database = await SqliteDatabase.open(tmp_path)
    store = await make_store(database)
    await records(database, bucket).put_record(
        store, RECORD, stream(LARGE), content_type=None, content_encoding=None
    )
    await database.close()

    settings = s3.settings(prefix).model_dump_json()
    arguments = ("-m", "tests.support.dying_writer", str(tmp_path), settings, store.id, moment)
    child = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    assert await child.wait() == -signal.SIGKILL

    database = await SqliteDatabase.open(tmp_path)
    before = await keys(bucket)
    assert len(before) == (2 if moment == AFTER else 1)
    later = NOW + UPLOAD_TIME + 1
    assert await sweep(database, bucket, later) == 0
    assert await keys(bucket) == before
    assert await sweep(database, bucket, later + HOUR) == 1
    assert await whole(database, bucket, store) == LARGE
    assert len(await keys(bucket)) == 1
    await database.close()


async def make_store(database: Database) -> StorageRef:
    row, _ = await database.write(
        lambda connection: Catalog(connection, ACCOUNT).create(
            NewStorage(StorageKind.KEY_VALUE_STORE), NOW
        )
    )
    return StorageRef(ACCOUNT, row.id, NOBODY)


def records(database: Database, bucket: Bucket) -> KeyValueStores:
    use = StorageUse(database, lambda: NOW)
    return KeyValueStores(database, bucket, use, lambda: NOW, max_record_bytes=2 * SIZE)


async def whole(database: Database, bucket: Bucket, store: StorageRef) -> bytes:
    found = (await records(database, bucket).get_record(store, RECORD)).body
    assert not isinstance(found, bytes)
    return b"".join([chunk async for chunk in found])
