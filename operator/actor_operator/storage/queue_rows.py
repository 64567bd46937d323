"""The row of a request queue: its counters, both ends of its order, and who has used it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    Select,
    String,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.expression import false

from actor_operator.errors import ActorOperatorError
from actor_operator.storage.tables import STORAGES


class QueueMissingError(ActorOperatorError):
    """There is no such queue (any more)."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who uses a queue.

    Parameters
    ----------
    key
        What it calls itself, 1 to 32 characters; None: it did not say.
    attempt
        The attempt of a run that it is (`attempt_name`); None: it is no run.
    """

    key: str | None = None
    attempt: str | None = None


def attempt_name(uid: str, attempt: int) -> str:
    """How an attempt of a run stands in the locks that were taken with its token."""
    return f"{uid}.{attempt}"


@dataclass(frozen=True, slots=True)
class QueueState:
    """What the row says.

    Parameters
    ----------
    modified_at
        When requests were last added, changed, removed, locked or unlocked.
    client_key
        The first client that said who it is.
    had_multiple_clients
        Whether another one came later.
    first_order, last_order
        The lowest and the highest order number that was ever given.
    """

    modified_at: int
    client_key: str | None
    had_multiple_clients: bool
    first_order: int
    last_order: int

    def learns_of(self, key: str | None) -> bool:
        """Whether a client with that key changes what is known of clients."""
        return key is not None and not self.had_multiple_clients and key != self.client_key


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to a queue, as differences.

    Parameters
    ----------
    total, handled, size
        Requests, handled ones among them, and bytes of all bodies.
    front, back
        How many order numbers are taken at the beginning and at the end.
    writes, deletes
        For the statistics.
    """

    total: int = 0
    handled: int = 0
    size: int = 0
    front: int = 0
    back: int = 0
    writes: int = 0
    deletes: int = 0


_S = STORAGES.c

_IS_QUEUE = and_(
    _S.account == bindparam("p_account"),
    _S.id == bindparam("p_storage"),
    _S.kind == "requestQueue",
)

_STATE = (
    _S.modified_at,
    _S.client_key,
    _S.had_multiple_clients,
    _S.first_order,
    _S.last_order,
)

_GET = select(*_STATE).where(_IS_QUEUE)

_GET_LOCKED = _GET.with_for_update()

_CLIENT = bindparam("p_client", type_=String(32))

_LEARN = {
    "client_key": func.coalesce(_S.client_key, _CLIENT),
    # Without a key, or as the first, the comparison is unknown: that is no second client.
    "had_multiple_clients": or_(
        _S.had_multiple_clients,
        func.coalesce(_S.client_key != _CLIENT, false(), type_=Boolean),
    ),
}

_NOTE = update(STORAGES).where(_IS_QUEUE).values(**_LEARN).returning(*_STATE)

_CHANGE = (
    update(STORAGES)
    .where(_IS_QUEUE)
    .values(
        modified_at=bindparam("p_now"),
        accessed_at=bindparam("p_now"),
        item_count=_S.item_count + bindparam("p_total"),
        handled_count=_S.handled_count + bindparam("p_handled"),
        storage_bytes=_S.storage_bytes + bindparam("p_size"),
        first_order=_S.first_order - bindparam("p_front"),
        last_order=_S.last_order + bindparam("p_back"),
        write_count=_S.write_count + bindparam("p_writes"),
        delete_count=_S.delete_count + bindparam("p_deletes"),
        **_LEARN,
    )
    .returning(*_STATE)
)


class QueueRows:
    """Rows of request queues of one account.

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

    def get(self, storage: str) -> QueueState:
        """What the row says.

        Raises
        ------
        QueueMissingError
            When there is none.
        """
        return self._get(_GET, storage)

    def lock(self, storage: str) -> None:
        """Keep everybody else from changing the row before the end of the transaction.

        Raises
        ------
        QueueMissingError
            When there is none.
        """
        self._get(_GET_LOCKED, storage)

    def change(self, storage: str, change: Change, *, key: str | None, now: int) -> QueueState:
        """Count what happened, and note who did it; gives the state after that.

        Until the end of the transaction nobody else can change the row: who locks rows of requests
        too does that before, or two could wait for each other.

        Raises
        ------
        QueueMissingError
            When there is none.
        """
        values = {
            "p_account": self._account,
            "p_storage": storage,
            "p_client": key,
            "p_now": now,
            "p_total": change.total,
            "p_handled": change.handled,
            "p_size": change.size,
            "p_front": change.front,
            "p_back": change.back,
            "p_writes": change.writes,
            "p_deletes": change.deletes,
        }
        row = self._connection.execute(_CHANGE, values).one_or_none()
        if row is None:
            raise QueueMissingError(storage)
        return QueueState(*row)

    def note_client(self, storage: str, key: str | None) -> QueueState:
        """Note who uses the queue where nothing else is to be written; gives the state after that.

        Raises
        ------
        QueueMissingError
            When there is none.
        """
        state = self.get(storage)
        if not state.learns_of(key):
            return state
        names = {"p_account": self._account, "p_storage": storage, "p_client": key}
        return QueueState(*self._connection.execute(_NOTE, names).one())

    def _get(self, statement: Select[Any], storage: str) -> QueueState:
        names = {"p_account": self._account, "p_storage": storage}
        row = self._connection.execute(statement, names).one_or_none()
        if row is None:
            raise QueueMissingError(storage)
        return QueueState(*row)
