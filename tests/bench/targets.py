"""What is aimed at, and whether it is met."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.sample import Sample
from typing_extensions import override


@dataclass(frozen=True)
class Target:
    """One aim and what was measured."""

    what: str
    found: float
    limit: float
    unit: str = ""
    least: bool = False
    """Whether the limit is the least, not the most, that is aimed at."""
    why: str = ""
    """What explains the figure, for a target that is not met."""

    @property
    def met(self) -> bool:
        """Whether it is met."""
        return self.found >= self.limit if self.least else self.found <= self.limit

    @override
    def __str__(self) -> str:
        aim = "at least" if self.least else "at most"
        unit = f" {self.unit}" if self.unit else ""
        line = f"{self.what}: {self.found:.3g}{unit}, aimed at {aim} {self.limit:g}{unit}"
        return line if self.met or not self.why else f"{line}. {self.why}"


def summary(targets: Sequence[Target]) -> list[str]:
    """The last lines of the bench: how many are met, and each that is not."""
    missed = [target for target in targets if not target.met]
    first = f"bench: {len(targets) - len(missed)} of {len(targets)} targets met"
    return [first, *(f"  not met: {target}" for target in missed)]


def processor(sample: Sample) -> str:
    """Where the processor time of a measurement went, as a sentence."""
    costs = sample.costs
    spent = sorted(costs.cpu.items(), key=lambda item: -item[1])
    parts = ", ".join(f"{program} {s / sample.count * 1000:.1f}" for program, s in spent)
    return f"{sum(costs.cpu.values()) / costs.seconds:.2f} cores were used; ms for each: {parts}."
