"""What is counted at the moment of a scrape."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry
from tests.support.builders import at

from actor_operator.lifecycle.memory import Ledger, Limits
from actor_operator.metrics import Metrics
from actor_operator.reconcile.census import add_censuses


@dataclass
class FakeInformer:
    """A kind and how long it was silent."""

    kind: str
    seconds: float

    def age(self) -> float:
        return self.seconds


@dataclass
class FakeController:
    """What the controller would tell."""

    ledgers: dict[str, Ledger] = field(default_factory=dict)
    queue: Any = field(
        default_factory=lambda: SimpleNamespace(depth=3, oldest_age=lambda: 1.5),
    )

    @property
    def accounts(self) -> "FakeController":
        return self

    @property
    def claims(self) -> "FakeController":
        return self

    def serves(self, namespace: str) -> bool:
        return namespace != "anothers"

    def census(self) -> dict[tuple[str, ...], float]:
        return {("READY", "Unschedulable"): 2}


def counted(controller: FakeController, *informers: FakeInformer) -> dict[str, float]:
    """The values of the gauges, by name and label values."""
    registry = CollectorRegistry()
    add_censuses(Metrics(registry), cast("Any", controller), cast("Any", informers))
    samples = [sample for family in registry.collect() for sample in family.samples]
    return {
        " ".join([sample.name.removeprefix("actor_operator_"), *sample.labels.values()]): (
            sample.value
        )
        for sample in samples
    }


def a_ledger(limit: int | None) -> Ledger:
    """Of an account with one live and one waiting run of 512 MB."""
    ledger = Ledger(Limits(memory_mbytes=limit, max_runs=1))
    ledger.ask("live", at(0), 512)
    ledger.admit_waiting()
    ledger.ask("waiting", at(1), 512)
    ledger.admit_waiting()
    return ledger


def test_runs_and_the_queue_are_counted() -> None:
    found = counted(FakeController())

    assert found["runs READY Unschedulable"] == 2
    assert found["queue_depth"] == 3
    assert found["queue_age_seconds"] == 1.5


def test_a_kind_that_is_watched_in_several_namespaces_is_as_old_as_the_oldest() -> None:
    found = counted(FakeController(), FakeInformer("Pod", 4.0), FakeInformer("Pod", 2.5))

    assert found["watch_age_seconds Pod"] == 4


def test_accounts_are_told_in_bytes_and_runs() -> None:
    found = counted(FakeController({"team": a_ledger(1024)}))

    assert found["account_memory_used_bytes team"] == 512 * 1024 * 1024
    assert found["account_memory_limit_bytes team"] == 1024 * 1024 * 1024
    assert found["account_runs_live team"] == 1
    assert found["account_runs_waiting team"] == 1


def test_an_account_without_a_limit_has_none() -> None:
    found = counted(FakeController({"team": a_ledger(None)}))

    assert "account_memory_used_bytes team" in found
    assert "account_memory_limit_bytes team" not in found


def test_accounts_of_other_installations_are_not_told() -> None:
    found = counted(FakeController({"anothers": a_ledger(limit=1024)}))

    assert not [name for name in found if "anothers" in name]
