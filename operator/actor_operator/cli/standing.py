"""How an account stands: from its ActorAccount and the runs of its namespace. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.views.account import AccountSpec, AccountStatus, AccountView
from actor_operator.api.views.run import RunView

LAST = datetime.max.replace(tzinfo=UTC)
"""Place of a run that has none yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account may use, what it uses, and who waits."""

    namespace: str
    limit_mbytes: int | None
    """Most memory; ``None``: no limit, or none that is known here."""
    max_runs: int | None
    """Most live runs; likewise."""
    used_mbytes: int
    live_runs: int
    suspended: bool
    live: tuple[RunView, ...]
    """The runs that have memory, the oldest first."""
    queue: tuple[RunView, ...]
    """The runs that wait, in the order in which they are started."""

    @property
    def free_mbytes(self) -> int | None:
        """Memory that is free; ``None`` when the limit is not known."""
        return None if self.limit_mbytes is None else max(0, self.limit_mbytes - self.used_mbytes)

    def place(self, run: RunView) -> int | None:
        """Place of a run in the queue; the first is 1."""
        uids = [waiting.uid for waiting in self.queue]
        return uids.index(run.uid) + 1 if run.uid in uids else None


def standing(namespace: str, account: AccountView | None, runs: Iterable[RunView]) -> Standing:
    """How an account stands.

    Parameters
    ----------
    namespace
        Its name.
    account
        Its ActorAccount, if there is one that may be read; what it says of memory in use counts
        more than the runs, because it knows of pods of deleted runs too.
    runs
        The unfinished runs of the namespace.
    """
    unfinished = [run for run in runs if not run.status.finished]
    live = [run for run in unfinished if run.status.is_true(ConditionType.ADMITTED)]
    spec = account.spec if account else AccountSpec()
    status = account.status if account else AccountStatus()
    used = sum(memory_of(run) or 0 for run in live)
    return Standing(
        namespace=namespace,
        limit_mbytes=_first(status.memory_limit_mbytes, spec.memory_limit_mbytes),
        max_runs=_first(status.max_concurrent_runs, spec.max_concurrent_runs),
        used_mbytes=used if status.memory_used_mbytes is None else status.memory_used_mbytes,
        live_runs=len(live) if status.live_runs is None else status.live_runs,
        suspended=spec.suspended,
        live=tuple(sorted(live, key=_age)),
        queue=tuple(sorted(filter(_waits, unfinished), key=_place)),
    )


def memory_in_use(stands: Standing) -> str:
    """How much memory is used and free, in words."""
    if stands.limit_mbytes is None:
        return f"{stands.used_mbytes} MB in use"
    return f"{stands.used_mbytes} of {stands.limit_mbytes} MB in use, {stands.free_mbytes} MB free"


def memory_of(run: RunView) -> int | None:
    """Memory of a run in MB, as far as it is known."""
    options = run.status.options
    return options.memory_mbytes if options else run.spec.memory_mbytes


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def _waits(run: RunView) -> bool:
    admitted = run.status.condition(ConditionType.ADMITTED)
    return admitted is not None and admitted.reason == Reason.WAITING_FOR_ACCOUNT_MEMORY


def _place(run: RunView) -> tuple[datetime, str]:
    return run.status.queued_at or LAST, run.uid


def _age(run: RunView) -> tuple[datetime, str]:
    return run.metadata.creation_timestamp or LAST, run.name
