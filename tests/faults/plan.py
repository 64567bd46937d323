"""Plans: which work is done, and what goes wrong meanwhile. Each is a small YAML file.

workload: succeeds
faults:
- fault: crash
  at: create pods subject-1
  moment: committed
"""

from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import Field
from tests.faults.kinds import (
    Clock,
    Conflict,
    Crash,
    Freeze,
    Outage,
    Part,
    Refuse,
    Reset,
    Seconds,
    Server,
    Silence,
    Slow,
    Twin,
    Watch,
)

Fault = Annotated[
    Crash
    | Freeze
    | Refuse
    | Conflict
    | Silence
    | Reset
    | Outage
    | Watch
    | Slow
    | Clock
    | Twin
    | Server,
    Field(discriminator="fault"),
]
"""One thing that goes wrong."""


class Plan(Part):
    """One run of a workload."""

    workload: str
    """Name of one of `tests.faults.workloads`."""

    faults: tuple[Fault, ...] = ()
    """Each of them strikes once, unless it says otherwise."""

    seed: int = 0
    """For what is left to chance."""

    planted: str = ""
    """A defect that is put into the operator on purpose, see `tests.faults.planted`."""

    patience: Seconds = 120.0
    """For how long users wait for anything; less where it is known to fail."""

    note: str = ""
    """What this plan is kept for."""

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a plan; raises ValueError when it is none."""
        return cls.model_validate(yaml.safe_load(file.read_text()))

    def write(self, file: Path) -> None:
        """Write it as a file that reproduces it."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        for fault, written in zip(self.faults, content.get("faults", ()), strict=True):
            written["fault"] = fault.fault
        file.write_text(yaml.safe_dump(content, sort_keys=False))

    @property
    def name(self) -> str:
        """What it is about, in one line."""
        words = "; ".join(str(fault) for fault in self.faults) or "nothing goes wrong"
        return f"{self.workload}: {words}" + (f" (seed {self.seed})" if self.seed else "")

    @property
    def alone(self) -> bool:
        """Whether it needs an API server of its own, for what it does is done to everybody."""
        return any(isinstance(fault, Server) for fault in self.faults)
