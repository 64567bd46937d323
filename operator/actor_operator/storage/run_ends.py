"""What the end of an attempt of a run brings with it, in the transaction that writes of it.

Whoever makes a row go forwards does it, and that is one replica only: a lock is freed and a compute
unit is counted once.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection

from actor_operator.storage.counters import Counters
from actor_operator.storage.queue_locks import QueueLocks
from actor_operator.storage.runs import Mirrored, RunRow, RunRows

MICRO = 1_000_000
"""So many counted units are one compute unit."""

KIND = "computeUnits"
"""What the counters of compute units are called; they have one for each month."""


def take_news(
    connection: Connection,
    account: int,
    run_id: str,
    news: Mirrored,
    *,
    row: RunRow | None = None,
    now: int,
) -> None:
    """Write what the object of a run says, and finish the attempts that have ended.

    Parameters
    ----------
    connection
        In a transaction.
    account, run_id
        Which run.
    news
        What its object says.
    row
        The row, should there be none; None: then nothing is written.
    now
        The time in milliseconds.
    """
    rows = RunRows(connection, account)
    if row is not None and rows.ensure(row):
        first, counted = 1, 0
    else:
        before = rows.lock(run_id)
        if before is None or not rows.mirror(run_id, news):
            return
        first, counted = before.attempt, before.micro_units
    last = news.attempt if news.finished_at is not None else news.attempt - 1
    for attempt in range(first, last + 1):
        QueueLocks(connection, account).free_locks_of_run(news.uid, attempt, now)
    _count(connection, account, news.micro_units - counted, news.finished_at or now)


def bury(connection: Connection, account: int, run_id: str, now: int) -> None:
    """The object of a run has vanished: nobody finds it any more, and it holds nothing."""
    rows = RunRows(connection, account)
    row = rows.lock(run_id)
    if row is None:
        return
    rows.bury(run_id, now)
    if row.uid is not None:
        QueueLocks(connection, account).free_locks_of_run(row.uid, row.attempt, now)


def compute_units(connection: Connection, account: int, now: int) -> float:
    """Compute units of the attempts that have ended in this month (UTC)."""
    return Counters(connection, account).total(KIND, (_month(now),)) / MICRO


def _count(connection: Connection, account: int, micro: int, at: int) -> None:
    if micro > 0:
        Counters(connection, account).add(KIND, _month(at), micro)


def _month(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, tz=UTC).strftime("%Y-%m")
