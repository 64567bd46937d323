"""Items of a dataset from a file, in portions that the API takes."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import msgspec

MAX_BODY_BYTES = 9_437_184
"""Largest body that the API takes."""

BATCH_BYTES = 4_194_304
"""A portion is sent when it has so many bytes."""

BATCH_ITEMS = 5000
"""A portion is sent when it has so many items."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_ITEM = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


class ItemError(ValueError):
    """Something in the file is no item; says where."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A portion: a JSON array, and how many items it has."""

    body: bytes
    count: int


async def read_items(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The items of a text: a JSON array, one object, or an object in each line.

    Parameters
    ----------
    lines
        The lines of the text.

    Raises
    ------
    ItemError
        When something is no object.
    """
    number, first = 0, b""
    while not first:
        line = await anext(lines, None)
        if line is None:
            return
        number += 1
        first = line.removeprefix(BYTE_ORDER_MARK).strip()
    if first.startswith(b"[") or not _is_json(first):
        for item in _whole(b"\n".join([first, *[line async for line in lines]])):
            yield item
        return
    yield _checked(first, f"line {number}")
    async for line in lines:
        number += 1
        if text := line.strip():
            yield _checked(text, f"line {number}")


async def batches(items: AsyncIterator[bytes]) -> AsyncIterator[Batch]:
    """Items in portions, in their order.

    Raises
    ------
    ItemError
        When an item is larger than the API takes.
    """
    portion: list[bytes] = []
    size = number = 0
    async for item in items:
        number += 1
        if len(item) + 2 > MAX_BODY_BYTES:
            raise ItemError(f"item {number} has {len(item):,} bytes, which is more than 9 MB")
        if portion and (size + len(item) > BATCH_BYTES or len(portion) == BATCH_ITEMS):
            yield _batch(portion)
            portion, size = [], 0
        portion.append(item)
        size += len(item) + 1
    if portion:
        yield _batch(portion)


def _batch(portion: list[bytes]) -> Batch:
    return Batch(b"[" + b",".join(portion) + b"]", len(portion))


def _whole(data: bytes) -> Iterator[bytes]:
    """The items of a text that is one JSON value; all are looked at before one is given."""
    if not data.startswith(b"["):
        yield _checked(data, "the text")
        return
    try:
        items = [bytes(item) for item in _ITEMS.decode(data)]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ItemError(f"it is not JSON: {error}") from None
    yield from [_checked(item, f"item {number}") for number, item in enumerate(items, 1)]


def _checked(item: bytes, where: str) -> bytes:
    try:
        _ITEM.decode(item)
    except msgspec.ValidationError:
        raise ItemError(f"{where} is no JSON object") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ItemError(f"{where} is not JSON: {error}") from None
    return item


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
