"""Records of key-value stores, on each database."""

import gzip
import io
import zipfile
from collections.abc import AsyncIterator

import brotli
import pytest
from sqlalchemy import func, select

from actor_operator.services.access import StorageRef
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import NOBODY
from actor_operator.services.key_value_stores import INLINE_BYTES, KeyValueStores
from actor_operator.services.storage_use import StorageUse
from actor_operator.storage.catalog import Catalog, NewStorage, StorageKind, StorageRow
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.removals import remove_content
from actor_operator.storage.tables import RECORDS, UPLOADS
from actor_operator.storage.uploads import HOUR, UPLOAD_TIME, sweep

ACCOUNT = 7
NOW = 1_700_000_000_000
KVS = StorageKind.KEY_VALUE_STORE
LIMIT = 1_000_000


class World:
    """A store in a database, and the service."""

    def __init__(self, database: Database, objects: ObjectStore) -> None:
        self.now = NOW
        self.database = database
        self.objects = objects
        self.use = StorageUse(database, lambda: self.now)
        self.service = KeyValueStores(
            database, objects, self.use, lambda: self.now, max_record_bytes=LIMIT
        )

    async def make(self) -> StorageRef:
        row, _ = await self.database.write(
            lambda connection: Catalog(connection, ACCOUNT).create(NewStorage(KVS), self.now)
        )
        return StorageRef(ACCOUNT, row.id, NOBODY)

    async def put(
        self, store: StorageRef, key: str, *chunks: bytes, encoding: str | None = None
    ) -> None:
        await self.service.put_record(
            store, key, stream(*chunks), content_type="text/plain", content_encoding=encoding
        )

    async def body(self, store: StorageRef, key: str) -> bytes:
        record = await self.service.get_record(store, key)
        if isinstance(record.body, bytes):
            return record.body
        return b"".join([chunk async for chunk in record.body])

    async def row(self, store: StorageRef) -> StorageRow:
        row = await self.database.read(
            lambda connection: Catalog(connection, ACCOUNT).get(KVS, store.id)
        )
        assert row is not None
        return row

    async def stored(self) -> list[str]:
        return [key async for key in self.objects.list("")]


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def cut(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    raise ConnectionResetError("the client went away")


@pytest.fixture
def world(database: Database, objects: ObjectStore) -> World:
    return World(database, objects)


@pytest.mark.parametrize("size", [0, 1, INLINE_BYTES, INLINE_BYTES + 1, 700_000])
async def test_a_body_of_any_size_comes_back_as_it_was(world: World, size: int) -> None:
    store = await world.make()
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]

    await world.put(store, "OUTPUT", *(body[at : at + 9999] for at in range(0, size, 9999)))

    record = await world.service.get_record(store, "OUTPUT")
    assert await world.body(store, "OUTPUT") == body
    assert (record.about.size, record.about.content_type) == (size, "text/plain")
    assert len(await world.stored()) == (size > INLINE_BYTES)
    assert (await world.row(store)).storage_bytes == size


async def test_a_body_is_kept_with_the_encoding_it_came_with(world: World) -> None:
    store = await world.make()

    await world.put(store, "k", gzip.compress(b"hello"), encoding="gzip")

    about = await world.service.head_record(store, "k")
    assert about.content_encoding == "gzip"
    assert gzip.decompress(await world.body(store, "k")) == b"hello"


@pytest.mark.parametrize("before", [10, 50_000])
@pytest.mark.parametrize("sent", [10, 90_000])
async def test_an_upload_that_is_cut_changes_nothing(world: World, before: int, sent: int) -> None:
    store = await world.make()
    await world.put(store, "k", b"a" * before)

    with pytest.raises(ConnectionResetError):
        await world.service.put_record(
            store, "k", cut(b"b" * sent), content_type=None, content_encoding=None
        )

    assert await world.body(store, "k") == b"a" * before
    assert (await world.row(store)).storage_bytes == before
    assert len(await world.stored()) == (before > INLINE_BYTES)


async def test_a_body_that_is_too_large_changes_nothing(world: World) -> None:
    store = await world.make()

    with pytest.raises(ApiError) as caught:
        await world.put(store, "k", b"a" * LIMIT, b"b")

    assert (caught.value.error_type, caught.value.status) == ("record-too-large", 413)
    assert (await world.service.list_keys(store, limit=10)).items == []
    assert await world.stored() == []


async def test_an_overwritten_object_goes_an_hour_later(world: World) -> None:
    store = await world.make()
    await world.put(store, "k", b"a" * 50_000)
    reader = (await world.service.get_record(store, "k")).body
    assert not isinstance(reader, bytes)
    await world.put(store, "k", b"b" * 60_000)

    assert await sweep(world.database, world.objects, NOW + HOUR - 1) == 0
    # Who had begun to read the old body reads it to its end.
    assert b"".join([chunk async for chunk in reader]) == b"a" * 50_000
    assert await sweep(world.database, world.objects, NOW + HOUR) == 1

    assert len(await world.stored()) == 1
    assert await world.body(store, "k") == b"b" * 60_000
    assert (await world.row(store)).storage_bytes == 60_000


async def test_an_object_that_no_record_came_to_refer_to_is_swept(world: World) -> None:
    store = await world.make()
    key = "7/ab/lost"
    await world.database.write(
        lambda connection: (
            connection.execute(
                UPLOADS.insert().values(object_key=key, account=ACCOUNT, begun_at=NOW)
            ).rowcount
        )
    )
    await world.objects.put(key, stream(b"x"))
    await world.put(store, "k", b"a" * 50_000)

    later = NOW + UPLOAD_TIME + 1
    await sweep(world.database, world.objects, later)
    assert len(await world.stored()) == 2
    await sweep(world.database, world.objects, later + HOUR)

    assert key not in await world.stored()
    assert await world.body(store, "k") == b"a" * 50_000


