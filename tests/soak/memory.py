"""Whether processes grow: later ones against earlier ones, each at the same age."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from statistics import median

AGE_SECONDS = 15.0
"""Processes are compared in steps of their age."""

WARM_UP = 0.2
"""The first part of a soak, in which caches fill; it is not compared."""


@dataclass(frozen=True)
class Sample:
    """The memory of one process at one moment."""

    at: float
    """Seconds since the soak began."""

    age: float
    """Seconds since the process began."""

    mbytes: float
    """Its resident memory."""


def growth(samples: Iterable[Sample], seconds: float) -> float | None:
    """By how many percent processes of the second half of the warm phase are larger.

    They are compared with those of its first half that had the same age; the age at which they
    differ most is told, as each may be that of a leak.

    Parameters
    ----------
    samples
        Of all processes.
    seconds
        How long the soak has lasted.

    Returns
    -------
    float or None
        None: no age was reached in both halves, the soak was too short.
    """
    begin = seconds * WARM_UP
    middle = (begin + seconds) / 2
    warm = sorted((s for s in samples if s.at >= begin), key=_step)
    found = []
    for _, group in groupby(warm, key=_step):
        of_one_age = list(group)
        early = [s.mbytes for s in of_one_age if s.at < middle]
        late = [s.mbytes for s in of_one_age if s.at >= middle]
        if early and late:
            found.append(100 * (median(late) / median(early) - 1))
    return max(found, default=None)


def _step(sample: Sample) -> int:
    return int(sample.age // AGE_SECONDS)
