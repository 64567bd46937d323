"""Who works on which requests: the head of a queue, and locks.

What it costs to take requests does not depend on how many were handled or are locked: free ones
have an index of their own, and a lock that is over is removed, by an index too, by the next who
wants requests.
"""

import heapq
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, and_, bindparam, exists, or_, select, update

from actor_operator.errors import ActorOperatorError
from actor_operator.storage.queue_rows import Change, Client, QueueRows, QueueState, attempt_name
from actor_operator.storage.tables import REQUESTS, STORAGES

MAX_EXPIRED = 500
"""Locks that are over and are removed at once: the next call goes on."""


class RequestMissingError(ActorOperatorError):
    """There is no such request."""


class LockNotHeldError(ActorOperatorError):
    """The request is handled, or locked by another client, or not locked."""


@dataclass(frozen=True, slots=True)
class LockedHead:
    """Requests that were locked.

    Parameters
    ----------
    heads
        JSON of each, in order.
    has_locked
        Whether anything in the queue is locked, by whomever.
    state
        What the queue's row says after that.
    """

    heads: list[bytes]
    has_locked: bool
    state: QueueState


_R = REQUESTS.c

_IN_QUEUE = and_(_R.account == bindparam("p_account"), _R.storage == bindparam("p_storage"))

_BY_ID = and_(_IN_QUEUE, _R.id == bindparam("p_id"))

_BY_IDS = and_(_IN_QUEUE, _R.id.in_(bindparam("p_ids", expanding=True)))

_IS_FREE = and_(_R.handled_at.is_(None), _R.locked_until.is_(None))

_FREE = (
    select(_R.order_no, _R.id, _R.head)
    .where(_IN_QUEUE, _IS_FREE)
    .order_by(_R.order_no)
    .limit(bindparam("p_limit", type_=Integer))
)

_TAKE = _FREE.with_for_update(skip_locked=True)

_LOCKED = (
    select(_R.order_no, _R.id, _R.head)
    .where(_IN_QUEUE, _R.locked_until.is_not(None))
    .order_by(_R.order_no)
    .limit(bindparam("p_limit", type_=Integer))
)

_EXPIRED = (
    select(_R.id)
    .where(_IN_QUEUE, _R.locked_until <= bindparam("p_now"))
    .order_by(_R.locked_until)
    .limit(MAX_EXPIRED)
    .with_for_update(skip_locked=True)
)

_ANY_LOCKED = select(exists().where(_IN_QUEUE, _R.locked_until > bindparam("p_now")))

_ONE = (
    select(_R.handled_at, _R.locked_until, _R.lock_client, _R.lock_run)
    .where(_BY_ID)
    .with_for_update()
)

_LOCK = (
    update(REQUESTS)
    .where(_BY_IDS)
    .values(
        locked_until=bindparam("p_until"),
        lock_client=bindparam("p_client"),
        lock_run=bindparam("p_run"),
    )
)

_PROLONG = update(REQUESTS).where(_BY_ID).values(locked_until=bindparam("p_until"))

_MOVE = update(REQUESTS).where(_BY_ID).values(order_no=bindparam("p_order_no"))

_FREED = {"locked_until": None, "lock_client": None, "lock_run": None}

_FREE_THEM = update(REQUESTS).where(_BY_IDS).values(_FREED)

_FREE_OF_RUN = (
    update(REQUESTS)
    .where(_R.account == bindparam("p_account"), _R.lock_run == bindparam("p_run"))
    .values(_FREED)
    .returning(_R.storage)
)

_TOUCH = (
    update(STORAGES)
    .where(
        STORAGES.c.account == bindparam("p_account"),
        STORAGES.c.id.in_(bindparam("p_ids", expanding=True)),
    )
    .values(modified_at=bindparam("p_now"))
)


