"""Requests of request queues: what is in them.

In what order they are worked on is a number: the next one behind all others, or below all others
for what goes to the front. Who works on them is in `queue_locks.py`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from actor_operator.storage.queue_rows import Change, QueueRows
from actor_operator.storage.tables import REQUESTS

MAX_PAGE_BYTES = 33_554_432
"""A page of the list ends before its bodies have more bytes than that, but has one at least."""

_R = REQUESTS.c

_IN_QUEUE = and_(_R.account == bindparam("p_account"), _R.storage == bindparam("p_storage"))

_BY_ID = and_(_IN_QUEUE, _R.id == bindparam("p_id"))

_BY_IDS = and_(_IN_QUEUE, _R.id.in_(bindparam("p_ids", expanding=True)))

_KNOWN = select(_R.id, _R.handled_at).where(_BY_IDS)

_GET = select(_R.body, _R.order_no, _R.handled_at).where(_BY_ID)

_BEFORE = select(_R.handled_at, _R.size).where(_BY_ID).with_for_update()

_INSERT = insert(REQUESTS)

_CONTENT: dict[str, Any] = {
    "handled_at": bindparam("p_handled_at"),
    "size": bindparam("p_size"),
    "head": bindparam("p_head"),
    "body": bindparam("p_body"),
}

_UPDATE_PENDING = (
    update(REQUESTS).where(_BY_ID).values(order_no=bindparam("p_order_no"), **_CONTENT)
)

_UPDATE_HANDLED = (
    update(REQUESTS)
    .where(_BY_ID)
    .values(locked_until=None, lock_client=None, lock_run=None, **_CONTENT)
)

_DELETE = delete(REQUESTS).where(_BY_IDS).returning(_R.id, _R.handled_at, _R.size)


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request as a client sent it.

    Parameters
    ----------
    id
        Its id.
    head
        JSON of what stands in the head of the queue.
    body
        JSON of all of it.
    handled_at
        When it was handled; None: it is pending.
    """

    id: str
    head: bytes
    body: bytes
    handled_at: int | None = None


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as it is kept; ``order_no`` is None for a handled one."""

    body: bytes
    order_no: int | None


@dataclass(frozen=True, slots=True)
class Added:
    """What was there when a request came."""

    id: str
    was_present: bool
    was_handled: bool


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Requests in the order of their ids, and the last id where there are more."""

    requests: list[StoredRequest]
    next_after: str | None


