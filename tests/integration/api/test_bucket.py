"""Large bodies in the bucket of a real server, and how they get there."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.objects import keys, read, stream
from tests.support.s3_refusing import RefusingS3, refusing_s3
from tests.support.s3_server import BUCKET, S3Server

from actor_operator.errors import ConfigurationError
from actor_operator.settings_api import BucketSettings, ObjectStoreKind, StorageSettings
from actor_operator.storage.bucket import PART_BYTES, Bucket
from actor_operator.storage.folder import Folder
from actor_operator.storage.objects import ObjectStore, ObjectStoreUnavailableError
from actor_operator.storage.open import open_objects

KEY = "1/ab/cd"
MEGABYTE = 1_000_000
LARGE = PART_BYTES * 5 // 2
"""Size of an upload in three parts."""

MOST_MEMORY = 64 * MEGABYTE
"""What two hundred megabytes may take on their way: parts that are sent, and that are collected."""


@pytest.fixture
def bucket(s3: S3Server, prefix: str) -> Bucket:
    return s3.bucket(prefix)


async def counted(megabytes: int) -> AsyncIterator[bytes]:
    """A body of which no two megabytes are the same."""
    for number in range(megabytes):
        yield number.to_bytes(4, "big") * (MEGABYTE // 4)


@pytest.mark.parametrize(
    "size", [MEGABYTE, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, LARGE], ids=str
)
async def test_a_body_of_any_size_comes_back(
    s3: S3Server, bucket: Bucket, prefix: str, size: int
) -> None:
    body = b"".join([chunk async for chunk in counted(size // MEGABYTE + 1)])[:size]

    assert await bucket.put(KEY, stream(body, 65_536)) == size

    assert await read(bucket, KEY) == body
    assert await keys(bucket) == {KEY}
    assert s3.uploads(prefix) == []


async def test_a_part_is_read_across_the_parts_of_the_upload(bucket: Bucket) -> None:
    body = b"".join([chunk async for chunk in counted(LARGE // MEGABYTE + 1)])
    await bucket.put(KEY, stream(body, MEGABYTE))

    begin, size = PART_BYTES - 100_000, 200_000
    assert await read(bucket, KEY, begin, size) == body[begin : begin + size]
    assert await read(bucket, KEY, begin) == body[begin:]


async def test_two_hundred_megabytes_pass_with_little_memory(bucket: Bucket) -> None:
    expected, found, size = hashlib.sha256(), hashlib.sha256(), 0
    async for chunk in counted(200):
        expected.update(chunk)
    await bucket.put("1/ab/first", counted(20))

    before = memory_now()
    await bucket.put(KEY, counted(200))
    assert memory_peak() - before < MOST_MEMORY

    before = memory_now()
    async for chunk in await bucket.get(KEY):
        found.update(chunk)
        size += len(chunk)
    assert memory_peak() - before < MOST_MEMORY
    assert (size, found.digest()) == (200 * MEGABYTE, expected.digest())


async def test_a_large_upload_that_breaks_leaves_no_parts(
    s3: S3Server, bucket: Bucket, prefix: str
) -> None:
    under_way: list[str] = []

    async def broken() -> AsyncIterator[bytes]:
        async for chunk in counted(LARGE // MEGABYTE):
            yield chunk
        under_way.extend(s3.uploads(prefix))
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        await bucket.put(KEY, broken())

    assert under_way == [KEY]
    assert (s3.uploads(prefix), await keys(bucket)) == ([], set())


async def test_a_large_upload_that_is_cancelled_leaves_no_parts(
    s3: S3Server, bucket: Bucket, prefix: str
) -> None:
    waiting = asyncio.Event()
    closed: list[bool] = []

    async def endless() -> AsyncIterator[bytes]:
        async for chunk in counted(LARGE // MEGABYTE):
            yield chunk
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    task = asyncio.create_task(bucket.put(KEY, endless()))
    await waiting.wait()
    assert s3.uploads(prefix) == [KEY]
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]
    assert (s3.uploads(prefix), await keys(bucket)) == ([], set())


async def test_more_keys_are_listed_than_one_answer_holds(bucket: Bucket) -> None:
    wanted = {f"1/ab/{number}" for number in range(1050)}
    left = set(wanted)
    while left:
        some = [left.pop() for _ in range(50)]
        await asyncio.gather(*(bucket.put(key, stream(b"x")) for key in some))

    assert await keys(bucket, "1/") == wanted


async def test_the_settings_say_where_large_bodies_go(
    s3: S3Server, tmp_path: Path, prefix: str
) -> None:
    there = await opened(tmp_path, s3.settings(prefix))
    await there.put(KEY, stream(b"x"))
    here = await open_objects(StorageSettings(folder=tmp_path))
    await here.put(KEY, stream(b"y"))

    assert await keys(s3.bucket("")) >= {f"{prefix}/{KEY}"}
    assert await keys(there) == {KEY}  # the look at the start has left nothing
    assert await read(Folder(tmp_path / "objects"), KEY) == b"y"


async def test_a_bucket_that_does_not_exist_is_an_error_of_the_settings(
    s3: S3Server, tmp_path: Path, prefix: str
) -> None:
    settings = s3.settings(prefix).model_copy(update={"name": "another"})

    with pytest.raises(ConfigurationError, match=r"storage\.bucket .* NoSuchBucket"):
        await opened(tmp_path, settings)

    bucket = Bucket.of(settings)
    for asking in (bucket.put(KEY, stream(b"x")), bucket.get(KEY), bucket.delete(KEY)):
        with pytest.raises(ObjectStoreUnavailableError):
            await asking


async def test_wrong_credentials_are_an_error_of_the_settings(
    s3: S3Server, tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mistyped")

    with pytest.raises(ConfigurationError, match="credentials") as caught:
        await opened(tmp_path, s3.settings(prefix))
    assert "mistyped" not in str(caught.value)


@pytest.fixture
async def refusing(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RefusingS3]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    async with refusing_s3() as served:
        yield served


async def test_a_bucket_that_refuses_for_a_moment_is_asked_again(refusing: RefusingS3) -> None:
    refusing.refusals = 2

    assert await read(Bucket.of(settings_of(refusing)), KEY) == b"x"


async def test_a_bucket_that_refuses_is_told_as_unavailable_and_not_where_it_is(
    refusing: RefusingS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = await opened(tmp_path, settings_of(refusing))
    refusing.refusals = 1_000

    for asking in (bucket.put(KEY, stream(b"x")), bucket.get(KEY), bucket.delete(KEY)):
        with pytest.raises(ObjectStoreUnavailableError) as caught:
            await asking
        assert str(caught.value) == "The object store does not answer."
    assert "secret" not in capsys.readouterr().out


async def test_a_bucket_that_does_not_answer_does_not_stop_the_start(
    refusing: RefusingS3, tmp_path: Path
) -> None:
    refusing.refusals = 5

    bucket = await opened(tmp_path, settings_of(refusing))

    assert refusing.refusals == 0
    assert await read(bucket, KEY) == b"x"


def settings_of(refusing: RefusingS3) -> BucketSettings:
    return BucketSettings(name=BUCKET, region="local", endpoint=refusing.url, allow_http=True)


async def opened(folder: Path, bucket: BucketSettings) -> ObjectStore:
    """The object store as the API server opens it."""
    return await open_objects(
        StorageSettings(folder=folder, objects=ObjectStoreKind.S3, bucket=bucket)
    )


def memory_now() -> int:
    """Bytes that this process has in memory; the peak begins anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory_peak()


def memory_peak() -> int:
    """Most bytes that it had in memory."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024
