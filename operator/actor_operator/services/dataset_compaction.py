"""Joining the small blocks that single pushes leave behind.

A dataset with a row for each item would be read slowly, and be twice as large. What was pushed is
remembered in memory only: after a restart a dataset is looked at when it is pushed to again.
"""

import asyncio
from collections.abc import Iterator
from functools import partial

from sqlalchemy import Connection

from actor_operator.errors import RetryableError
from actor_operator.log import logger
from actor_operator.storage.blocks import (
    JOIN_LEVEL,
    MAX_ROW_BYTES,
    Block,
    NewBlock,
    pack,
    unpack,
)
from actor_operator.storage.catalog import Catalog, StorageKind
from actor_operator.storage.database import Database
from actor_operator.storage.datasets import DatasetItems

log = logger(__name__)

PUSHES = 128
"""Pushes after which a dataset is looked at."""

REMEMBERED = 10_000
"""Most datasets whose pushes are counted."""

LOOK_BACK = 512
"""Blocks at the end of a dataset that are looked at: what bounds the work of one time."""

SMALL_BYTES = MAX_ROW_BYTES // 2
"""A block that is larger stays as it is."""

FEWEST = 8
"""Fewer neighbours are not worth a transaction."""

MOST_ITEMS = 4096
"""Most items of a joined block, so that one item is still read quickly."""

PAUSE_SECONDS = 1.0
"""Time between two looks at what is to be joined."""


class DatasetCompactor:
    """Joins small blocks.

    Parameters
    ----------
    database
        Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pushes: dict[tuple[int, str], int] = {}
        self._due: dict[tuple[int, str], None] = {}

    def note(self, account: int, dataset: str) -> None:
        """Say that something was pushed."""
        key = (account, dataset)
        pushes = self._pushes.pop(key, 0) + 1
        if pushes < PUSHES:
            self._pushes[key] = pushes
            if len(self._pushes) > REMEMBERED:
                del self._pushes[next(iter(self._pushes))]  # pushed to the longest ago
        else:
            self._due[key] = None

    async def run(self) -> None:
        """Join what is due, for ever."""
        while True:
            await self.compact_due()
            await asyncio.sleep(PAUSE_SECONDS)

    async def compact_due(self) -> None:
        """Join what is due now."""
        while self._due:
            account, dataset = next(iter(self._due))
            del self._due[account, dataset]
            try:
                await self.compact(account, dataset)
            except RetryableError as error:
                # Nothing is lost: the blocks stay as they are until the next pushes.
                log.info("Blocks of a dataset were not joined.", cause=str(error))

    async def compact(self, account: int, dataset: str) -> int:
        """Join small blocks at the end of a dataset.

        Returns
        -------
        int
            How many blocks are gone.

        Raises
        ------
        StaleError
            When another replica has joined them, or the dataset is gone.
        DatabaseUnavailableError
            When the database does not answer.
        """
        row = await self._database.read(
            lambda connection: Catalog(connection, account).get(StorageKind.DATASET, dataset)
        )
        if row is None:
            return 0
        end = row.item_count
        blocks = await self._database.read(
            lambda connection: DatasetItems(connection, account).between(
                dataset, 0, end, most=LOOK_BACK, desc=True
            )
        )
        gone = 0
        for group in _groups(reversed(blocks)):
            joined = await asyncio.to_thread(_join, group)
            if joined.size > MAX_ROW_BYTES:
                continue
            await self._database.write(
                partial(
                    _replace,
                    account=account,
                    dataset=dataset,
                    created_at=row.created_at,
                    old=group,
                    new=joined,
                )
            )
            gone += len(group) - 1
        return gone


def _groups(blocks: Iterator[Block]) -> Iterator[list[Block]]:
    """Neighbours that make a good block together."""
    group: list[Block] = []
    for block in blocks:
        small = block.body is not None and block.size <= SMALL_BYTES
        room = (
            sum(one.size for one in group) + block.size <= MAX_ROW_BYTES
            and sum(one.count for one in group) + block.count <= MOST_ITEMS
        )
        if group and not (small and room):
            if len(group) >= FEWEST:
                yield group
            group = []
        if small:
            group.append(block)
    if len(group) >= FEWEST:
        yield group


def _join(blocks: list[Block]) -> NewBlock:
    lines = [line for block in blocks if block.body is not None for line in unpack(block.body)]
    body = pack(lines, JOIN_LEVEL)
    return NewBlock(len(lines), sum(map(len, lines)), len(body), body)


def _replace(
    connection: Connection,
    *,
    account: int,
    dataset: str,
    created_at: int,
    old: list[Block],
    new: NewBlock,
) -> None:
    DatasetItems(connection, account).replace(dataset, created_at, old, new)
