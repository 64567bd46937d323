"""What can be done with the requests of a queue."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import msgspec

from actor_operator.services.access import StorageRef
from actor_operator.services.describing import describe_all
from actor_operator.services.errors import invalid, not_found
from actor_operator.services.queue_calls import read_noting, told, with_field
from actor_operator.services.queue_requests import (
    check_client_key,
    is_request_id,
    read_batch,
    read_deletions,
    read_request,
)
from actor_operator.services.request_locks import RequestLocks
from actor_operator.services.storage_use import StorageUse
from actor_operator.storage.database import Database
from actor_operator.storage.queues import Added, NewRequest, QueueRequests, StoredRequest

T = TypeVar("T")

MAX_PAGE = 10_000
"""Most requests of a page of the list (Apify)."""

STATES = frozenset({"locked", "pending"})
"""What the list can be filtered by."""

THREAD_BYTES = 65_536
"""A longer body is read beside the event loop."""


class RequestQueues:
    """Use cases of requests; those of heads and locks are in ``locks``.

    Parameters
    ----------
    database
        Where they are kept.
    use
        Is told of what is read.
    now
        The time in milliseconds since 1970.
    """

    def __init__(self, database: Database, use: StorageUse, now: Callable[[], int]) -> None:
        self._database = database
        self._use = use
        self._now = now
        self.locks = RequestLocks(database, use, now)

    async def add(
        self, queue: StorageRef, body: bytes, *, forefront: bool, client_key: str | None
    ) -> dict[str, Any]:
        """Add a request that is not there yet.

        Raises
        ------
        ApiError
            400 for a request that is none, 404 when the queue is gone, 413.
        """
        key = check_client_key(client_key)
        sent = await _read(read_request, body)
        added = await self._add(queue, [sent.request], forefront=forefront, key=key)
        return _result(added[0])

    async def add_batch(
        self, queue: StorageRef, body: bytes, *, forefront: bool, client_key: str | None
    ) -> dict[str, Any]:
        """Add those of several requests that are not there yet: all in one transaction.

        So there are never unprocessed ones, of which clients would send all again.

        Raises
        ------
        ApiError
            400 for a request that is none, 404 when the queue is gone, 413.
        """
        key = check_client_key(client_key)
        sent = await _read(read_batch, body)
        requests = [one.request for one in sent]
        added = await self._add(queue, requests, forefront=forefront, key=key)
        processed = [
            {**_result(result), "uniqueKey": one.unique_key}
            for one, result in zip(sent, added, strict=True)
        ]
        return {"processedRequests": processed, "unprocessedRequests": []}

    async def get(self, queue: StorageRef, request_id: str) -> msgspec.Raw:
        """A request.

        Raises
        ------
        ApiError
            404.
        """
        found = None
        if is_request_id(request_id):
            found = await self._database.read(
                lambda connection: QueueRequests(connection, queue.account).get(
                    queue.id, request_id
                )
            )
        if found is None:
            raise not_found("Request")
        self._use.note(queue.account, queue.id, reads=1)
        return _shown(found)

    async def update(
        self,
        queue: StorageRef,
        request_id: str,
        body: bytes,
        *,
        forefront: bool,
        client_key: str | None,
    ) -> dict[str, Any]:
        """Put a request in the place of the one with its id, or add it.

        Raises
        ------
        ApiError
            400 for a request that is none or has another id, 404 when the queue is gone, 413.
        """
        key, now = check_client_key(client_key), self._now()
        sent = await _read(lambda text: read_request(text, request_id), body)
        with told():
            result = await self._database.write(
                lambda connection: QueueRequests(connection, queue.account).update(
                    queue.id, sent.request, forefront=forefront, key=key, now=now
                )
            )
        return _result(result)

    async def delete(self, queue: StorageRef, request_id: str, *, client_key: str | None) -> None:
        """Remove a request; one that is not there is removed already.

        Raises
        ------
        ApiError
            404 when the queue is gone.
        """
        await self._delete(queue, [request_id], check_client_key(client_key))

    async def delete_batch(
        self, queue: StorageRef, body: bytes, *, client_key: str | None
    ) -> dict[str, Any]:
        """Remove several requests; those that are not there are removed already.

        Raises
        ------
        ApiError
            400 for what names no request, 404 when the queue is gone.
        """
        key = check_client_key(client_key)
        deletions = await _read(read_deletions, body)
        await self._delete(queue, [deletion.id for deletion in deletions], key)
        processed = [deletion.named for deletion in deletions]
        return {"processedRequests": processed, "unprocessedRequests": []}

    async def page(
        self,
        queue: StorageRef,
        *,
        start: str,
        cursor: str,
        limit: int,
        states: Collection[str],
        client_key: str | None,
    ) -> dict[str, Any]:
        """Requests in the order of their ids.

        Parameters
        ----------
        queue
            The queue.
        start, cursor
            The id after which the page begins, or what the page before gave as its
            ``nextCursor``; empty: at the beginning.
        limit
            At most so many; 0: as many as possible. Large requests make a page shorter.
        states
            ``locked``, ``pending`` (neither handled nor locked), both; empty: all.
        client_key
            Who asks.

        Raises
        ------
        ApiError
            400 for an unknown state or an id that is none, 404 when the queue is gone.
        """
        key, now = check_client_key(client_key), self._now()
        most = min(limit or MAX_PAGE, MAX_PAGE)
        if not STATES.issuperset(states):
            raise invalid("filter can have locked and pending.", "param-not-one-of")
        after = _after(start, cursor)
        _, page = await read_noting(
            self._database,
            queue,
            key,
            lambda connection: QueueRequests(connection, queue.account).page(
                queue.id, after=after, limit=most, states=states, now=now
            ),
        )
        self._use.note(queue.account, queue.id, reads=len(page.requests))
        places = {"exclusiveStartId": start, "cursor": cursor, "nextCursor": page.next_after}
        told = {name: place for name, place in places.items() if place}
        return {"items": await describe_all(_shown, page.requests), "limit": most, **told}

    async def _add(
        self,
        queue: StorageRef,
        requests: Sequence[NewRequest],
        *,
        forefront: bool,
        key: str | None,
    ) -> list[Added]:
        now = self._now()
        with told():
            return await self._database.write(
                lambda connection: QueueRequests(connection, queue.account).add(
                    queue.id, requests, forefront=forefront, key=key, now=now
                )
            )

    async def _delete(self, queue: StorageRef, ids: Sequence[str], key: str | None) -> None:
        now, possible = self._now(), [text for text in ids if is_request_id(text)]
        with told():
            await self._database.write(
                lambda connection: QueueRequests(connection, queue.account).delete(
                    queue.id, possible, key=key, now=now
                )
            )


async def _read(read: Callable[[bytes], T], body: bytes) -> T:
    return read(body) if len(body) <= THREAD_BYTES else await asyncio.to_thread(read, body)


def _after(start: str, cursor: str) -> str:
    if start and cursor:
        raise invalid("Give exclusiveStartId or cursor, not both.")
    after = cursor or start
    if after and not is_request_id(after):
        raise invalid("exclusiveStartId or cursor is no id of a request.", "invalid-value")
    return after


def _result(added: Added) -> dict[str, Any]:
    return {
        "requestId": added.id,
        "wasAlreadyPresent": added.was_present,
        "wasAlreadyHandled": added.was_handled,
    }


def _shown(request: StoredRequest) -> msgspec.Raw:
    return with_field(request.body, "orderNo", request.order_no)
