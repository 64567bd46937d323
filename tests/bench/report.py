"""What bursts say: one table for people, and everything that was measured as JSON."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import msgspec
from rich.table import Table
from tests.bench.burst import Burst
from tests.bench.contenders import JOBS, RUNS


def figures(burst: Burst) -> dict[str, float]:
    """The measures of one burst by what the table calls them; costs are those of one object."""
    moments = burst.moments
    created, pod, finished = moments.created, moments.pod, moments.finished
    count = len(finished)
    to_pod = sorted(pod[name] - created[name] for name in finished)
    to_end = sorted(finished[name] - created[name] for name in finished)
    found = {
        "finished per second": count / (max(finished.values()) - min(created.values())),
        "created → pod, p50, ms": _quantile(to_pod, 0.5) * 1000,
        "created → pod, p99, ms": _quantile(to_pod, 0.99) * 1000,
        "created → finished, p50, ms": _quantile(to_end, 0.5) * 1000,
        "created → finished, p99, ms": _quantile(to_end, 0.99) * 1000,
    }
    for program, seconds in sorted(burst.costs.cpu.items()):
        if program != "operator" or burst.kind == RUNS.kind:
            found[f"CPU of {program}, ms"] = seconds / count * 1000
    if burst.kind == RUNS.kind:
        found["RSS of operator, MB"] = burst.operator_mbytes
        found["writes of operator"] = burst.costs.writes.total() / count
        for what, number in sorted(burst.costs.writes.items()):
            found[f"  {what}"] = number / count
    return found


def table(bursts: Sequence[Burst]) -> Table:
    """One column a burst; the last is the mean of all runs over the mean of all Jobs."""
    columns = [figures(burst) for burst in bursts]
    rows = dict.fromkeys(row for column in columns for row in column)
    made = Table("", *(burst.kind for burst in bursts), "ratio", box=None)
    made.columns[0].no_wrap = True
    for column in made.columns[1:]:
        column.justify = "right"
    for row in rows:
        cells = [f"{column[row]:.1f}" if row in column else "" for column in columns]
        made.add_row(row, *cells, _ratio(bursts, row))
    return made


def write(path: Path, load: float, bursts: Sequence[Burst]) -> None:
    """Write all that was measured, and the machine's load before."""
    found = {"load": load, "bursts": bursts}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found)))


def _ratio(bursts: Sequence[Burst], row: str) -> str:
    """Runs over Jobs, empty where Jobs have no such row or need nothing."""
    runs, jobs = (
        fmean(figures(burst).get(row, 0.0) for burst in bursts if burst.kind == contender.kind)
        for contender in (RUNS, JOBS)
    )
    return f"{runs / jobs:.2f}" if jobs else ""


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that is not less than this share of all."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
