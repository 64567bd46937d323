"""What was measured: tables for people, and all of it as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from rich.table import Table
from tests.bench.contenders import JOBS, RUNS
from tests.bench.sample import Sample, figures
from tests.bench.targets import Target


@dataclass(frozen=True)
class Outcome:
    """What a scenario found."""

    tables: Sequence[Table]
    targets: Sequence[Target]
    raw: Any
    """Everything that was measured."""
    notes: Sequence[str] = field(default_factory=tuple)
    """Sentences below the tables."""


def columns(title: str, named: Mapping[str, Mapping[str, float]]) -> Table:
    """A table with one column for each of some measurements."""
    made = Table(title, *named, box=None)
    made.columns[0].no_wrap = True
    for column in made.columns[1:]:
        column.justify = "right"
    for row in dict.fromkeys(row for found in named.values() for row in found):
        made.add_row(row, *(_cell(found.get(row)) for found in named.values()))
    return made


def side_by_side(title: str, samples: Sequence[Sample]) -> Table:
    """Medians of runs and of Jobs with their spread, and the ratio of the medians."""
    found = {
        kind: [figures(sample) for sample in samples if sample.kind == kind]
        for kind in (RUNS.kind, JOBS.kind)
    }
    made = Table(title, *found, "ratio", box=None)
    made.columns[0].no_wrap = True
    for column in made.columns[1:]:
        column.justify = "right"
    for row in dict.fromkeys(row for rounds in found.values() for one in rounds for row in one):
        values = [[one[row] for one in rounds if row in one] for rounds in found.values()]
        made.add_row(row, *(_spread(each) for each in values), _ratio(*values))
    return made


def write(path: Path, content: Any) -> None:
    """Write all that was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content)))


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    middle = _cell(median(values))
    return middle if len(values) == 1 else f"{middle} ({_cell(min(values))}-{_cell(max(values))})"


def _ratio(runs: Sequence[float], jobs: Sequence[float]) -> str:
    return f"{median(runs) / median(jobs):.2f}" if runs and jobs and median(jobs) else ""
