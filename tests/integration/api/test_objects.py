"""Object stores: what both of them promise, the bucket in a real server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.objects import keys, read, stream
from tests.support.s3_server import S3Server

from actor_operator.errors import ConfigurationError
from actor_operator.storage.folder import Folder
from actor_operator.storage.objects import (
    ObjectMissingError,
    ObjectStore,
    ObjectStoreUnavailableError,
)

BODY = bytes(range(256)) * 4000


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, prefix: str) -> ObjectStore:
    if request.param == "folder":
        return Folder(tmp_path / "objects")
    server: S3Server = request.getfixturevalue("s3")
    return server.bucket(prefix)


@pytest.mark.parametrize("size", [0, 1, len(BODY)])
async def test_what_is_put_comes_back(store: ObjectStore, size: int) -> None:
    assert await store.put("1/ab/cd", stream(BODY[:size])) == size

    assert await read(store, "1/ab/cd") == BODY[:size]


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (0, 10),
        (5, 0),
        (1000, 300_000),
        (7, None),
        (len(BODY) - 3, 100),
        (len(BODY), None),
        (len(BODY) + 1, 10),
    ],
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
