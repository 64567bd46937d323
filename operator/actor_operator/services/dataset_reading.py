"""Reading items of a dataset block by block, whatever is appended meanwhile.

What is read is settled at the beginning: the items of certain numbers. Blocks may be joined while
reading goes on, but an item keeps its number.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from actor_operator.errors import StaleError
from actor_operator.services.access import StorageRef
from actor_operator.storage.blocks import Block, unpack
from actor_operator.storage.database import Database
from actor_operator.storage.datasets import DatasetItems
from actor_operator.storage.objects import ObjectStore

BLOCKS_AT_ONCE = 64
"""Most blocks of one query: 2 MiB of compressed items."""

PORTION_BYTES = 65_536
"""Compressed bytes that are worked on at once, but for one block that is larger."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which items are wanted.

    Parameters
    ----------
    start
        Number of the first one, counted from the oldest.
    end
        Number after the last one.
    desc
        Whether the newest come first.
    """

    start: int
    end: int
    desc: bool = False


@dataclass(frozen=True, slots=True)
class Portion:
    """Some blocks with items that are wanted.

    Parameters
    ----------
    parts
        The blocks' bodies, each with the positions of the wanted items in it.
    desc
        Whether the items of a block are given from the last one to the first.
    """

    parts: tuple[tuple[bytes, int, int], ...]
    desc: bool

    @property
    def size(self) -> int:
        """Compressed bytes."""
        return sum(len(body) for body, _, _ in self.parts)

    @property
    def count(self) -> int:
        """How many items are wanted."""
        return sum(end - first for _, first, end in self.parts)

    def lines(self) -> list[bytes]:
        """The text of each item."""
        found: list[bytes] = []
        for body, first, end in self.parts:
            lines = unpack(body)[first:end]
            found.extend(reversed(lines) if self.desc else lines)
        return found


class DatasetReader:
    """Reads items.

    Parameters
    ----------
    database
        Where the blocks are.
    objects
        Where large ones are.
    """

    def __init__(self, database: Database, objects: ObjectStore) -> None:
        self._database = database
        self._objects = objects

    async def portions(self, dataset: StorageRef, window: Window) -> AsyncIterator[Portion]:
        """The items of a window, in portions.

        Raises
        ------
        StaleError
            When the dataset was deleted meanwhile.
        DatabaseUnavailableError, ObjectStoreUnavailableError
            When they cannot be read now.
        """
        start, end = window.start, window.end
        while start < end:
            blocks = await self._blocks(dataset, start, end, desc=window.desc)
            parts: list[tuple[bytes, int, int]] = []
            for block in blocks:
                body = await self._body(block)
                if parts and sum(len(one) for one, _, _ in parts) + len(body) > PORTION_BYTES:
                    yield Portion(tuple(parts), window.desc)
                    parts = []
                first, last = max(start, block.first), min(end, block.end)
                parts.append((body, first - block.first, last - block.first))
                if window.desc:
                    end = first
                else:
                    start = last
            yield Portion(tuple(parts), window.desc)

    async def _blocks(
        self, dataset: StorageRef, start: int, end: int, *, desc: bool
    ) -> list[Block]:
        blocks = await self._database.read(
            lambda connection: DatasetItems(connection, dataset.account).between(
                dataset.id, start, end, most=BLOCKS_AT_ONCE, desc=desc
            )
        )
        wanted = end - 1 if desc else start
        if not blocks or not blocks[0].first <= wanted < blocks[0].end:
            raise StaleError("The dataset was deleted while it was read.")
        return blocks

    async def _body(self, block: Block) -> bytes:
        if block.body is not None:
            return block.body
        assert block.object_key is not None  # noqa: S101 -- a block has one of the two
        stream = await self._objects.get(block.object_key)
        return b"".join([chunk async for chunk in stream])
