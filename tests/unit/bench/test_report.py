"""The figures of a measurement, the tables, and the last lines of the bench."""

from collections import Counter

import pytest
from rich.console import Console
from tests.bench.costs import Costs, Server
from tests.bench.observer import CREATED, ENDED, FINISHED, POD, RUNNING
from tests.bench.report import side_by_side
from tests.bench.sample import Sample, figures, stretch
from tests.bench.scenarios.accounts import most_at_once
from tests.bench.targets import Target, summary


def a_sample(kind: str, *, count: int = 100, step: float = 0.01) -> Sample:
    """Objects that came at once; the n-th got its pod after n steps and ended a second later."""
    names = [f"x-{number}" for number in range(1, count + 1)]
    pods = {name: number * step for number, name in enumerate(names, 1)}
    ends = {name: at + 1 for name, at in pods.items()}
    moments = {
        CREATED: dict.fromkeys(names, 0.0),
        POD: pods,
        RUNNING: pods,
        ENDED: ends,
        FINISHED: ends,
    }
    calls = Counter({"create Pod": count, "update Run/status": 2 * count, "get Pod": count})
    costs = Costs(10.0, {"operator": 0.2, "kube-apiserver": 4.0}, calls, 5.0 * count)
    server = Server(Counter({"POST pods": count, "PUT leases": 3}), 9000 * count)
    return Sample(kind, count, moments, costs, server, 80.0)


def test_times_are_in_ms_and_costs_are_those_of_one_object() -> None:
    found = figures(a_sample("ActorRun"))

    assert found["finished per second"] == pytest.approx(100 / 2)
    assert found["created → pod, p50, ms"] == pytest.approx(500)
    assert found["created → pod, p99, ms"] == pytest.approx(990)
    assert found["created → finished, p99, ms"] == pytest.approx(1990)
    assert found["pod ended → finished, p99, ms"] == 0
    assert found["CPU of operator, ms"] == pytest.approx(2)
    assert found["CPU of kube-apiserver, ms"] == pytest.approx(40)
    assert found["bytes in etcd"] == 9000
    assert found["looks of operator"] == 5
    assert found["  operator: create Pod"] == 1


def test_writes_of_the_operator_are_its_calls_without_those_that_read() -> None:
    costs = a_sample("ActorRun").costs
    costs.calls.update({"get Pod, HTTP 404": 7, "delete Secret, HTTP 404": 2})

    assert costs.writes == 302
    assert costs.refused == 2


def test_what_is_seldom_written_is_not_listed_with_an_object() -> None:
    found = figures(a_sample("Job"))

    assert found["  POST pods"] == 1
    assert "  PUT leases" not in found


def test_jobs_have_no_figures_of_the_operator() -> None:
    assert not [row for row in figures(a_sample("Job")) if "operator" in row]


def test_what_a_second_watch_told_earlier_took_no_time() -> None:
    assert stretch({"a": 2.0, "b": 1.0, "c": 1.0}, {"a": 1.9, "b": 1.5}) == [0.0, 0.5]


def test_the_columns_are_medians_with_their_spread_and_their_ratio() -> None:
    steps = {"ActorRun": (0.01, 0.05, 0.02), "Job": (0.02, 0.02, 0.06)}
    samples = [a_sample(kind, step=step) for kind, each in steps.items() for step in each]
    console = Console(width=160)
    with console.capture() as captured:
        console.print(side_by_side("burst", samples))

    (row,) = (line for line in captured.get().splitlines() if "created → pod, p50" in line)
    assert row.split("ms")[1].split() == [
        *("1000.0", "(500.0-2500.0)"),
        *("1000.0", "(1000.0-3000.0)"),
        "1.00",
    ]


def test_the_last_lines_tell_how_many_targets_are_met_and_why_others_are_not() -> None:
    targets = [
        Target("memory", 90, 150, "MB"),
        Target("speed", 0.8, 1.2, least=True, why="The processor is busy."),
    ]

    assert summary(targets) == [
        "bench: 1 of 2 targets met",
        "  not met: speed: 0.8, aimed at at least 1.2. The processor is busy.",
    ]


def test_a_target_is_met_at_its_limit() -> None:
    assert Target("most", 2, 2).met
    assert Target("least", 2, 2, least=True).met


def test_runs_of_an_account_are_counted_between_their_pods_and_their_ends() -> None:
    moments = {
        POD: {"a/1": 0.0, "a/2": 1.0, "a/3": 3.0, "b/1": 0.0},
        FINISHED: {"a/1": 2.0, "a/2": 4.0, "a/3": 5.0, "b/1": 9.0},
    }

    assert most_at_once(moments, ENDED) == 0
    assert most_at_once(moments, FINISHED) == 2
