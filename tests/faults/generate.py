"""Makes plans of what a workload writes when nothing goes wrong."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from tests.faults.kinds import (
    Clock,
    Conflict,
    Crash,
    Disturbance,
    Does,
    Freeze,
    Moment,
    Outage,
    Refuse,
    Reset,
    Server,
    Silence,
    Slow,
    Twin,
    Watch,
)
from tests.faults.plan import Fault, Plan

CRASHES = (Moment.BEFORE, Moment.COMMITTED, Moment.ANSWERED)
"""F1, F2, F3."""

KINDS = (("actorruns",), ("pods",), ("actorruns", "pods"), ("services", "ingresses"))
"""Watches that something happens to."""


def crashes(workload: str, writes: Sequence[str]) -> Iterator[Plan]:
    """F1-F3 at each write."""
    for point in writes:
        for moment in CRASHES:
            yield Plan(workload=workload, faults=(Crash(at=point, moment=moment),))


def errors(workload: str, writes: Sequence[str]) -> Iterator[Plan]:
    """F4-F8 and F23 at each write."""
    for point in writes:
        for fault in _errors(point):
            yield Plan(workload=workload, faults=(fault,))


def _errors(point: str) -> Iterator[Fault]:
    if point.startswith("update"):
        yield Conflict(at=point)
        yield Conflict(at=point, times=3)
    yield Refuse(at=point, code=429, retry_after=1)
    yield Refuse(at=point, code=429)
    yield Refuse(at=point, code=500, applied=True)
    for code, times in ((500, 1), (502, 3), (503, 1), (504, 3), (503, 4)):
        yield Refuse(at=point, code=code, times=times)
    yield Silence(at=point)
    yield Silence(at=point, applied=True)
    yield Reset(at=point)
    yield Reset(at=point, moment=Moment.COMMITTED)
    yield Reset(at=point, moment=Moment.DURING)
    yield Crash(at=point, moment=Moment.BEFORE, signal="TERM")


def watches(
    workload: str, writes: Sequence[str], kinds_of_each: Sequence[tuple[str, ...]] = KINDS
) -> Iterator[Plan]:
    """F11-F15 and F17, from each write on."""
    for point in writes:
        for does in Does:
            for kinds in kinds_of_each:
                seconds = 3.0 if does in {Does.STALL, Does.DELAY} else 1.0
                fault = Watch(at=point, does=does, kinds=kinds, seconds=seconds)
                yield Plan(workload=workload, faults=(fault,))


def others(workload: str, writes: Sequence[str]) -> Iterator[Plan]:
    """F6, F9, F10 for a time, F20, F21 and F22."""
    for point in writes:
        for code in (401, 403, 503):
            yield Plan(workload=workload, faults=(Outage(at=point, code=code, seconds=3),))
        yield Plan(workload=workload, faults=(Twin(), Crash(at=point, away=20)))
        yield Plan(workload=workload, faults=(Twin(), Freeze(at=point, seconds=12)))
    for seed in range(3):
        yield Plan(workload=workload, seed=seed, faults=(Slow(least=0.05, most=1.0),))
    for seconds in (1, 300, -300):
        yield Plan(workload=workload, faults=(Clock(before=seconds, after=seconds),))
        yield Plan(workload=workload, faults=(Clock(after=seconds, jump=2),))


def pairs(workload: str, writes: Sequence[str], chance: random.Random) -> Iterator[Plan]:
    """Two faults that meet, each at another request, by chance, without end."""
    while True:
        points = chance.sample(writes, min(2, len(writes)))
        faults = (chance.choice(_single(workload, point)) for point in points)
        yield Plan(workload=workload, faults=tuple(faults))


def _single(workload: str, point: str) -> list[Fault]:
    made = (make(workload, [point]) for make in (crashes, errors, watches))
    return [plan.faults[0] for plans in made for plan in plans]


def servers(workload: str, writes: Sequence[str], chance: random.Random) -> Iterator[Plan]:
    """F16 and F18, by chance, without end."""
    while True:
        does: Disturbance = chance.choice(get_args(Disturbance))
        fault = Server(at=chance.choice(writes), does=does, seconds=chance.choice((1, 5)))
        yield Plan(workload=workload, faults=(fault,))


def campaign(writes: Mapping[str, Sequence[str]], count: int, seed: int) -> list[Plan]:
    """So many plans: each single fault as far as it goes, chosen by chance, then pairs of them.

    Parameters
    ----------
    writes
        The points of each workload.
    count
        How many.
    seed
        Of the choice.
    """
    chance = random.Random(seed)  # noqa: S311 -- no secret
    single = [
        plan
        for workload, points in writes.items()
        for make in (crashes, errors, watches, others)
        for plan in make(workload, points)
    ]
    chance.shuffle(single)
    chosen = single[: count * 4 // 5]
    restarts = [servers(workload, points, chance) for workload, points in writes.items()]
    chosen += [next(chance.choice(restarts)) for _ in range(count // 100)]
    endless = [pairs(workload, points, chance) for workload, points in writes.items()]
    chosen += [next(chance.choice(endless)) for _ in range(count - len(chosen))]
    return [plan.model_copy(update={"seed": chance.randrange(1_000_000)}) for plan in chosen]
