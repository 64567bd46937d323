"""A store of large bodies whose failures are told."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from actor_operator.storage.objects import (
    ObjectMissingError,
    ObjectStore,
    ObjectStoreUnavailableError,
)

FailureListener = Callable[[str], None]
"""Told of a failure: by put, get, delete or list."""


class ObservedObjects:
    """An object store that passes everything on to another one.

    Parameters
    ----------
    objects
        The store.
    on_failure
        Told when it does not answer, or lacks what a row refers to; it must not fail.
    """

    def __init__(self, objects: ObjectStore, on_failure: FailureListener) -> None:
        self._objects = objects
        self._on_failure = on_failure

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Store what the stream gives (as `ObjectStore.put`)."""
        with self._watched("put"):
            return await self._objects.put(key, body)

    async def get(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read an object, or a part of it (as `ObjectStore.get`)."""
        with self._watched("get"):
            return self._stream("get", await self._objects.get(key, start, length))

    async def delete(self, key: str) -> None:
        """Remove an object (as `ObjectStore.delete`)."""
        with self._watched("delete"):
            await self._objects.delete(key)

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """Keys that begin with a folder (as `ObjectStore.list`)."""
        with self._watched("list"):
            async for key in self._objects.list(prefix):
                yield key

    async def _stream(self, operation: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        with self._watched(operation):
            async for chunk in chunks:
                yield chunk

    @contextmanager
    def _watched(self, operation: str) -> Iterator[None]:
        try:
            yield
        except (ObjectStoreUnavailableError, ObjectMissingError):
            self._on_failure(operation)
            raise