async def test_an_upload_that_was_given_up_cannot_be_referred_to(world: World) -> None:
    store = await world.make()

    async def slow() -> AsyncIterator[bytes]:
        yield b"a" * 50_000
        await sweep(world.database, world.objects, NOW + UPLOAD_TIME + 1)

    with pytest.raises(Exception, match="given up"):
        await world.service.put_record(store, "k", slow(), content_type=None, content_encoding=None)

    assert (await world.service.list_keys(store, limit=1)).items == []


async def test_deleting_a_record_twice_is_no_error(world: World) -> None:
    store = await world.make()
    await world.put(store, "k", b"abc")

    await world.service.delete_record(store, "k")
    await world.service.delete_record(store, "k")

    with pytest.raises(ApiError, match="not found"):
        await world.service.get_record(store, "k")
    row = await world.row(store)
    assert (row.storage_bytes, row.write_count, row.delete_count) == (0, 1, 1)


async def test_keys_come_in_the_order_of_their_bytes_page_by_page(world: World) -> None:
    store = await world.make()
    keys = ["a", "B", "a-1", "a.1", "_", "Z", "(x)", "a1", "!"]
    for key in keys:
        await world.put(store, key, b"x" * len(key))

    got: list[tuple[str, int]] = []
    truncated = True
    while truncated:
        page = await world.service.list_keys(
            store, exclusive_start_key=got[-1][0] if got else "", limit=2
        )
        got += page.items
        truncated = page.is_truncated

    assert got == [(key, len(key)) for key in sorted(keys)]


async def test_a_prefix_picks_the_keys_that_begin_with_it(world: World) -> None:
    store = await world.make()
    for key in ("a", "ab", "abc", "ac", "Ab", "b"):
        await world.put(store, key, b"")

    async def keys(prefix: str) -> list[str]:
        page = await world.service.list_keys(store, prefix=prefix, limit=10)
        return [key for key, _ in page.items]

    assert await keys("ab") == ["ab", "abc"]
    assert await keys("a") == ["a", "ab", "abc", "ac"]
    assert await keys("ü\0") == []


@pytest.mark.parametrize("key", ["", "a/b", "ä", "a" * 257, "a b", "a\n"])
async def test_an_impossible_key_is_refused(world: World, key: str) -> None:
    store = await world.make()

    with pytest.raises(ApiError) as caught:
        await world.put(store, key, b"")

    assert caught.value.error_type == "invalid-record-key"


async def test_an_unknown_encoding_is_refused(world: World) -> None:
    store = await world.make()

    with pytest.raises(ApiError) as caught:
        await world.put(store, "k", b"", encoding="zstd")

    assert caught.value.status == 415


@pytest.mark.parametrize("size", [5, 50_000])
async def test_a_record_of_a_missing_store_is_not_written(world: World, size: int) -> None:
    missing = StorageRef(ACCOUNT, "a" * 17, NOBODY)

    with pytest.raises(ApiError) as caught:
        await world.put(missing, "k", b"x" * size)

    assert caught.value.error_type == "record-not-found"
    await sweep(world.database, world.objects, NOW + HOUR)
    assert await world.stored() == []


async def test_nobody_reads_the_records_of_another_account(world: World) -> None:
    store = await world.make()
    await world.put(store, "k", b"secret")

    with pytest.raises(ApiError, match="not found"):
        await world.service.get_record(StorageRef(ACCOUNT + 1, store.id, NOBODY), "k")


async def test_what_a_deleted_store_held_is_gone_at_once_and_removed_later(world: World) -> None:
    store = await world.make()
    for number in range(3):
        await world.put(store, f"k{number}", b"x" * 50_000)
    await world.put(store, "small", b"x")

    await world.database.write(
        lambda connection: Catalog(connection, ACCOUNT).delete(KVS, store.id, NOW)
    )
    with pytest.raises(ApiError, match="not found"):
        await world.service.get_record(store, "small")
    assert await remove_content(world.database, NOW) == 1
    assert await sweep(world.database, world.objects, NOW + HOUR) == 3

    count = await world.database.read(
        lambda connection: connection.scalar(select(func.count()).select_from(RECORDS))
    )
    assert count == 0


async def test_all_records_come_decoded_in_one_zip_file(world: World) -> None:
    store = await world.make()
    large = bytes(range(256)) * 2000
    await world.put(store, "INPUT", b'{"a":1}')
    await world.put(store, "large", brotli.compress(large, quality=1), encoding="br")
    await world.put(
        store, "members", gzip.compress(b"one") + gzip.compress(b"two"), encoding="gzip"
    )
    await world.put(store, "broken", b"this is no gzip", encoding="gzip")
    await world.put(store, "..", b"dots")

    data = b"".join([piece async for piece in world.service.zip_records(store)])

    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    content = {name: archive.read(name) for name in archive.namelist()}
    assert content == {
        "INPUT": b'{"a":1}',
        "large": large,
        "members": b"onetwo",
        "broken": b"",
        "broken.gzip": b"this is no gzip",
        "%2E%2E": b"dots",
    }


async def test_what_was_read_is_counted_when_it_is_flushed(world: World) -> None:
    store = await world.make()
    await world.put(store, "k", b"x")
    world.now += 5000
    await world.service.get_record(store, "k")
    await world.service.get_record(store, "k")
    await world.service.list_keys(store, limit=1)

    await world.use.flush()

    row = await world.row(store)
    assert (row.read_count, row.list_count, row.accessed_at) == (2, 1, NOW + 5000)
    assert row.modified_at == NOW
