"""Appending items: blocks are made before the transaction that counts them."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

from actor_operator.services.items import Push, read_push
from actor_operator.storage.blocks import MAX_ROW_BYTES, NewBlock, pack
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.uploads import upload

THREAD_BYTES = 16_384
"""A longer body is worked on beside the event loop: it may be thousands of tiny items."""

BLOCK_BYTES = 1_048_576
"""Text of a block, but for one item that is longer: what is unpacked to read one item of it."""


async def prepare(body: bytes) -> tuple[Push, list[NewBlock]]:
    """Read what is pushed, and pack it.

    Returns
    -------
    tuple
        The items, and their blocks: the body of each is at hand still.

    Raises
    ------
    ApiError
        400 when these are no items.
    """
    if len(body) > THREAD_BYTES:
        return await asyncio.to_thread(_prepare, body)
    return _prepare(body)


async def store_large(
    database: Database, objects: ObjectStore, account: int, blocks: Sequence[NewBlock], now: int
) -> list[NewBlock]:
    """Put large blocks into the object store.

    Returns
    -------
    list[NewBlock]
        All blocks, for `DatasetItems.append`.

    Raises
    ------
    DatabaseUnavailableError, ObjectStoreUnavailableError
        When they cannot be kept now.
    """
    stored = []
    for block in blocks:
        if block.size <= MAX_ROW_BYTES or block.body is None:
            stored.append(block)
        else:
            done = await upload(database, objects, account, _stream(block.body), now)
            stored.append(replace(block, body=None, object_key=done.key))
    return stored


def _prepare(body: bytes) -> tuple[Push, list[NewBlock]]:
    push = read_push(body)
    return push, [_pack(lines) for lines in _parts(push.lines)]


def _pack(lines: Sequence[bytes]) -> NewBlock:
    body = pack(lines)
    return NewBlock(len(lines), sum(map(len, lines)), len(body), body)


def _parts(lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The items of each block."""
    first, size = 0, 0
    for position, line in enumerate(lines):
        if size and size + len(line) > BLOCK_BYTES:
            yield lines[first:position]
            first, size = position, 0
        size += len(line)
    if first < len(lines):
        yield lines[first:]


async def _stream(body: bytes) -> AsyncIterator[bytes]:
    yield body
