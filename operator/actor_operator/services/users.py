"""Accounts as Apify's users: who they are, what they may use and what they use now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.desired.names import object_id
from actor_operator.engine.store import Store
from actor_operator.lifecycle.account import limits_of
from actor_operator.services.errors import not_found
from actor_operator.services.identity import Caller
from actor_operator.services.times import iso
from actor_operator.settings_groups import AccountSettings, RetentionSettings

UNLIMITED = 2_147_483_647
"""What stands for "no limit" where Apify's clients expect a number."""

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account uses now.

    Parameters
    ----------
    memory_mbytes
        Memory in MB of its live runs.
    live_runs
        How many there are.
    actors
        How many Actors it has.
    compute_units
        Compute units of the attempts that have ended in this month.
    """

    memory_mbytes: int = 0
    live_runs: int = 0
    actors: int = 0
    compute_units: float = 0.0


class Users:
    """Answers about accounts.

    Parameters
    ----------
    namespaces, accounts
        What there is.
    settings, retention
        What holds where an ActorAccount says nothing.
    now
        The time.
    """

    def __init__(
        self,
        *,
        namespaces: Store[NamespaceView],
        accounts: Store[AccountView],
        settings: AccountSettings,
        retention: RetentionSettings,
        now: Callable[[], datetime],
    ) -> None:
        self._namespaces = namespaces
        self._accounts = accounts
        self._settings = settings
        self._retention = retention
        self._now = now

    def describe_me(self, caller: Caller) -> dict[str, Any]:
        """The caller's account (Apify: private data of a user)."""
        return {
            **self._describe(caller.namespace),
            "email": "",
            "proxy": {"password": "", "groups": []},
            "plan": {"id": "SELF_HOSTED", "description": "An installation of your own."},
            "effectivePlatformFeatures": {},
            "isPaying": True,
        }

    def describe_other(self, user: str) -> dict[str, Any]:
        """Another account, by its id or its name (Apify: public data of a user).

        Raises
        ------
        ApiError
            404 when there is none.
        """
        for namespace in self._namespaces:
            if user in (namespace.name, object_id("user", namespace.name)):
                return self._describe(namespace.name)
        raise not_found("User")

    def _describe(self, namespace: str) -> dict[str, Any]:
        found = self._namespaces.get("", namespace)
        created = found.metadata.creation_timestamp if found else None
        return {
            "id": object_id("user", namespace),
            "username": namespace,
            "createdAt": iso(created) if created else None,
            "profile": {"name": namespace},
        }

    def describe_limits(self, caller: Caller, usage: Usage) -> dict[str, Any]:
        """What the account may use, and what it uses now."""
        account = self._accounts.get("", caller.namespace)
        limits = limits_of(account, self._settings)
        kept = account.spec.retention.ttl_seconds_after_finished if account else None
        seconds = self._retention.ttl_seconds_after_finished if kept is None else kept
        memory = limits.memory_mbytes
        return {
            "monthlyUsageCycle": self._cycle(self._now()),
            "limits": {
                "maxMonthlyUsageUsd": UNLIMITED,
                "maxMonthlyActorComputeUnits": UNLIMITED,
                "maxMonthlyExternalDataTransferGbytes": UNLIMITED,
                "maxMonthlyProxySerps": 0,
                "maxMonthlyResidentialProxyGbytes": 0,
                "maxActorMemoryGbytes": UNLIMITED if memory is None else memory / 1024,
                "maxActorCount": UNLIMITED,
                "maxActorTaskCount": 0,
                "maxScheduleCount": 0,
                "maxConcurrentActorJobs": limits.max_runs or UNLIMITED,
                "maxTeamAccountSeatCount": 1,
                "dataRetentionDays": seconds // SECONDS_PER_DAY,
            },
            "current": {
                "monthlyUsageUsd": 0,
                "monthlyActorComputeUnits": usage.compute_units,
                "monthlyExternalDataTransferGbytes": 0,
                "monthlyProxySerps": 0,
                "monthlyResidentialProxyGbytes": 0,
                "actorMemoryGbytes": usage.memory_mbytes / 1024,
                "actorCount": usage.actors,
                "actorTaskCount": 0,
                "scheduleCount": 0,
                "activeActorJobCount": usage.live_runs,
                "teamAccountSeatCount": 1,
            },
        }

    def describe_month(self, usage: Usage) -> dict[str, Any]:
        """What the account used in this month. Nothing costs money here."""
        return {
            "usageCycle": self._cycle(self._now()),
            "monthlyServiceUsage": {
                "ACTOR_COMPUTE_UNITS": {
                    "quantity": usage.compute_units,
                    "baseAmountUsd": 0,
                    "baseUnitPriceUsd": 0,
                    "amountAfterVolumeDiscountUsd": 0,
                    "priceTiers": [],
                }
            },
            "dailyServiceUsages": [],
            "totalUsageCreditsUsdBeforeVolumeDiscount": 0,
            "totalUsageCreditsUsdAfterVolumeDiscount": 0,
        }

    @staticmethod
    def _cycle(now: datetime) -> dict[str, str]:
        start = datetime(now.year, now.month, 1, tzinfo=UTC)
        end = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
        return {"startAt": iso(start), "endAt": iso(end)}
