"""Alarms for any number of keys: one heap, one task."""

import asyncio
import heapq
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

LONGEST_SLEEP = 1.0
"""Seconds after which the clock is looked at again: it may be one that jumps."""

SLACK = 1024
"""Outdated entries that the heap may hold beside twice the live ones before it is rebuilt."""


class Timers(Generic[K]):
    """One alarm a key.

    Parameters
    ----------
    on_due
        Called with each key whose time has come.
    now
        The clock in seconds by which times are given, by default the event loop's.
    """

    def __init__(
        self, on_due: Callable[[K], None], *, now: Callable[[], float] | None = None
    ) -> None:
        self._on_due = on_due
        self._now = now or asyncio.get_running_loop().time
        self._due: dict[K, float] = {}
        # The number keeps keys from being compared when their times are equal.
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0
        self._earlier = asyncio.Event()

    def __len__(self) -> int:
        return len(self._due)

    def get(self, key: K) -> float | None:
        """When the key's alarm is due."""
        return self._due.get(key)

    def set(self, key: K, at: float) -> None:
        """Set the key's alarm, in place of an earlier one; what has passed is due at once."""
        if self._due.get(key) == at:
            return
        self._due[key] = at
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, key))
        if len(self._heap) > 2 * len(self._due) + SLACK:
            self._rebuild()
        if self._heap[0][2] == key:
            self._earlier.set()

    def cancel(self, key: K) -> None:
        """Take the key's alarm back, if it has one."""
        self._due.pop(key, None)

    def clear(self) -> None:
        """Take all alarms back."""
        self._due.clear()
        self._heap.clear()

    async def run(self) -> None:
        """Call ``on_due`` for each key in time; never returns."""
        while True:
            self._earlier.clear()
            pause = self._fire_due()
            try:
                async with asyncio.timeout(pause):
                    await self._earlier.wait()
            except TimeoutError:
                continue

    def _fire_due(self) -> float | None:
        """Fire what is due; returns the seconds until the next look, ``None`` without alarms."""
        while self._heap:
            at, _, key = self._heap[0]
            if self._due.get(key) != at:  # cancelled, or set to another time
                heapq.heappop(self._heap)
                continue
            remaining = at - self._now()
            if remaining > 0:
                return min(remaining, LONGEST_SLEEP)
            heapq.heappop(self._heap)
            del self._due[key]
            self._on_due(key)
        return None

    def _rebuild(self) -> None:
        self._heap = [(at, number, key) for number, (key, at) in enumerate(self._due.items())]
        heapq.heapify(self._heap)
        self._count = len(self._heap)
