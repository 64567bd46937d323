"""Blocks of items: JSON lines, compressed.

An item is kept as the text that its author sent, so that no number changes on the way.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

MAX_ROW_BYTES = 32_768
"""Largest block that is kept in its row; larger ones go to the object store."""

PUSH_LEVEL = 1
"""How hard zlib works while somebody waits."""

JOIN_LEVEL = 6
"""How hard zlib works in the background."""


@dataclass(frozen=True, slots=True)
class NewBlock:
    """Items to be appended.

    Parameters
    ----------
    count
        How many items.
    inflated
        Bytes of their text.
    size
        Bytes of the block.
    body
        The block, when it is kept in the row.
    object_key
        Where it is in the object store otherwise.
    """

    count: int
    inflated: int
    size: int
    body: bytes | None = None
    object_key: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is there.

    Parameters
    ----------
    first
        Number of its first item in the dataset.
    count
        How many items.
    size
        Bytes of the block.
    body
        The block, when it is kept in the row.
    object_key
        Where it is in the object store otherwise.
    """

    first: int
    count: int
    size: int
    body: bytes | None
    object_key: str | None

    @property
    def end(self) -> int:
        """Number of the item after the last one."""
        return self.first + self.count


def pack(lines: Sequence[bytes], level: int = PUSH_LEVEL) -> bytes:
    """Make a block of items, of which none has a line break in its text."""
    return zlib.compress(b"\n".join(lines), level)


def unpack(body: bytes) -> list[bytes]:
    """The items of a block."""
    return zlib.decompress(body).split(b"\n")
