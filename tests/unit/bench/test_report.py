"""The figures of a burst."""

from collections import Counter

import pytest
from rich.console import Console
from tests.bench.burst import Burst
from tests.bench.costs import Costs
from tests.bench.observer import Moments
from tests.bench.report import figures, table


def a_burst(kind: str, *, count: int = 100, step: float = 0.01) -> Burst:
    """Objects that came at once; the n-th got its pod after n steps and ended a second later."""
    names = [f"x-{number}" for number in range(1, count + 1)]
    pods = {name: number * step for number, name in enumerate(names, 1)}
    moments = Moments(dict.fromkeys(names, 0.0), pods, {n: at + 1 for n, at in pods.items()})
    writes = Counter({"create Pod": count, "update ActorRun/status": 2 * count})
    return Burst(kind, moments, Costs({"operator": 0.2, "kube-apiserver": 4.0}, writes), 80.0)


def test_times_are_in_ms_and_costs_are_those_of_one_object() -> None:
    found = figures(a_burst("ActorRun"))

    assert found["finished per second"] == pytest.approx(100 / 2)
    assert found["created → pod, p50, ms"] == pytest.approx(500)
    assert found["created → pod, p99, ms"] == pytest.approx(990)
    assert found["created → finished, p99, ms"] == pytest.approx(1990)
    assert found["CPU of operator, ms"] == pytest.approx(2)
    assert found["CPU of kube-apiserver, ms"] == pytest.approx(40)
    assert found["writes of operator"] == 3
    assert found["  create Pod"] == 1


def test_jobs_have_no_figures_of_the_operator() -> None:
    assert not [row for row in figures(a_burst("Job")) if "operator" in row]


def test_the_last_column_is_the_mean_of_all_runs_over_that_of_all_jobs() -> None:
    bursts = [a_burst("ActorRun"), a_burst("Job", step=0.02), a_burst("ActorRun", step=0.03)]
    console = Console(width=120)
    with console.capture() as captured:
        console.print(table(bursts))

    (row,) = (line for line in captured.get().splitlines() if "created → pod, p50" in line)
    assert row.split()[-4:] == ["500.0", "1000.0", "1500.0", "1.00"]