class QueueRequests:
    """Requests of the queues of one account.

    Parameters
    ----------
    connection
        The transaction.
    account
        The account.
    """

    def __init__(self, connection: Connection, account: int) -> None:
        self._connection = connection
        self._account = account
        self._rows = QueueRows(connection, account)

    def add(
        self,
        storage: str,
        requests: Sequence[NewRequest],
        *,
        forefront: bool,
        key: str | None,
        now: int,
    ) -> list[Added]:
        """Add what is not there yet, and leave what is as it is.

        Parameters
        ----------
        storage
            Id of the queue.
        requests
            In the order in which they are to be worked on.
        forefront
            Whether they come before all others.
        key
            Key of the client.
        now
            The time in milliseconds.

        Raises
        ------
        QueueMissingError
            When there is no such queue.
        """
        self._rows.lock(storage)
        names = self._names(storage) | {"p_ids": [request.id for request in requests]}
        known = {row.id: row for row in self._connection.execute(_KNOWN, names)}
        results: list[Added] = []
        new: dict[str, NewRequest] = {}
        for request in requests:
            before = known.get(request.id) or new.get(request.id)
            was_handled = before is not None and before.handled_at is not None
            results.append(Added(request.id, before is not None, was_handled))
            if before is None:
                new[request.id] = request
        if new:
            self._insert(storage, list(new.values()), forefront=forefront, key=key, now=now)
        else:
            self._rows.note_client(storage, key)
        return results

    def update(
        self, storage: str, request: NewRequest, *, forefront: bool, key: str | None, now: int
    ) -> Added:
        """Put a request in the place of the one with its id, or add it.

        One that is not handled goes to the end of the queue, or to its front; one that is loses its
        lock.

        Raises
        ------
        QueueMissingError
            When there is no such queue.
        """
        names = self._names(storage) | {"p_id": request.id}
        before = self._connection.execute(_BEFORE, names).one_or_none()
        if before is None:
            added = self.add(storage, [request], forefront=forefront, key=key, now=now)[0]
            if not added.was_present:
                return added
            # Somebody else has added it after we looked.
            before = self._connection.execute(_BEFORE, names).one()
        is_pending = request.handled_at is None
        was_handled = before.handled_at is not None
        change = Change(
            handled=(not is_pending) - was_handled,
            size=len(request.body) - before.size,
            front=int(is_pending and forefront),
            back=int(is_pending and not forefront),
            writes=1,
        )
        state = self._rows.change(storage, change, key=key, now=now)
        values = {
            "p_handled_at": request.handled_at,
            "p_size": len(request.body),
            "p_head": request.head,
            "p_body": request.body,
        }
        if is_pending:
            values["p_order_no"] = state.first_order if forefront else state.last_order
        statement = _UPDATE_PENDING if is_pending else _UPDATE_HANDLED
        self._connection.execute(statement, names | values)
        return Added(request.id, was_present=True, was_handled=was_handled)

    def delete(self, storage: str, ids: Collection[str], *, key: str | None, now: int) -> int:
        """Remove requests, locked or not, and say how many there were.

        Raises
        ------
        QueueMissingError
            When there is no such queue.
        """
        gone = self._connection.execute(
            _DELETE, self._names(storage) | {"p_ids": sorted(set(ids))}
        ).all()
        change = Change(
            total=-len(gone),
            handled=-sum(row.handled_at is not None for row in gone),
            size=-sum(row.size for row in gone),
            deletes=len(gone),
        )
        if gone:
            self._rows.change(storage, change, key=key, now=now)
        else:
            self._rows.note_client(storage, key)
        return len(gone)

    def get(self, storage: str, request_id: str) -> StoredRequest | None:
        """A request; None: it is not there."""
        row = self._connection.execute(
            _GET, self._names(storage) | {"p_id": request_id}
        ).one_or_none()
        return None if row is None else _stored(row.body, row.order_no, row.handled_at)

    def page(
        self, storage: str, *, after: str, limit: int, states: Collection[str], now: int
    ) -> RequestPage:
        """Requests in the order of their ids.

        Parameters
        ----------
        storage
            Id of the queue.
        after
            The id after which the page begins; empty: at the beginning.
        limit
            At most so many.
        states
            Only ``locked`` ones, only ``pending`` ones (neither handled nor locked), or both of
            them; empty: all, handled ones too.
        now
            The time in milliseconds: a lock may be over.
        """
        wanted = and_(
            _R.account == self._account, _R.storage == storage, _R.id > after, *_of(states, now)
        )
        sizes = self._connection.execute(
            select(_R.id, _R.size).where(wanted).order_by(_R.id).limit(limit + 1)
        ).all()
        count, size = 0, 0
        for row in sizes[:limit]:
            size += row.size
            if count and size > MAX_PAGE_BYTES:
                break
            count += 1
        if not count:
            return RequestPage([], None)
        last = sizes[count - 1].id
        rows = self._connection.execute(
            select(_R.body, _R.order_no, _R.handled_at).where(wanted, _R.id <= last).order_by(_R.id)
        )
        requests = [_stored(*row) for row in rows]
        return RequestPage(requests, last if count < len(sizes) else None)

    def _insert(
        self,
        storage: str,
        requests: Sequence[NewRequest],
        *,
        forefront: bool,
        key: str | None,
        now: int,
    ) -> None:
        count = len(requests)
        change = Change(
            total=count,
            handled=sum(request.handled_at is not None for request in requests),
            size=sum(len(request.body) for request in requests),
            front=count if forefront else 0,
            back=0 if forefront else count,
            writes=count,
        )
        state = self._rows.change(storage, change, key=key, now=now)
        first = state.first_order if forefront else state.last_order - count + 1
        rows = [
            {
                "account": self._account,
                "storage": storage,
                "id": request.id,
                "order_no": number,
                "handled_at": request.handled_at,
                "size": len(request.body),
                "head": request.head,
                "body": request.body,
            }
            for number, request in enumerate(requests, first)
        ]
        self._connection.execute(_INSERT, rows)

    def _names(self, storage: str) -> dict[str, object]:
        return {"p_account": self._account, "p_storage": storage}


def _of(states: Collection[str], now: int) -> list[ColumnElement[bool]]:
    conditions = {
        "locked": _R.locked_until > now,
        "pending": or_(_R.locked_until.is_(None), _R.locked_until <= now),
    }
    if not states:
        return []
    return [_R.handled_at.is_(None), or_(*(conditions[state] for state in states))]


def _stored(body: bytes, order_no: int, handled_at: int | None) -> StoredRequest:
    return StoredRequest(body, order_no if handled_at is None else None)
