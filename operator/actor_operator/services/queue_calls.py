"""What every call to a request queue has in common."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection

from actor_operator.services.access import StorageRef
from actor_operator.services.errors import ApiError, not_found
from actor_operator.services.queue_requests import is_request_id
from actor_operator.services.times import iso_of_millis
from actor_operator.storage.database import Database
from actor_operator.storage.queue_locks import LockNotHeldError, RequestMissingError
from actor_operator.storage.queue_rows import (
    Client,
    QueueMissingError,
    QueueRows,
    QueueState,
    attempt_name,
)

T = TypeVar("T")


async def read_noting(
    database: Database, queue: StorageRef, key: str | None, work: Callable[[Connection], T]
) -> tuple[QueueState, T]:
    """Read something together with the queue's row, and note who of the account does it.

    Raises
    ------
    ApiError
        404 when the queue is gone.
    """

    def read(connection: Connection) -> tuple[QueueState, T]:
        return QueueRows(connection, queue.account).get(queue.id), work(connection)

    with told():
        state, result = await database.read(read)
        is_own = queue.caller.account == queue.account
        if is_own and state.learns_of(key):
            state = await database.write(
                lambda connection: QueueRows(connection, queue.account).note_client(queue.id, key)
            )
    return state, result


def client_of(queue: StorageRef, key: str | None) -> Client:
    """Who asks, as it stands in locks."""
    run = queue.caller.run
    return Client(key, None if run is None else attempt_name(run.uid, run.attempt))


@contextlib.contextmanager
def told(request_id: str | None = None) -> Iterator[None]:
    """Tell clients what is missing, of the request with an id if it is about one.

    Raises
    ------
    ApiError
        404, or 400 request-handled-or-locked.
    """
    if request_id is not None and not is_request_id(request_id):
        raise not_found("Request")
    try:
        yield
    except QueueMissingError:
        raise not_found("Request queue") from None
    except RequestMissingError:
        raise not_found("Request") from None
    except LockNotHeldError:
        raise ApiError(
            "request-handled-or-locked",
            "This client does not hold the lock of the request: it is handled, another client has "
            "locked it, or the lock is over.",
        ) from None


def state_fields(state: QueueState) -> dict[str, Any]:
    """What answers say of the queue itself."""
    return {
        "queueModifiedAt": iso_of_millis(state.modified_at),
        "hadMultipleClients": state.had_multiple_clients,
    }


def with_field(text: bytes, name: str, value: object) -> msgspec.Raw:
    """An object of JSON that is not empty, with one field more."""
    field = msgspec.json.encode({name: value})
    return msgspec.Raw(b"".join((text[:-1], b",", field[1:])))
