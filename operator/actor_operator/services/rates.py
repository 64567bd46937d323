"""How often somebody may ask: a bucket of tokens for each."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable

MOST_BUCKETS = 10_000
"""Buckets that are kept; the one that was used least lately goes first, which fills it again."""


class Rates:
    """Token buckets by who asks.

    Parameters
    ----------
    per_second
        Requests a second in the long run.
    burst
        Requests at once after a quiet time.
    now
        Seconds of a clock that only goes forwards.
    """

    def __init__(self, *, per_second: float, burst: int, now: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._now = now
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, who: str) -> bool:
        """Whether one more request is allowed; it counts if it is."""
        # Not the text itself: it may be a token, and megabytes long.
        key = hashlib.blake2b(who.encode(), digest_size=16).digest()
        now = self._now()
        left, at = self._buckets.pop(key, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._per_second)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return allowed
