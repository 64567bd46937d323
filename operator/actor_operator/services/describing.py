"""Pages of lists, described without holding up the event loop."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
D = TypeVar("D")

FEW = 50
"""Rows that are described at once: less than 3 ms. A page may have thousands."""


async def describe_all(describe: Callable[[T], D], rows: Sequence[T]) -> list[D]:
    """Describe each row; many of them in a thread, which lets the event loop go on.

    Parameters
    ----------
    describe
        Describes one; it must touch nothing else.
    rows
        All of the page.
    """
    if len(rows) <= FEW:
        return [describe(row) for row in rows]
    return await asyncio.to_thread(lambda: [describe(row) for row in rows])
