"""How late the event loop is: the first sign of blocking calls and of too much work."""

import asyncio
from collections.abc import Callable

INTERVAL = 1.0
"""Seconds between two measurements."""


async def measure_loop_lag(observe: Callable[[float], None], interval: float = INTERVAL) -> None:
    """Tell again and again how many seconds later than asked for the loop came back.

    Parameters
    ----------
    observe
        Told each measurement.
    interval
        Seconds between two of them.
    """
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + interval
        await asyncio.sleep(interval)
        observe(max(0.0, loop.time() - due))
