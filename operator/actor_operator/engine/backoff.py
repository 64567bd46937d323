"""Growing pauses between attempts."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from ``first`` to ``cap`` seconds, each shortened at random by up to half.

    The chance keeps many that failed together from coming back together.
    """

    first: float
    cap: float

    def delay(self, failures: int) -> float:
        """Seconds to wait after that many failures in a row (1 for the first)."""
        # The exponent is bounded: 2.0 ** 2000 is an error, and 2 ** 60 is more than any cap.
        whole = min(self.cap, self.first * 2.0 ** min(max(failures - 1, 0), 60))
        return whole * random.uniform(0.5, 1.0)  # noqa: S311 -- nothing secret depends on it
