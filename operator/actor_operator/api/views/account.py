"""What the operator reads and writes of an ActorAccount."""

from actor_operator.api.views.metadata import Condition, ObjectView, View


class Retention(View, frozen=True):
    """``spec.retention``."""

    ttl_seconds_after_finished: int | None = None
    keep_last: int | None = None


class AccountSpec(View, frozen=True):
    """``spec`` of an ActorAccount."""

    memory_limit_mbytes: int | None = None
    max_concurrent_runs: int | None = None
    retention: Retention = Retention()
    suspended: bool = False


class AccountStatus(View, frozen=True):
    """``status`` of an ActorAccount."""

    observed_generation: int | None = None
    memory_limit_mbytes: int | None = None
    max_concurrent_runs: int | None = None
    memory_used_mbytes: int | None = None
    live_runs: int | None = None
    waiting_runs: int | None = None
    conditions: tuple[Condition, ...] = ()


class AccountView(ObjectView, frozen=True):
    """An ActorAccount; its name is that of the namespace that it governs."""

    spec: AccountSpec
    status: AccountStatus = AccountStatus()
