"""What runs cost, counted: calls of the API server and looks at a run."""

from typing import Any

from tests.integration.operator.bench import SETTINGS, Bench, Workload

from actor_operator.metrics import PREFIX
from actor_operator.settings import LimitSettings

PATIENT = SETTINGS.model_copy(update={"limits": LimitSettings(hold_back_seconds=60)})
"""On a slow machine a run may wait for a second, which would be told."""

RUNS = 20

MOST_LOOKS = 8
"""At a plain run: it came, its pod has a node, runs, has ended, each of which may be told apart
from what is written of it; what comes at the same time is one."""

CALLS = {
    ("create", "Secret", "201"): 1,
    ("create", "Pod", "201"): 1,
    ("update", "ActorRun/status", "200"): 2,
    ("delete", "Secret", "200"): 1,
}
"""For a plain run, by verb, kind and code; nothing is refused, and nothing is read."""


def counted(bench: Bench, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a metric of the only replica, by its labels."""
    (replica,) = bench.replicas
    found: dict[tuple[str, ...], float] = {}
    for family in replica.operator.metrics.registry.collect():
        for sample in family.samples:
            if sample.name == f"{PREFIX}_{name}":
                found[tuple(sample.labels.values())] = sample.value
    return found


def ends_told(bench: Bench) -> float:
    """How many ends of runs were written and answered."""
    return sum(counted(bench, "runs_finished_total").values())


def calls_of_work(bench: Bench) -> dict[tuple[str, ...], float]:
    """Calls but those of the Lease, of watches and of lists, by verb, kind and code."""
    others: dict[Any, Any] = counted(bench, "api_calls_total")
    return {
        labels: value
        for labels, value in others.items()
        if labels[1] != "Lease" and labels[0] not in {"watch", "list"}
    }


async def test_plain_runs_cost_five_calls_and_a_few_looks_each(bench: Bench) -> None:
    await bench.leading(bench.start(PATIENT))
    # The server knows of an end before its answer has come.
    await bench.drive(Workload())  # the NetworkPolicy and the status of Actors are not counted
    await bench.until("its end is told", lambda: ends_told(bench) == 1)
    calls = calls_of_work(bench)
    (looks,) = counted(bench, "reconcile_seconds_count").values()
    names = [f"run-{number}" for number in range(RUNS)]
    for name in names:
        bench.create(Workload(), name)
    await bench.until("all ends are told", lambda: ends_told(bench) == RUNS + 1)

    made = {labels: value - calls.get(labels, 0) for labels, value in calls_of_work(bench).items()}
    assert {labels: value for labels, value in made.items() if value} == {
        labels: RUNS * times for labels, times in CALLS.items()
    }
    (now,) = counted(bench, "reconcile_seconds_count").values()
    assert 4 * RUNS <= now - looks <= MOST_LOOKS * RUNS
