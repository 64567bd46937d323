"""What was measured: one table for people, and all figures as JSON."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec
from rich.table import Table
from tests.bench.api.client import Sample


class Round(msgspec.Struct, frozen=True):
    """One operation, measured once on both sides."""

    operation: str
    per_second: float
    """Requests a second with all connections."""
    p50: float
    """Milliseconds of a request that is alone."""
    p99: float
    busy_p50: float
    """Milliseconds with all connections."""
    busy_p99: float
    bare_per_second: float
    bare_p50: float
    sql_p50: float | None
    """Milliseconds of the baseline's work without HTTP."""

    @property
    def ratio(self) -> float:
        """How many times the baseline a request takes that is alone."""
        return self.p50 / self.bare_p50


def quantile(latencies: Sequence[float], share: float) -> float:
    """Milliseconds that this share of all answers did not exceed."""
    ordered = sorted(latencies)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1000


def of_samples(
    name: str, alone: Sample, busy: Sample, bare: Sample, bare_busy: Sample, spent: list[float]
) -> Round:
    """Figures of one round."""
    return Round(
        name,
        busy.per_second,
        quantile(alone.latencies, 0.5),
        quantile(alone.latencies, 0.99),
        quantile(busy.latencies, 0.5),
        quantile(busy.latencies, 0.99),
        bare_busy.per_second,
        quantile(bare.latencies, 0.5),
        quantile(spent, 0.5) if spent else None,
    )


def table(rounds: Sequence[Round], units: dict[str, int]) -> Table:
    """Medians of all rounds, with the least and the most of the first figure."""
    made = Table(
        "", "things/s", "least-most", "p50 alone, ms", "p99 alone", "p50 busy", "p99 busy",
        "bare things/s", "bare p50 alone", "SQL p50", "ratio p50", box=None,
    )  # fmt: skip
    for column in made.columns[1:]:
        column.justify = "right"
    for name in dict.fromkeys(one.operation for one in rounds):
        made.add_row(name, *_cells([one for one in rounds if one.operation == name], units[name]))
    return made


def _cells(rounds: Sequence[Round], units: int) -> list[str]:
    def of(field: str, digits: int = 2) -> str:
        found = [getattr(one, field) for one in rounds]
        return "" if None in found else f"{median(found):.{digits}f}"

    rates = sorted(one.per_second * units for one in rounds)
    return [
        f"{median(rates):,.0f}",
        f"{rates[0]:,.0f} - {rates[-1]:,.0f}",
        *(of(field) for field in ("p50", "p99", "busy_p50", "busy_p99")),
        f"{median(one.bare_per_second * units for one in rounds):,.0f}",
        of("bare_p50"),
        of("sql_p50"),
        of("ratio"),
    ]


def as_json(load: float, rounds: Sequence[Round], more: dict[str, Any]) -> bytes:
    """All of it, and the machine's load before."""
    found = {"load": load, "rounds": rounds, **more}
    return msgspec.json.format(msgspec.json.encode(found))
