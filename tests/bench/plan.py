"""How a bench is to be run."""

from dataclasses import dataclass
from pathlib import Path

QUICK = 0.05
"""Share of the objects of a whole measurement that a quick one has."""


@dataclass(frozen=True)
class Plan:
    """How large, how often, and where to."""

    quick: bool
    """Whether it is only tried out: few objects."""
    rounds: int
    """How often each kind's burst is measured."""
    folder: Path
    """For files that are of no use afterwards."""
    results: Path
    """For files that are kept."""

    def sized(self, count: int) -> int:
        """So many objects, or a part of them."""
        return max(10, int(count * QUICK)) if self.quick else count
