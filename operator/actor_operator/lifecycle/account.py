"""What holds for an account, and what is told of it: limits, sentences, status."""

from datetime import datetime

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.views.account import AccountStatus, AccountView
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.constants import ANNOTATION_RESOLVED, LABEL_ATTEMPT, LABEL_RUN_UID
from actor_operator.desired.resolve import read_resolved
from actor_operator.lifecycle.memory import Ledger, Limits, Shortage
from actor_operator.lifecycle.observed import Blocked
from actor_operator.settings_groups import AccountSettings

ADMITTING = "Admitting"
"""Condition of an account: True: a run that fits would be started at once."""


def limits_of(account: AccountView | None, settings: AccountSettings) -> Limits:
    """The limits in force: the account's own, else the installation's."""
    if account is None:
        return Limits(settings.memory_limit_mbytes, settings.max_concurrent_runs)
    spec = account.spec
    return Limits(
        spec.memory_limit_mbytes or settings.memory_limit_mbytes,
        spec.max_concurrent_runs or settings.max_concurrent_runs,
        spec.suspended,
    )


def committed_memory(run: RunView) -> int | None:
    """Memory in MB that an unfinished run has by its status; None: it is not admitted."""
    if not run.status.is_true(ConditionType.ADMITTED):
        return None
    options = run.status.options
    return options.memory_mbytes if options else run.spec.memory_mbytes or 0


def memory_of_pod(pod: PodView, run: RunView | FinishedRun | None) -> int:
    """Memory in MB of a pod, by its run's status, or else by what the pod says itself.

    Only the operator writes the status; a pod's annotation can be edited.

    Parameters
    ----------
    pod
        The pod.
    run
        The run of the name that the pod says; it may be another one of that name.
    """
    labels = pod.metadata.labels
    if isinstance(run, RunView) and run.uid == labels.get(LABEL_RUN_UID):
        options = run.status.options
        if options is not None and labels.get(LABEL_ATTEMPT) == str(run.status.attempt):
            return options.memory_mbytes
    resolved = read_resolved(pod.metadata.annotations.get(ANNOTATION_RESOLVED, ""))
    return resolved.memory_mbytes if resolved else 0


def waits(namespace: str, memory: int, limits: Limits, since: datetime) -> Blocked:
    """The run stands in the line of its account, which will call it.

    The sentence says what does not change while it waits: it is written once.
    """
    message = f"Waits for memory: the run needs {memory} MB, and {_allowance(namespace, limits)}."
    if limits.suspended:
        message = f'Waits because account "{namespace}" is suspended; the run needs {memory} MB.'
    return Blocked(
        reason=Reason.WAITING_FOR_ACCOUNT_MEMORY,
        message=message,
        final=False,
        since=since,
        tries=1,
        retry_at=None,
        queued_at=since,
    )


def never_fits(namespace: str, memory: int, ledger: Ledger, now: datetime) -> Blocked:
    """The run needs more than the account may ever use."""
    limits = ledger.limits
    return _final(
        Reason.MEMORY_LIMIT_EXCEEDED,
        f"The run needs {memory} MB, and {_allowance(namespace, limits)}. Give it less memory, or"
        " ask the administrator for a higher limit.",
        ledger.shortage(memory),
        now,
    )


def rejected(namespace: str, memory: int, ledger: Ledger, now: datetime) -> Blocked:
    """The run does not want to wait (``whenMemoryExceeded: Reject``)."""
    shortage = ledger.shortage(memory)
    if ledger.limits.suspended:
        message = f'Account "{namespace}" is suspended: no run is started.'
        return _final(Reason.ACCOUNT_SUSPENDED, message, shortage, now)
    full = ledger.is_full_of_runs
    return _final(
        Reason.CONCURRENT_RUNS_LIMIT_EXCEEDED if full else Reason.MEMORY_LIMIT_EXCEEDED,
        f"There was no room for the run's {memory} MB: {_allowance(namespace, ledger.limits)}, of"
        f" which {ledger.used_mbytes} MB and {_runs(ledger.live)} were in use, and it was not to"
        " wait (whenMemoryExceeded: Reject).",
        shortage,
        now,
    )


def status_of(
    account: AccountView, ledger: Ledger | None, limits: Limits, now: datetime
) -> AccountStatus:
    """The status that an account should have.

    Parameters
    ----------
    account
        The account as it is.
    ledger
        Who has memory and who waits; None: nobody.
    limits
        The limits in force.
    now
        The present moment.
    """
    return AccountStatus(
        observed_generation=account.metadata.generation,
        memory_limit_mbytes=limits.memory_mbytes,
        max_concurrent_runs=limits.max_runs,
        memory_used_mbytes=ledger.used_mbytes if ledger else 0,
        live_runs=ledger.live if ledger else 0,
        waiting_runs=ledger.waiting if ledger else 0,
        conditions=(_admitting(account, ledger or Ledger(limits), now),),
    )


def _admitting(account: AccountView, ledger: Ledger, now: datetime) -> Condition:
    limits, first = ledger.limits, ledger.first
    status, reason, message = "True", "RoomAvailable", "A run that fits is started at once."
    if limits.suspended:
        status, reason = "False", "Suspended"
        message = "No further run is started (spec.suspended); live runs go on."
    elif first is not None:
        need = f"needs {first[1]} MB" if first[1] else "is looked at again"
        status, reason, message = "False", "RunsWait", f"The first of the waiting runs {need}."
    old = next((c for c in account.status.conditions if c.type == ADMITTING), None)
    flipped = old is None or old.status != status
    return Condition(
        type=ADMITTING,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=now.replace(microsecond=0)
        if flipped or old is None
        else old.last_transition_time,
        observed_generation=account.metadata.generation,
    )


def _allowance(namespace: str, limits: Limits) -> str:
    parts = []
    if limits.memory_mbytes is not None:
        parts.append(f"{limits.memory_mbytes} MB")
    if limits.max_runs is not None:
        parts.append(_runs(limits.max_runs))
    return f'account "{namespace}" may use {" and ".join(parts) or "what it likes"} at a time'


def _runs(number: int) -> str:
    return f"{number} run{'' if number == 1 else 's'}"


def _final(reason: Reason, message: str, shortage: Shortage, now: datetime) -> Blocked:
    return Blocked(
        reason=reason,
        message=message,
        final=True,
        since=now,
        tries=1,
        retry_at=now,
        shortage=shortage,
    )
