"""Who works on which requests of a queue: its head, and locks."""

from collections.abc import Callable
from typing import Any

import msgspec

from actor_operator.services.access import StorageRef
from actor_operator.services.queue_calls import (
    client_of,
    read_noting,
    state_fields,
    told,
    with_field,
)
from actor_operator.services.queue_requests import check_client_key
from actor_operator.services.storage_use import StorageUse
from actor_operator.services.times import iso_of_millis
from actor_operator.storage.catalog import new_id
from actor_operator.storage.database import Database
from actor_operator.storage.queue_locks import QueueLocks

MAX_HEAD = 1000
"""Most requests of a head (Apify)."""

MAX_LOCKED_HEAD = 25
"""Most requests that are locked at once (Apify)."""


class RequestLocks:
    """Use cases of heads and locks.

    Parameters
    ----------
    database
        Where queues are kept.
    use
        Is told of what is read.
    now
        The time in milliseconds since 1970.
    """

    def __init__(self, database: Database, use: StorageUse, now: Callable[[], int]) -> None:
        self._database = database
        self._use = use
        self._now = now

    async def head(
        self, queue: StorageRef, *, limit: int, client_key: str | None
    ) -> dict[str, Any]:
        """The first requests that are not handled, locked or not.

        Raises
        ------
        ApiError
            404 when the queue is gone.
        """
        key, most = check_client_key(client_key), min(limit or MAX_HEAD, MAX_HEAD)
        state, heads = await read_noting(
            self._database,
            queue,
            key,
            lambda connection: QueueLocks(connection, queue.account).head(queue.id, most),
        )
        self._use.note(queue.account, queue.id, lists=1)
        return {
            "limit": most,
            **state_fields(state),
            "items": [msgspec.Raw(head) for head in heads],
        }

    async def head_and_lock(
        self, queue: StorageRef, *, lock_secs: float, limit: int, client_key: str | None
    ) -> dict[str, Any]:
        """Lock the first requests that nobody has.

        A client that gave no key gets one, with which it can prolong the locks and give them back.

        Raises
        ------
        ApiError
            404 when the queue is gone.
        """
        key, now = check_client_key(client_key) or new_id(), self._now()
        client, until = client_of(queue, key), now + round(lock_secs * 1000)
        most = min(limit or MAX_LOCKED_HEAD, MAX_LOCKED_HEAD)
        with told():
            locked = await self._database.write(
                lambda connection: QueueLocks(connection, queue.account).head_and_lock(
                    queue.id, limit=most, until=until, client=client, now=now
                )
            )
        expiry = iso_of_millis(until)
        self._use.note(queue.account, queue.id, lists=1)
        return {
            "limit": most,
            **state_fields(locked.state),
            "queueHasLockedRequests": locked.has_locked,
            "clientKey": key,
            "lockSecs": int(lock_secs) if lock_secs == int(lock_secs) else lock_secs,
            "items": [with_field(head, "lockExpiresAt", expiry) for head in locked.heads],
        }

    async def prolong(
        self,
        queue: StorageRef,
        request_id: str,
        *,
        lock_secs: float,
        forefront: bool,
        client_key: str | None,
    ) -> dict[str, Any]:
        """Hold a lock for some time from now on.

        Raises
        ------
        ApiError
            400 request-handled-or-locked when the client does not hold it, 404.
        """
        client, now = client_of(queue, check_client_key(client_key)), self._now()
        until = now + round(lock_secs * 1000)
        with told(request_id):
            await self._database.write(
                lambda connection: QueueLocks(connection, queue.account).prolong(
                    queue.id, request_id, until=until, forefront=forefront, client=client, now=now
                )
            )
        return {"lockExpiresAt": iso_of_millis(until)}

    async def unlock(
        self, queue: StorageRef, request_id: str, *, forefront: bool, client_key: str | None
    ) -> None:
        """Give a lock back; where nobody holds one nothing is done.

        Raises
        ------
        ApiError
            400 request-handled-or-locked when another client holds it, 404.
        """
        client, now = client_of(queue, check_client_key(client_key)), self._now()
        with told(request_id):
            await self._database.write(
                lambda connection: QueueLocks(connection, queue.account).unlock(
                    queue.id, request_id, forefront=forefront, client=client, now=now
                )
            )

    async def unlock_all(self, queue: StorageRef, *, client_key: str | None) -> dict[str, Any]:
        """Give back every lock of the client, and of the run whose token it has.

        Raises
        ------
        ApiError
            404 when the queue is gone.
        """
        client, now = client_of(queue, check_client_key(client_key)), self._now()
        with told():
            count = await self._database.write(
                lambda connection: QueueLocks(connection, queue.account).unlock_all(
                    queue.id, client=client, now=now
                )
            )
        return {"unlockedCount": count}

    async def free_locks_of_run(self, account: int, uid: str, attempt: int) -> int:
        """Free what an attempt of a run has locked, in all queues: it has ended.

        Raises
        ------
        DatabaseUnavailableError
            When the database does not answer.
        """
        now = self._now()
        return await self._database.write(
            lambda connection: QueueLocks(connection, account).free_locks_of_run(uid, attempt, now)
        )
