"""One measurement: objects of a contender from their creation to their end, and what they cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.arena import Arena
from tests.bench.contenders import RUNS, Contender
from tests.bench.costs import Costs, Meter, Server
from tests.bench.load import creations, send
from tests.bench.observer import CREATED, ENDED, FINISHED, POD, RUNNING, Moments, Observer

STRETCHES = ((CREATED, POD), (CREATED, RUNNING), (CREATED, FINISHED), (ENDED, FINISHED))
"""What is measured of each object."""

SHARES = (0.5, 0.99)
"""Which quantiles are told."""


@dataclass(frozen=True)
class Sample:
    """What was seen of so many objects."""

    kind: str
    count: int
    moments: Moments
    costs: Costs
    server: Server
    operator_mbytes: float

    @property
    def per_second(self) -> float:
        """How many ended in a second, from the first one's creation to the last one's end."""
        finished, created = self.moments[FINISHED].values(), self.moments[CREATED].values()
        return self.count / (max(finished) - min(created))

    @property
    def operator_ms(self) -> float:
        """Processor time of the operator for one object."""
        return self.costs.cpu["operator"] / self.count * 1000

    def quantile(self, begin: str, end: str, share: float) -> float:
        """Seconds between two moments that this share of all objects did not exceed."""
        return quantile(stretch(self.moments[begin], self.moments[end]), share)


def stretch(begin: dict[str, float], end: dict[str, float]) -> list[float]:
    """Seconds between two moments of all that have both, in ascending order; never below 0.

    Of two watches one may tell later.
    """
    return sorted(max(0.0, end[name] - begin[name]) for name in begin.keys() & end.keys())


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that is not less than this share of all."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def figures(sample: Sample) -> dict[str, float]:
    """The measures by what tables call them; costs are those of one object."""
    found = {"finished per second": sample.per_second}
    for begin, end in STRETCHES:
        for share in SHARES:
            name = f"{begin} → {end}, p{share * 100:g}, ms"
            found[name] = sample.quantile(begin, end, share) * 1000
    costs, count = sample.costs, sample.count
    for program, spent in costs.cpu.items():
        if program != "operator" or sample.kind == RUNS.kind:
            found[f"CPU of {program}, ms"] = spent / count * 1000
    found["bytes in etcd"] = sample.server.stored / count
    found["writes of all programs"] = sample.server.writes.total() / count
    for call, number in sorted(sample.server.writes.items()):
        if number / count > NOTABLE:
            found[f"  {call}"] = number / count
    if sample.kind == RUNS.kind:
        found["RSS of operator, MB"] = sample.operator_mbytes
        found["looks of operator"] = costs.looks / count
        found["calls of operator"] = costs.calls.total() / count
        for call, number in sorted(costs.calls.items()):
            found[f"  operator: {call}"] = number / count
    return found


NOTABLE = 0.05
"""What is written less often for an object is another's: leases, nodes."""


def measure(
    arena: Arena,
    contender: Contender,
    count: int,
    *,
    per_second: float = 0,
    namespaces: Sequence[str] = (),
) -> Sample:
    """Create objects and wait until they have ended.

    Parameters
    ----------
    arena
        Where.
    contender, count
        What.
    per_second
        How many are created a second; 0 for as many as the API server takes.
    namespaces
        In which, in turn; by default in a new one.

    Raises
    ------
    TimeoutError
        They do not end.
    AssertionError
        The API server refuses one.
    """
    places = namespaces or arena.namespaces()
    where = places[0] if len(places) == 1 else None
    meter = Meter(arena)
    with meter, Observer(arena.plane, contender, where) as observer:
        send(arena.plane, creations(contender, places, count), per_second)
        observer.wait(count, seconds=60 + count)
    return Sample(
        contender.kind, count, observer.moments, meter.costs, meter.server, meter.operator_mbytes
    )
