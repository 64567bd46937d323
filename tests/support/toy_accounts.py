"""Accounts for tests without an event loop: the real decisions, and nobody who writes statuses."""

from typing import Any, cast

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.clock import Clock
from actor_operator.engine.store import Store
from actor_operator.reconcile.account import AccountController
from actor_operator.settings_groups import AccountSettings


class SilentStatuses:
    """Stands for what writes the statuses of accounts."""

    def start_leading(self, judge: object) -> None:
        """Nothing to write."""

    async def stop_leading(self, grace: float) -> bool:
        """Nothing to stop."""
        return True

    def ask(self, name: str) -> None:
        """Nothing to tell."""


def a_controller(
    *,
    runs: Store[RunView | FinishedRun],
    pods: Store[PodView],
    clock: Clock,
    accounts: Store[AccountView] | None = None,
    limit: int | None = None,
) -> AccountController:
    """Decides on memory; without a limit of the installation all are admitted."""
    return AccountController(
        runs=runs,
        pods=pods,
        accounts=Store() if accounts is None else accounts,
        statuses=cast("Any", SilentStatuses()),
        settings=AccountSettings(memory_limit_mbytes=limit),
        clock=clock,
    )
