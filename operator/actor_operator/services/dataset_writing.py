"""Appending items: blocks are made before the transaction that counts them."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from actor_operator.services.items import Push, read_push
from actor_operator.storage.blocks import MAX_ROW_BYTES, NewBlock, pack
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.uploads import upload

INLINE_BYTES = 131_072
INLINE_COMMAS = 6000
"""A body with more bytes or more commas is worked on beside the event loop: with as many as these
it may take 5 ms. There is a comma for each item and for each field, and these are what costs."""

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
    if len(body) > INLINE_BYTES or body.count(b",") > INLINE_COMMAS:
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
    ends = list(accumulate(map(len, lines)))
    first, start = 0, 0
    while first < len(lines):
        after = max(first + 1, bisect_right(ends, start + BLOCK_BYTES, lo=first))
        yield lines[first:after]
        first, start = after, ends[after - 1]


async def _stream(body: bytes) -> AsyncIterator[bytes]:
    yield body
