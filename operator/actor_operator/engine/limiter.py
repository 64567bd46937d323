"""A limit on how many writes a second are sent."""

import asyncio
from collections.abc import Callable

LONGEST_PAUSE = 10.0
"""Seconds; longer wishes of the server are cut, because runs have deadlines to be kept."""


class TokenBucket:
    """Lets ``rate`` calls a second pass, and up to ``burst`` at once after a quiet time.

    Parameters
    ----------
    rate
        Calls a second in the long run.
    burst
        Calls that may pass at once.
    now
        Monotonic time in seconds, by default the event loop's.
    """

    def __init__(self, *, rate: float, burst: int, now: Callable[[], float] | None = None) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now or asyncio.get_running_loop().time
        self._tokens = float(burst)
        self._filled_at = self._now()
        self._closed_until = self._filled_at

    async def acquire(self) -> None:
        """Return when one more call may be made; callers pass in the order in which they came."""
        self._fill()
        # Below zero is a debt: whoever comes next waits until those before have been served.
        self._tokens -= 1
        try:
            await asyncio.sleep(max(0.0, -self._tokens / self._rate))
            while (closed := self._closed_until - self._now()) > 0:  # noqa: ASYNC110 -- time, no event
                await asyncio.sleep(closed)
        except asyncio.CancelledError:
            self._tokens += 1
            raise

    def pause(self, seconds: float) -> None:
        """Let nothing pass for that long."""
        until = self._now() + min(seconds, LONGEST_PAUSE)
        self._closed_until = max(self._closed_until, until)

    def _fill(self) -> None:
        now = self._now()
        gained = (now - self._filled_at) * self._rate
        self._tokens = min(float(self._burst), self._tokens + gained)
        self._filled_at = now
