"""What is counted at the moment of a scrape: runs, accounts, queue, watches."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from actor_operator.engine.informer import Informer
from actor_operator.lifecycle.memory import Ledger
from actor_operator.metrics import (
    ACCOUNT_LIVE,
    ACCOUNT_MEMORY_LIMIT,
    ACCOUNT_MEMORY_USED,
    ACCOUNT_WAITING,
    RUNS,
    WATCH_AGE,
    Metrics,
)
from actor_operator.quantities import MEBIBYTE
from actor_operator.reconcile.controller import RunController

Counts = Mapping[tuple[str, ...], float]
"""Numbers by the values of their labels."""


def add_censuses(
    metrics: Metrics, controller: RunController, informers: Iterable[Informer[Any]]
) -> None:
    """Let the gauges count what there is."""
    metrics.queue_depth.set_function(lambda: controller.queue.depth)
    metrics.queue_age.set_function(controller.queue.oldest_age)
    metrics.census(RUNS, controller.census)
    metrics.census(WATCH_AGE, lambda: watch_ages(informers))

    def of_accounts(count: Callable[[Ledger], float | None]) -> Callable[[], Counts]:
        return lambda: account_counts(controller.accounts.ledgers, count, controller.claims.serves)

    metrics.census(ACCOUNT_MEMORY_USED, of_accounts(lambda one: one.used_mbytes * MEBIBYTE))
    metrics.census(ACCOUNT_MEMORY_LIMIT, of_accounts(_limit_bytes))
    metrics.census(ACCOUNT_LIVE, of_accounts(lambda one: one.live))
    metrics.census(ACCOUNT_WAITING, of_accounts(lambda one: one.waiting))


def watch_ages(informers: Iterable[Informer[Any]]) -> Counts:
    """The age of each kind: of the oldest, where a kind is watched in several namespaces."""
    ages: dict[tuple[str, ...], float] = {}
    for informer in informers:
        kind = (informer.kind,)
        ages[kind] = max(ages.get(kind, 0.0), informer.age())
    return ages


def account_counts(
    ledgers: Mapping[str, Ledger],
    count: Callable[[Ledger], float | None],
    serves: Callable[[str], bool],
) -> Counts:
    """A number of each account of ours that has one."""
    numbers = {(name,): count(ledger) for name, ledger in ledgers.items() if serves(name)}
    return {name: number for name, number in numbers.items() if number is not None}


def _limit_bytes(ledger: Ledger) -> float | None:
    limit = ledger.limits.memory_mbytes
    return None if limit is None else limit * MEBIBYTE
