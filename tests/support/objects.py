"""Short ways to use an object store in tests."""

from collections.abc import AsyncIterator

from actor_operator.storage.objects import ObjectStore


async def stream(body: bytes, step: int = 100_000) -> AsyncIterator[bytes]:
    """Bytes as they come in, piece by piece."""
    for at in range(0, len(body), step):
        yield body[at : at + step]


async def read(store: ObjectStore, key: str, start: int = 0, length: int | None = None) -> bytes:
    """An object, or a part of it."""
    return b"".join([chunk async for chunk in await store.get(key, start, length)])


async def keys(store: ObjectStore, folder: str = "") -> set[str]:
    """Keys of all objects in a folder."""
    return {key async for key in store.list(folder)}
