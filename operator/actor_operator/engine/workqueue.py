"""Keys that need work, each at most once in line and never worked on twice at the same time."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from actor_operator.engine.backoff import Backoff

K = TypeVar("K", bound=Hashable)

RETRY = Backoff(first=0.2, cap=60.0)
"""Pauses before a key that failed is worked on again."""

PASSING = Backoff(first=0.2, cap=10.0)
"""The same when the failure passes by itself: work goes on soon after a long outage."""


class WorkQueue(Generic[K]):
    """A queue for one event loop.

    Parameters
    ----------
    backoff
        Pauses after failures of a key.
    now
        Monotonic time in seconds, by default the event loop's.
    """

    def __init__(self, *, backoff: Backoff = RETRY, now: Callable[[], float] | None = None) -> None:
        self._backoff = backoff
        self._now = now or asyncio.get_running_loop().time
        # Each line maps a key to the time since when it waits.
        self._urgent: OrderedDict[K, float] = OrderedDict()
        self._normal: OrderedDict[K, float] = OrderedDict()
        self._processing: set[K] = set()
        self._again: dict[K, bool] = {}  # asked for while being worked on → urgent?
        self._failures: dict[K, int] = {}
        self._retries: dict[K, asyncio.TimerHandle] = {}
        self._idle: deque[asyncio.Future[None]] = deque()

    @property
    def depth(self) -> int:
        """Keys in line."""
        return len(self._urgent) + len(self._normal)

    @property
    def processing(self) -> int:
        """Keys being worked on."""
        return len(self._processing)

    @property
    def retrying(self) -> int:
        """Keys that wait for the pause after a failure."""
        return len(self._retries)

    def oldest_age(self) -> float:
        """Seconds since when the oldest key in line waits; 0 without one."""
        oldest = min((*self._urgent.values(), *self._normal.values()), default=self._now())
        return max(0.0, self._now() - oldest)

    def add(self, key: K, *, urgent: bool = False) -> None:
        """Ask for work on a key; urgent ones go before all others."""
        if key in self._processing:
            self._again[key] = urgent or self._again.get(key, False)
            return
        waiting = key in self._urgent or key in self._normal
        if urgent:
            # What waited in the other line moves over and keeps its age.
            self._urgent.setdefault(key, self._normal.pop(key, self._now()))
        elif not waiting:
            self._normal[key] = self._now()
        if not waiting:
            self._wake_one()

    async def get(self) -> K:
        """Wait for the next key and take it; it must be given back with :meth:`done`."""
        while not self.depth:
            await self._arrival()
        key, _ = (self._urgent or self._normal).popitem(last=False)
        self._cancel_retry(key)
        self._processing.add(key)
        return key

    def done(self, key: K) -> None:
        """Give a key back; it goes in line again if it was asked for meanwhile."""
        self._processing.discard(key)
        if key in self._again:
            self.add(key, urgent=self._again.pop(key))

    def retry(self, key: K, backoff: Backoff | None = None) -> float:
        """Ask for work on a key that failed, after a pause that grows with each failure.

        Parameters
        ----------
        key
            Which.
        backoff
            Other pauses than the queue's.

        Returns
        -------
        float
            The pause in seconds.
        """
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = (backoff or self._backoff).delay(failures)
        self.add_later(key, delay)
        return delay

    def add_later(self, key: K, seconds: float) -> None:
        """Ask for work on a key after a pause; an earlier such wish for it is forgotten."""
        self._cancel_retry(key)
        loop = asyncio.get_running_loop()
        self._retries[key] = loop.call_later(seconds, self._retry_now, key)

    def failures(self, key: K) -> int:
        """How often the key failed in a row."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """The key went well: the next failure is its first."""
        self._failures.pop(key, None)

    def clear(self) -> None:
        """Drop everything but what is being worked on."""
        self._urgent.clear()
        self._normal.clear()
        self._again.clear()
        self._failures.clear()
        for key in list(self._retries):
            self._cancel_retry(key)

    async def _arrival(self) -> None:
        """Wait to be woken; one worker for each key, for waking all of them is dear."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(woken)
        try:
            await woken
        except asyncio.CancelledError:
            if woken.done() and not woken.cancelled():
                self._wake_one()  # the key that this worker was woken for is another's now
            raise

    def _wake_one(self) -> None:
        while self._idle:
            woken = self._idle.popleft()
            if not woken.done():
                woken.set_result(None)
                return

    def _retry_now(self, key: K) -> None:
        del self._retries[key]
        self.add(key)

    def _cancel_retry(self, key: K) -> None:
        handle = self._retries.pop(key, None)
        if handle is not None:
            handle.cancel()
