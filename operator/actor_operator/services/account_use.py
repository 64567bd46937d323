"""What the runs of an account use now, as the operator counts it."""

from dataclasses import dataclass

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.views.account import AccountView
from actor_operator.api.views.run import Failure
from actor_operator.engine.store import Store
from actor_operator.lifecycle.account import limits_of
from actor_operator.services.errors import ApiError
from actor_operator.services.run_directory import RunDirectory
from actor_operator.services.run_verdict import memory_exceeded
from actor_operator.services.run_watch import RunHub
from actor_operator.settings_groups import AccountSettings


@dataclass(frozen=True, slots=True)
class AccountUse:
    """What the live runs of an account use."""

    memory_mbytes: int
    live_runs: int


class AccountUses:
    """Sums up what accounts use.

    Parameters
    ----------
    directory, hub
        The runs and their pods.
    accounts
        The ActorAccounts.
    settings
        Limits of accounts that have none of their own.
    """

    def __init__(
        self,
        *,
        directory: RunDirectory,
        hub: RunHub,
        accounts: Store[AccountView],
        settings: AccountSettings,
    ) -> None:
        self._directory = directory
        self._hub = hub
        self._accounts = accounts
        self._settings = settings

    def of(self, namespace: str) -> AccountUse:
        """What the live runs of a namespace use: those that are admitted, or have a pod."""
        memory, live = 0, 0
        for run in self._directory.all():
            if run.namespace != namespace or run.status.finished:
                continue
            admitted = run.status.is_true(ConditionType.ADMITTED)
            if admitted or self._hub.state(run.uid).pods:
                options = run.status.options
                memory += options.memory_mbytes if options else run.spec.memory_mbytes or 0
                live += 1
        return AccountUse(memory, live)

    def require_room(self, namespace: str, memory_mbytes: int) -> None:
        """Refuse a resurrection for which there is no room, before anything is changed.

        Raises
        ------
        ApiError
            402 when memory or number of runs would be exceeded, 403 when the account is suspended.
        """
        limits = limits_of(self._accounts.get("", namespace), self._settings)
        if limits.suspended:
            raise ApiError(
                "insufficient-permissions",
                f'Account "{namespace}" is suspended: no run is started.',
                status=403,
            )
        use = self.of(namespace)
        if limits.memory_mbytes is not None and use.memory_mbytes + memory_mbytes > (
            limits.memory_mbytes
        ):
            raise memory_exceeded(
                Failure(
                    "",
                    "",
                    requested_mbytes=memory_mbytes,
                    used_mbytes=use.memory_mbytes,
                    limit_mbytes=limits.memory_mbytes,
                )
            )
        if limits.max_runs is not None and use.live_runs >= limits.max_runs:
            raise ApiError(
                "concurrent-runs-limit-exceeded",
                f"The account may have {limits.max_runs} live runs, and has {use.live_runs}.",
                status=402,
            )
