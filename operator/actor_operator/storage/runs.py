"""Rows of runs.

What a row mirrors of its ActorRun goes only forwards, by attempt and rank of the phase: any number
of replicas may write it, in any order. The other columns are the API's own.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from actor_operator.storage.across import across_accounts
from actor_operator.storage.counters import Counters
from actor_operator.storage.tables import ACCOUNTS, RUNS
from actor_operator.storage.upsert import insert_into

PENDING, VISIBLE, GONE = "pending", "visible", "gone"
"""States of a row: the start is not settled; the run is there; its object has vanished."""

PARENT = "parentActorRunId"
"""Key in ``meta`` of the run that started a run."""

KIND = "runs"
"""What the counters of all runs are called."""


_LISTED = [column for column in RUNS.c if column.name != "mirror"]
"""What lists read of rows: not the status, which is longer than all else and not shown there."""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row; times are milliseconds since 1970."""

    account: int
    id: str
    name: str
    uid: str | None = None
    state: str = VISIBLE
    actor_id: str
    actor: str
    """Namespace and name of the Actor: ``namespace/name``."""
    origin: str
    started_at: int
    attempt: int = 1
    phase_rank: int = 0
    status: str = "READY"
    finished_at: int | None = None
    build_number: str | None = None
    build_id: str | None = None
    micro_units: int = 0
    """Millionths of compute units that its ended attempts have used."""
    mirror: bytes | None = None
    """The status that the object last had, as JSON."""
    status_message: str | None = None
    status_message_terminal: bool | None = None
    general_access: str = "FOLLOW_USER_SETTING"
    meta: bytes = b"{}"
    input_body_len: int = 0
    gone_at: int | None = None
    archived_at: int | None = None

    @property
    def parent(self) -> str | None:
        """Id of the run that started it."""
        parent = msgspec.json.decode(self.meta).get(PARENT)
        return str(parent) if parent else None


