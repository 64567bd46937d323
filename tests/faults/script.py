"""Which faults strike which request of one plan: counts the operator's requests."""

from collections import Counter
from dataclasses import dataclass, field

from tests.faults.kinds import AtPoint
from tests.faults.points import Asked, Pattern


@dataclass(slots=True, eq=False)
class Armed:
    """One fault that waits for its requests."""

    fault: AtPoint
    pattern: Pattern
    times: int
    """How many requests it strikes."""

    seen: int = 0
    """How many requests were those meant."""

    @classmethod
    def of(cls, fault: AtPoint) -> "Armed":
        """A fault as its plan has it."""
        return cls(fault, Pattern.parse(fault.at), getattr(fault, "times", 1))

    def takes(self, asked: Asked) -> bool:
        """Whether it strikes this request; counts it."""
        if not self.pattern.matches(asked):
            return False
        self.seen += 1
        return self.pattern.nth <= self.seen < self.pattern.nth + self.times

    @property
    def struck(self) -> bool:
        """Whether it has struck once."""
        return self.seen >= self.pattern.nth


@dataclass(slots=True)
class Trace:
    """What the operator asked for, over all its processes."""

    writes: list[str] = field(default_factory=list)
    """Points of writes that runs depend on, in their order."""

    _count: Counter[str] = field(default_factory=Counter)

    def note(self, asked: Asked) -> None:
        """Note a request."""
        if asked.is_work:
            self._count[str(asked)] += 1
            self.writes.append(f"{asked} #{self._count[str(asked)]}")
