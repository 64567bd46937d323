"""Large bodies in files of a folder, for an installation without a bucket.

A body is written to a temporary file, synced, and renamed; then its folder is synced. After a crash
a file is whole or not there, and what was confirmed is there.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from actor_operator.errors import ConfigurationError
from actor_operator.storage.objects import ObjectMissingError, ObjectStoreUnavailableError

T = TypeVar("T")

CHUNK_BYTES = 256 * 1024
"""How much is read at a time."""

TEMPORARY = "tmp"
"""Folder of files that are being written; what is in it at the start is left over."""


class Folder:
    """Keeps bodies in a folder that this process alone writes.

    Parameters
    ----------
    root
        The folder; it is made when it is missing.

    Raises
    ------
    ConfigurationError
        When it cannot be made or written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._temporary = root / TEMPORARY
        self._durable: set[Path] = set()
        try:
            self._temporary.mkdir(parents=True, exist_ok=True)
            for left_over in self._temporary.iterdir():
                left_over.unlink()
            _sync(root.parent)
        except OSError as error:
            raise ConfigurationError(f"The folder {root} cannot be used: {error}.") from error

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Store what the stream gives, and return its size once it is durable.

        Raises
        ------
        ObjectStoreUnavailableError
            When the disk refuses.
        """
        target = self._path(key)
        temporary = self._temporary / secrets.token_hex(16)
        file = await _on_disk(lambda: temporary.open("xb"))
        size = 0
        try:
            async for chunk in body:
                await _on_disk(file.write, chunk)
                size += len(chunk)
            await _on_disk(self._publish, file, temporary, target)
        except BaseException:
            # Closing waits for a write that goes on in its thread.
            await asyncio.shield(asyncio.to_thread(_discard, file, temporary))
            raise
        return size

    async def get(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read an object, or a part of it.

        Raises
        ------
        ObjectMissingError
            When there is none.
        ObjectStoreUnavailableError
            When the disk refuses.
        """
        path = self._path(key)
        if not await _on_disk(path.is_file):
            raise ObjectMissingError(key)
        return _read(path, start, length)

    async def delete(self, key: str) -> None:
        """Remove an object, durably; that there is none is no error.

        Nobody would look for one that was there again after a crash: its row is gone then.

        Raises
        ------
        ObjectStoreUnavailableError
            When the disk refuses.
        """
        path = self._path(key)
        await _on_disk(_remove, path)

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """Keys that begin with a folder, ``1/`` or nothing, in no order.

        Raises
        ------
        ObjectStoreUnavailableError
            When the disk refuses.
        """
        for key in await _on_disk(self._keys, prefix):
            yield key

    def _keys(self, prefix: str) -> tuple[str, ...]:
        return tuple(
            path.relative_to(self._root).as_posix()
            for path in (self._root / prefix).rglob("*")
            if path.is_file() and not path.is_relative_to(self._temporary)
        )

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if not all(part.isascii() and part.isalnum() for part in parts) or parts[0] == TEMPORARY:
            raise ValueError(f"{key!r} is no key of an object")
        return self._root.joinpath(*parts)

    def _publish(self, file: BinaryIO, temporary: Path, target: Path) -> None:
        """Make a written file durable, under its name."""
        file.flush()
        os.fsync(file.fileno())
        file.close()
        self._make_folder(target.parent)
        temporary.rename(target)
        _sync(target.parent)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder whose name is durable too, whoever made it."""
        if folder in self._durable or folder == self._root:
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)
        self._durable.add(folder)


async def _read(path: Path, start: int, length: int | None) -> AsyncIterator[bytes]:
    file = await _on_disk(lambda: path.open("rb"))
    try:
        await _on_disk(file.seek, start)
        left = length
        while left is None or left > 0:
            size = CHUNK_BYTES if left is None else min(CHUNK_BYTES, left)
            chunk = await _on_disk(file.read, size)
            if not chunk:
                break
            left = None if left is None else left - len(chunk)
            yield chunk
    finally:
        # Not awaited: it waits for a read that goes on in its thread, and here we may be cancelled.
        _ = asyncio.get_running_loop().run_in_executor(None, file.close)


async def _on_disk(work: Callable[..., T], *arguments: object) -> T:
    try:
        return await asyncio.to_thread(work, *arguments)
    except OSError as error:
        raise ObjectStoreUnavailableError(f"The disk refuses: {error.strerror}.") from error


def _discard(file: BinaryIO, path: Path) -> None:
    try:
        file.close()  # may find the disk full again
    finally:
        path.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    # Also when it was gone: a process that was killed may have removed it without the sync.
    if path.parent.is_dir():
        _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