class Mirrored(msgspec.Struct, frozen=True, kw_only=True):
    """What a row mirrors of its ActorRun."""

    uid: str
    attempt: int
    phase_rank: int
    status: str
    finished_at: int | None
    build_number: str | None
    build_id: str | None
    mirror: bytes
    micro_units: int = 0


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs a list has.

    Parameters
    ----------
    statuses
        Only those in one of these; all without any.
    actor_id
        Only those of this Actor.
    origin
        Only those that came about so.
    started_after, started_before
        Milliseconds since 1970, both inclusive.
    """

    statuses: tuple[str, ...] = ()
    actor_id: str | None = None
    origin: str | None = None
    started_after: int | None = None
    started_before: int | None = None

    def of_actor(self, actor_id: str) -> "RunFilter":
        """The same, of one Actor only."""
        return replace(self, actor_id=actor_id)

    @property
    def is_counted(self) -> bool:
        """Whether counters say how many there are."""
        return (self.started_after, self.started_before, self.origin) == (None, None, None)


class RunRows:
    """The rows of one account.

    Parameters
    ----------
    connection
        In whose transaction.
    account
        Whose.
    """

    def __init__(self, connection: Connection, account: int) -> None:
        self._connection = connection
        self._account = account

    # Reading

    def get(self, run_id: str) -> RunRow | None:
        """A row, whatever its state."""
        return self._one(select(RUNS).where(self._is(run_id)))

    def lock(self, run_id: str) -> RunRow | None:
        """A row, whatever its state, that nobody else changes until the transaction ends."""
        query = select(RUNS).where(self._is(run_id)).with_for_update()
        return self._one(query)

    def page(
        self, wanted: RunFilter, *, offset: int, limit: int, desc: bool
    ) -> tuple[list[RunRow], int]:
        """Visible rows by their start, without what they mirror, and how many there are in all."""
        conditions = self._conditions(wanted)
        order = [RUNS.c.started_at, RUNS.c.id]
        query = (
            select(*_LISTED)
            .where(*conditions)
            .order_by(*(column.desc() for column in order) if desc else order)
            .offset(offset)
            .limit(limit)
        )
        rows = self._all(query)
        return rows, self._total(wanted, conditions)

    def last(self, wanted: RunFilter) -> RunRow | None:
        """The visible row that was started last."""
        query = (
            select(RUNS)
            .where(*self._conditions(wanted))
            .order_by(RUNS.c.started_at.desc(), RUNS.c.id.desc())
            .limit(1)
        )
        return self._one(query)

    def pending(self, before: int) -> list[RunRow]:
        """Rows whose start was not settled, of those that began before a moment."""
        return self._in_state(PENDING, RUNS.c.started_at < before)

    def unfinished(self) -> list[RunRow]:
        """Visible rows of runs that have not ended."""
        return self._in_state(VISIBLE, RUNS.c.finished_at.is_(None))

    def gone(self, before: int) -> list[RunRow]:
        """Rows whose object vanished before a moment."""
        return self._in_state(GONE, RUNS.c.gone_at < before)

    def visible_names(self) -> dict[str, str]:
        """Id and name of every visible run."""
        query = select(RUNS.c.id, RUNS.c.name).where(
            RUNS.c.account == self._account, RUNS.c.state == VISIBLE
        )
        return {row.id: row.name for row in self._connection.execute(query)}

    # Writing

    def insert(self, row: RunRow) -> None:
        """Add a row of this account."""
        self._connection.execute(insert(RUNS).values(**msgspec.structs.asdict(row)))
        if row.state == VISIBLE:
            self._count(row.actor_id, row.status, 1)

    def ensure(self, row: RunRow) -> bool:
        """Add a row of this account, unless there is one; returns whether it was added."""
        made = self._connection.execute(
            insert_into(self._connection, RUNS)
            .values(**msgspec.structs.asdict(row))
            .on_conflict_do_nothing()
            .returning(RUNS.c.id)
        ).one_or_none()
        if made is not None and row.state == VISIBLE:
            self._count(row.actor_id, row.status, 1)
        return made is not None

    def show(self, run_id: str, uid: str) -> None:
        """The start is settled: lists have the run from now on."""
        row = self.lock(run_id)
        if row is None or row.state != PENDING:
            return
        self.change(run_id, state=VISIBLE, uid=uid)
        self._count(row.actor_id, row.status, 1)

    def mirror(self, run_id: str, news: Mirrored) -> bool:
        """Write what the object says, if it is newer; returns whether it was.

        A row that was buried comes back with its object, as after a restore of the cluster.
        """
        row = self.lock(run_id)
        if row is None or row.uid not in {None, news.uid}:
            return False
        if row.state == GONE:
            self.change(run_id, state=VISIBLE, gone_at=None)
            self._count(row.actor_id, row.status, 1)
            row = msgspec.structs.replace(row, state=VISIBLE)
        if (row.attempt, row.phase_rank) >= (news.attempt, news.phase_rank):
            return False
        values = msgspec.structs.asdict(news)
        for name in ("build_number", "build_id"):
            if values[name] is None:  # not known yet, or never
                del values[name]
        self.change(run_id, **values)
        if row.state == VISIBLE and row.status != news.status:
            self._count(row.actor_id, row.status, -1)
            self._count(row.actor_id, news.status, 1)
        return True

    def change(self, run_id: str, **values: Any) -> None:
        """Write columns that are the API's own."""
        self._connection.execute(update(RUNS).where(self._is(run_id)).values(**values))

    def bury(self, run_id: str, now: int) -> None:
        """The object has vanished: nobody finds the run any more."""
        row = self.lock(run_id)
        if row is None or row.state == GONE:
            return
        self.change(run_id, state=GONE, gone_at=now)
        if row.state == VISIBLE:
            self._count(row.actor_id, row.status, -1)

    def forget(self, run_ids: Iterable[str]) -> None:
        """Remove rows."""
        for run_id in run_ids:
            row = self.lock(run_id)
            if row is None:
                continue
            self._connection.execute(delete(RUNS).where(self._is(run_id)))
            if row.state == VISIBLE:
                self._count(row.actor_id, row.status, -1)

    # Within

    def _is(self, run_id: str) -> ColumnElement[bool]:
        return and_(RUNS.c.account == self._account, RUNS.c.id == run_id)

    def _in_state(self, state: str, *conditions: ColumnElement[bool]) -> list[RunRow]:
        query = select(RUNS).where(
            RUNS.c.account == self._account, RUNS.c.state == state, *conditions
        )
        return self._all(query)

    def _one(self, query: Select[Any]) -> RunRow | None:
        found = self._connection.execute(query).mappings().one_or_none()
        return RunRow(**found) if found is not None else None

    def _all(self, query: Select[Any]) -> list[RunRow]:
        return [RunRow(**found) for found in self._connection.execute(query).mappings()]

    def _conditions(self, wanted: RunFilter) -> list[ColumnElement[bool]]:
        conditions = [RUNS.c.account == self._account, RUNS.c.state == VISIBLE]
        if wanted.statuses:
            conditions.append(RUNS.c.status.in_(wanted.statuses))
        if wanted.actor_id is not None:
            conditions.append(RUNS.c.actor_id == wanted.actor_id)
        if wanted.origin is not None:
            conditions.append(RUNS.c.origin == wanted.origin)
        if wanted.started_after is not None:
            conditions.append(RUNS.c.started_at >= wanted.started_after)
        if wanted.started_before is not None:
            conditions.append(RUNS.c.started_at <= wanted.started_before)
        return conditions

    def _total(self, wanted: RunFilter, conditions: Collection[ColumnElement[bool]]) -> int:
        if wanted.is_counted:
            kind = f"{KIND}/{wanted.actor_id}" if wanted.actor_id else KIND
            return Counters(self._connection, self._account).total(kind, wanted.statuses)
        query = select(func.count()).select_from(RUNS).where(*conditions)
        return int(self._connection.execute(query).scalar_one())

    def _count(self, actor_id: str, status: str, number: int) -> None:
        counters = Counters(self._connection, self._account)
        for kind in (KIND, f"{KIND}/{actor_id}"):
            counters.add(kind, status, number)


def live_accounts(connection: Connection) -> list[tuple[int, str]]:
    """Number and namespace of each account that is in use: for work on all of them in turn."""
    query = select(ACCOUNTS.c.id, ACCOUNTS.c.namespace).where(ACCOUNTS.c.unreachable_at.is_(None))
    return [(row.id, row.namespace) for row in connection.execute(query)]


def find_anywhere(connection: Connection, run_id: str) -> tuple[RunRow, str] | None:
    """The visible row of an id and its namespace, whichever account has it.

    For looking whether the caller may see it, and for nothing else.
    """
    query = (
        select(RUNS, ACCOUNTS.c.namespace.label("namespace"))
        .join(ACCOUNTS, ACCOUNTS.c.id == RUNS.c.account)
        .where(RUNS.c.id == run_id, RUNS.c.state == VISIBLE)
        .where(ACCOUNTS.c.unreachable_at.is_(None))
    )
    found = connection.execute(across_accounts(query)).mappings().first()
    if found is None:
        return None
    values = dict(found)
    namespace = values.pop("namespace")
    return RunRow(**values), namespace