class QueueLocks:
    """Locks in the queues of one account.

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

    def head(self, storage: str, limit: int) -> list[bytes]:
        """JSON of the first requests that are not handled, in order, locked or not.

        Clients look here whether a queue is finished: what somebody still works on belongs to it.
        """
        names = self._names(storage) | {"p_limit": limit}
        free = self._connection.execute(_FREE, names).all()
        locked = self._connection.execute(_LOCKED, names).all()
        both = heapq.merge(free, locked, key=lambda row: row.order_no)
        return [row.head for row, _ in zip(both, range(limit), strict=False)]

    def head_and_lock(
        self, storage: str, *, limit: int, until: int, client: Client, now: int
    ) -> LockedHead:
        """Lock the first requests that nobody has.

        Parameters
        ----------
        storage
            Id of the queue.
        limit
            At most so many.
        until
            When the locks are over, in milliseconds.
        client
            Who will hold them.
        now
            The time in milliseconds.

        Raises
        ------
        QueueMissingError
            When there is no such queue.
        """
        names = self._names(storage)
        expired = self._connection.execute(_EXPIRED, names | {"p_now": now}).scalars().all()
        if expired:
            self._connection.execute(_FREE_THEM, names | {"p_ids": expired})
        taken = self._connection.execute(_TAKE, names | {"p_limit": limit}).all()
        if not taken:
            has_locked = self._connection.execute(_ANY_LOCKED, names | {"p_now": now}).scalar_one()
            return LockedHead([], has_locked, self._rows.note_client(storage, client.key))
        holder = {"p_until": until, "p_client": client.key, "p_run": client.attempt}
        self._connection.execute(_LOCK, names | holder | {"p_ids": [row.id for row in taken]})
        state = self._rows.change(storage, Change(), key=client.key, now=now)
        return LockedHead([row.head for row in taken], has_locked=True, state=state)

    def prolong(
        self,
        storage: str,
        request_id: str,
        *,
        until: int,
        forefront: bool,
        client: Client,
        now: int,
    ) -> None:
        """Hold a lock until another time.

        Without ``forefront`` the request keeps its place for the time after the lock.

        Raises
        ------
        RequestMissingError
            When there is no such request.
        LockNotHeldError
            When the client does not hold its lock.
        QueueMissingError
            When there is no such queue.
        """
        if not self._holds(storage, request_id, client, now):
            raise LockNotHeldError(request_id)
        names = self._names(storage) | {"p_id": request_id, "p_until": until}
        self._connection.execute(_PROLONG, names)
        state = self._rows.change(storage, Change(front=int(forefront)), key=client.key, now=now)
        if forefront:
            self._move(storage, request_id, state.first_order)

    def unlock(
        self, storage: str, request_id: str, *, forefront: bool, client: Client, now: int
    ) -> None:
        """Give a lock back: the request goes to the end of the queue, or to its front.

        Where nobody holds a lock nothing is to be done: an answer may have been lost.

        Raises
        ------
        RequestMissingError
            When there is no such request.
        LockNotHeldError
            When another client holds the lock.
        QueueMissingError
            When there is no such queue.
        """
        if not self._holds(storage, request_id, client, now):
            return
        names = self._names(storage)
        self._connection.execute(_FREE_THEM, names | {"p_ids": [request_id]})
        change = Change(front=int(forefront), back=int(not forefront))
        state = self._rows.change(storage, change, key=client.key, now=now)
        self._move(storage, request_id, state.first_order if forefront else state.last_order)

    def unlock_all(self, storage: str, *, client: Client, now: int) -> int:
        """Give back every lock of a client, and of the attempt that it is; say how many.

        Each request keeps its place.

        Raises
        ------
        QueueMissingError
            When there is no such queue.
        """
        of_client = [
            column == value
            for column, value in ((_R.lock_client, client.key), (_R.lock_run, client.attempt))
            if value is not None
        ]
        freed = 0
        if of_client:
            freed = self._connection.execute(
                update(REQUESTS)
                .where(
                    _R.account == self._account,
                    _R.storage == storage,
                    _R.locked_until > now,
                    or_(*of_client),
                )
                .values(_FREED)
            ).rowcount
        if freed:
            self._rows.change(storage, Change(), key=client.key, now=now)
        else:
            self._rows.note_client(storage, client.key)
        return freed

    def free_locks_of_run(self, uid: str, attempt: int, now: int) -> int:
        """Free what an attempt of a run has locked, in all queues: it has ended.

        Parameters
        ----------
        uid
            Uid of the ActorRun.
        attempt
            Its attempt.
        now
            The time in milliseconds.

        Returns
        -------
        int
            How many requests were locked.
        """
        names = {"p_account": self._account, "p_run": attempt_name(uid, attempt)}
        queues = self._connection.execute(_FREE_OF_RUN, names).scalars().all()
        if queues:
            touched = {"p_account": self._account, "p_ids": sorted(set(queues)), "p_now": now}
            self._connection.execute(_TOUCH, touched)
        return len(queues)

    def _holds(self, storage: str, request_id: str, client: Client, now: int) -> bool:
        """Whether the client holds the lock; False: nobody does."""
        names = self._names(storage) | {"p_id": request_id}
        row = self._connection.execute(_ONE, names).one_or_none()
        if row is None:
            raise RequestMissingError(request_id)
        if row.locked_until is None or row.locked_until <= now:
            return False
        is_client = client.key is not None and row.lock_client == client.key
        is_attempt = client.attempt is not None and row.lock_run == client.attempt
        if not (is_client or is_attempt):
            raise LockNotHeldError(request_id)
        return True

    def _move(self, storage: str, request_id: str, order_no: int) -> None:
        names = self._names(storage) | {"p_id": request_id, "p_order_no": order_no}
        self._connection.execute(_MOVE, names)

    def _names(self, storage: str) -> dict[str, object]:
        return {"p_account": self._account, "p_storage": storage}
