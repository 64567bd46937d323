"""Request queues and their requests."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.responses import Response

from actor_operator.server.answers import data, no_content
from actor_operator.server.bodies import read_body
from actor_operator.server.described import JSON_VALUE, OBJECT
from actor_operator.server.parameters import comma_list
from actor_operator.server.routes.storages import add_storage_routes, storage_collection_routes
from actor_operator.server.routing import Routes
from actor_operator.services.access import FindStorage, StorageRef
from actor_operator.services.identity import Permission
from actor_operator.services.request_locks import RequestLocks
from actor_operator.services.request_queues import RequestQueues
from actor_operator.services.storages import Storages

TAG = "Request queues"

MAX_LOCK_SECONDS = 604_800
"""Longest lock, a week: a lock must end by itself."""

RequestId = Annotated[str, Path(alias="requestId", description="Id of the request.")]
ClientKey = Annotated[
    str | None, Query(alias="clientKey", description="What the client calls itself, 1 to 32 long.")
]
Forefront = Annotated[bool, Query(description="Whether it goes to the front of the queue.")]
Limit = Annotated[
    int, Query(ge=0, le=2**53, description="At most so many; 0: as many as possible.")
]
LockSecs = Annotated[
    float,
    Query(alias="lockSecs", gt=0, le=MAX_LOCK_SECONDS, description="Seconds that the lock lasts."),
]


def request_queue_collection_routes(storages: Storages) -> Routes:
    """Routes of the list of request queues."""
    return storage_collection_routes("/v2/request-queues", TAG, storages)


def request_queue_routes(
    prefix: str, storages: Storages, queues: RequestQueues, find: FindStorage
) -> Routes:
    """Routes of a request queue, wherever it is named.

    Parameters
    ----------
    prefix
        Path of the queue.
    storages, queues
        The use cases.
    find
        Dependency that gives the queue.
    """
    routes = Routes(prefix, TAG)
    add_storage_routes(routes, storages, find)
    # Before those with an id in the path: "batch" is none.
    _add_batch_routes(routes, queues, find)
    _add_list_routes(routes, queues, find)
    _add_request_routes(routes, queues, find)
    _add_head_routes(routes, queues.locks, find)
    _add_lock_routes(routes, queues.locks, find)
    return routes


def _add_batch_routes(routes: Routes, queues: RequestQueues, find: FindStorage) -> None:
    @routes.post("/requests/batch", needs=Permission.WRITE, takes=JSON_VALUE)
    async def post_batch(
        request: Request,
        queue: Annotated[StorageRef, Depends(find)],
        *,
        forefront: Forefront = False,
        client_key: ClientKey = None,
    ) -> Response:
        """Add up to 25 requests, but those that are there already."""
        body = await read_body(request)
        return data(
            await queues.add_batch(queue, body, forefront=forefront, client_key=client_key), 201
        )

    @routes.delete("/requests/batch", needs=Permission.WRITE, status=200, takes=JSON_VALUE)
    async def delete_batch(
        request: Request,
        queue: Annotated[StorageRef, Depends(find)],
        client_key: ClientKey = None,
    ) -> Response:
        """Remove up to 25 requests, each named by id or uniqueKey."""
        return data(
            await queues.delete_batch(queue, await read_body(request), client_key=client_key)
        )


def _add_list_routes(routes: Routes, queues: RequestQueues, find: FindStorage) -> None:
    @routes.get("/requests", needs=Permission.SHARED)
    async def list_requests(
        queue: Annotated[StorageRef, Depends(find)],
        *,
        limit: Limit = 0,
        start: Annotated[
            str, Query(alias="exclusiveStartId", description="Id after which the page begins.")
        ] = "",
        cursor: Annotated[str, Query(description="nextCursor of the page before.")] = "",
        states: Annotated[
            str, Query(alias="filter", description="locked, pending, or both by a comma.")
        ] = "",
        client_key: ClientKey = None,
    ) -> Response:
        """List requests in the order of their ids."""
        return data(
            await queues.page(
                queue,
                start=start,
                cursor=cursor,
                limit=limit,
                states=comma_list(states),
                client_key=client_key,
            )
        )

    @routes.post("/requests", needs=Permission.WRITE, takes=OBJECT)
    async def post_request(
        request: Request,
        queue: Annotated[StorageRef, Depends(find)],
        *,
        forefront: Forefront = False,
        client_key: ClientKey = None,
    ) -> Response:
        """Add a request, unless it is there already."""
        body = await read_body(request)
        return data(await queues.add(queue, body, forefront=forefront, client_key=client_key), 201)


def _add_request_routes(routes: Routes, queues: RequestQueues, find: FindStorage) -> None:
    @routes.get("/requests/{requestId}", needs=Permission.SHARED)
    async def get_request(
        queue: Annotated[StorageRef, Depends(find)], request_id: RequestId
    ) -> Response:
        """Get a request."""
        return data(await queues.get(queue, request_id))

    @routes.put("/requests/{requestId}", needs=Permission.WRITE, takes=OBJECT)
    async def put_request(
        request: Request,
        queue: Annotated[StorageRef, Depends(find)],
        request_id: RequestId,
        *,
        forefront: Forefront = False,
        client_key: ClientKey = None,
    ) -> Response:
        """Change a request, or add it; handledAt says that it is handled."""
        body = await read_body(request)
        return data(
            await queues.update(queue, request_id, body, forefront=forefront, client_key=client_key)
        )

    @routes.delete("/requests/{requestId}", needs=Permission.WRITE)
    async def delete_request(
        queue: Annotated[StorageRef, Depends(find)],
        request_id: RequestId,
        client_key: ClientKey = None,
    ) -> Response:
        """Remove a request."""
        await queues.delete(queue, request_id, client_key=client_key)
        return no_content()


def _add_head_routes(routes: Routes, locks: RequestLocks, find: FindStorage) -> None:
    @routes.get("/head", needs=Permission.SHARED)
    async def get_head(
        queue: Annotated[StorageRef, Depends(find)],
        limit: Limit = 100,
        client_key: ClientKey = None,
    ) -> Response:
        """Get the first requests that are not handled, locked ones too."""
        return data(await locks.head(queue, limit=limit, client_key=client_key))

    @routes.post("/head/lock", needs=Permission.WRITE)
    async def lock_head(
        queue: Annotated[StorageRef, Depends(find)],
        lock_secs: LockSecs,
        limit: Limit = 0,
        client_key: ClientKey = None,
    ) -> Response:
        """Lock the first requests that nobody has, at most 25."""
        return data(
            await locks.head_and_lock(
                queue, lock_secs=lock_secs, limit=limit, client_key=client_key
            ),
            201,
        )

    @routes.post("/requests/unlock", needs=Permission.WRITE, status=200)
    async def unlock_requests(
        queue: Annotated[StorageRef, Depends(find)], client_key: ClientKey = None
    ) -> Response:
        """Give back every lock of the client, and of the run whose token it has."""
        return data(await locks.unlock_all(queue, client_key=client_key))


def _add_lock_routes(routes: Routes, locks: RequestLocks, find: FindStorage) -> None:
    @routes.put("/requests/{requestId}/lock", needs=Permission.WRITE)
    async def put_lock(
        queue: Annotated[StorageRef, Depends(find)],
        request_id: RequestId,
        lock_secs: LockSecs,
        *,
        forefront: Forefront = False,
        client_key: ClientKey = None,
    ) -> Response:
        """Hold a lock longer."""
        return data(
            await locks.prolong(
                queue,
                request_id,
                lock_secs=lock_secs,
                forefront=forefront,
                client_key=client_key,
            )
        )

    @routes.delete("/requests/{requestId}/lock", needs=Permission.WRITE)
    async def delete_lock(
        queue: Annotated[StorageRef, Depends(find)],
        request_id: RequestId,
        *,
        forefront: Forefront = False,
        client_key: ClientKey = None,
    ) -> Response:
        """Give a lock back."""
        await locks.unlock(queue, request_id, forefront=forefront, client_key=client_key)
        return no_content()
