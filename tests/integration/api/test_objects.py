"""Object stores: what all of them promise."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.s3 import BUCKET, FakeS3, fake_s3

from actor_operator.errors import ConfigurationError
from actor_operator.settings_api import BucketSettings, ObjectStoreKind, StorageSettings
from actor_operator.storage.bucket import PART_BYTES, Bucket
from actor_operator.storage.folder import Folder
from actor_operator.storage.objects import (
    ObjectMissingError,
    ObjectStore,
    ObjectStoreUnavailableError,
)
from actor_operator.storage.open import open_objects

BODY = bytes(range(256)) * 4000


@pytest.fixture
async def s3(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeS3]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    async with fake_s3() as fake:
        yield fake


def bucket(s3: FakeS3, prefix: str = "") -> Bucket:
    return Bucket.of(
        BucketSettings(name=BUCKET, region="local", endpoint=s3.url, prefix=prefix, allow_http=True)
    )


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, s3: FakeS3) -> ObjectStore:
    if request.param == "folder":
        return Folder(tmp_path / "objects")
    return bucket(s3, "some/prefix")


async def stream(body: bytes, step: int = 100_000) -> AsyncIterator[bytes]:
    for at in range(0, len(body), step):
        yield body[at : at + step]


async def read(store: ObjectStore, key: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in await store.get(key, start, length)])


async def keys(store: ObjectStore, prefix: str = "") -> set[str]:
    return {key async for key in store.list(prefix)}


@pytest.mark.parametrize("size", [0, 1, len(BODY)])
async def test_what_is_put_comes_back(store: ObjectStore, size: int) -> None:
    assert await store.put("1/ab/cd", stream(BODY[:size])) == size

    assert await read(store, "1/ab/cd") == BODY[:size]


@pytest.mark.parametrize(
    ("start", "length"), [(0, 10), (5, 0), (1000, 300_000), (7, None), (len(BODY) - 3, 100)]
)
async def test_a_part_is_read(store: ObjectStore, start: int, length: int | None) -> None:
    await store.put("1/ab/cd", stream(BODY))

    end = None if length is None else start + length
    assert await read(store, "1/ab/cd", start, length) == BODY[start:end]


@pytest.mark.parametrize("sent", [0, 10, len(BODY)])
async def test_a_stream_that_breaks_leaves_nothing(store: ObjectStore, sent: int) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for chunk in stream(BODY[:sent]):
            yield chunk
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        await store.put("1/ab/cd", broken())

    assert await keys(store) == set()


async def test_an_upload_that_is_cancelled_leaves_nothing(store: ObjectStore) -> None:
    waiting = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield BODY
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put("1/ab/cd", endless()))
    await waiting.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await keys(store) == set()


async def test_a_missing_object_is_told_before_anything_is_read(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissingError, match="1/ab/no"):
        await store.get("1/ab/no")


async def test_deleting_twice_is_no_error(store: ObjectStore) -> None:
    await store.put("1/ab/cd", stream(b"x"))

    await store.delete("1/ab/cd")
    await store.delete("1/ab/cd")

    assert await keys(store) == set()


async def test_keys_are_listed_by_account(store: ObjectStore) -> None:
    for key in ("1/ab/x", "1/cd/y", "12/ab/z"):
        await store.put(key, stream(b"x"))

    assert await keys(store) == {"1/ab/x", "1/cd/y", "12/ab/z"}
    assert await keys(store, "1/") == {"1/ab/x", "1/cd/y"}
    assert await keys(store, "3/") == set()


async def test_many_uploads_at_once_make_their_folders_together(store: ObjectStore) -> None:
    wanted = {f"1/{number % 3}a/k{number}" for number in range(40)}

    await asyncio.gather(*(store.put(key, stream(BODY[:50_000])) for key in wanted))

    assert await keys(store) == wanted


@pytest.mark.parametrize("key", ["../x", "1//x", "tmp/x", "1/a.b", "/x", ""])
async def test_a_folder_takes_no_key_that_leads_elsewhere(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        await Folder(tmp_path).put(key, stream(b"x"))


async def test_a_folder_clears_away_what_a_crash_left_half_written(tmp_path: Path) -> None:
    Folder(tmp_path)
    (tmp_path / "tmp" / "half").write_bytes(b"x")

    store = Folder(tmp_path)

    assert list((tmp_path / "tmp").iterdir()) == []
    assert await keys(store) == set()


async def test_a_disk_that_refuses_is_told_as_unavailable(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    (tmp_path / "1").write_text("where a folder should be")

    with pytest.raises(ObjectStoreUnavailableError, match="disk refuses"):
        await store.put("1/ab/cd", stream(b"x"))

    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="cannot be used"):
        Folder(tmp_path / "file" / "objects")


async def test_a_large_body_goes_into_a_bucket_in_parts(s3: FakeS3) -> None:
    store = bucket(s3, "prefix")
    body = BODY[:1_000_000] * (2 * PART_BYTES // 1_000_000 + 1)

    assert await store.put("1/ab/cd", stream(body, 1_000_000)) == len(body)

    assert list(s3.objects) == ["prefix/1/ab/cd"]
    assert await read(store, "1/ab/cd") == body


async def test_a_large_upload_that_breaks_leaves_no_object(s3: FakeS3) -> None:
    async def broken() -> AsyncIterator[bytes]:
        for _ in range(3 * PART_BYTES // 1_000_000):
            yield BODY[:1_000_000]
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        await bucket(s3).put("1/ab/cd", broken())

    assert (s3.objects, s3.uploads) == ({}, {})


async def test_a_bucket_that_refuses_for_a_moment_is_asked_again(s3: FakeS3) -> None:
    store = bucket(s3)
    await store.put("1/ab/cd", stream(b"x"))
    s3.refusals = 2

    assert await read(store, "1/ab/cd") == b"x"


async def test_a_bucket_that_refuses_is_told_as_unavailable(s3: FakeS3) -> None:
    store = bucket(s3)
    s3.refusals = 1_000

    for asking in (store.put("1/ab/cd", stream(b"x")), store.get("1/ab/cd")):
        with pytest.raises(ObjectStoreUnavailableError, match="does not answer") as caught:
            await asking
        assert "secret" not in str(caught.value)


async def test_the_settings_say_where_large_bodies_go(tmp_path: Path, s3: FakeS3) -> None:
    there = BucketSettings(name=BUCKET, region="local", endpoint=s3.url, allow_http=True)
    await open_objects(
        StorageSettings(folder=tmp_path, objects=ObjectStoreKind.S3, bucket=there)
    ).put("1/ab/cd", stream(b"x"))
    await open_objects(StorageSettings(folder=tmp_path)).put("1/ab/ef", stream(b"y"))

    assert s3.objects == {"1/ab/cd": b"x"}
    assert (tmp_path / "objects" / "1" / "ab" / "ef").read_bytes() == b"y"
