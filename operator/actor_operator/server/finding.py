"""How a path names a storage: by its own id, as the default one of a run, or of the last run.

Each function makes a dependency of routes, so that the routes of a noun are written once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated

from fastapi import Path, Request

from actor_operator.desired.names import ids_of
from actor_operator.server.parameters import Signature
from actor_operator.server.routing import caller_of, permission_of
from actor_operator.server.run_parameters import ActorId, Origin, RunId, Status
from actor_operator.services.access import WORDS, FindStorage, StorageAccess, StorageRef, Wish
from actor_operator.services.errors import not_found
from actor_operator.services.identity import Caller, Permission
from actor_operator.storage.catalog import StorageKind

StorageId = Annotated[
    str, Path(alias="storageId", description="Id of the storage, username~name, or ~name.")
]
FindLastRun = Callable[[Caller, str, str, str], Awaitable[str]]
"""Gives the id of the last run of an Actor, with a status and an origin."""


def by_id(access: StorageAccess, kind: StorageKind) -> FindStorage:
    """For ``/v2/datasets/{storageId}`` and the like."""

    async def find(
        request: Request, storage_id: StorageId, signature: Signature = ""
    ) -> StorageRef:
        return await access.find(caller_of(request), _wish(request, kind, storage_id, signature))

    return find


def by_run(access: StorageAccess, kind: StorageKind) -> FindStorage:
    """For ``/v2/actor-runs/{runId}/dataset`` and the like.

    The run only says which storage is meant; who may use that is asked of the storage.
    """

    async def find(request: Request, run_id: RunId, signature: Signature = "") -> StorageRef:
        wish = _wish(request, kind, _default(kind, run_id), signature)
        return await access.find(caller_of(request), wish)

    return find


def by_last_run(access: StorageAccess, kind: StorageKind, find_last: FindLastRun) -> FindStorage:
    """For ``/v2/actors/{actorId}/runs/last/dataset`` and the like."""

    async def find(
        request: Request, actor_id: ActorId, status: Status = "", origin: Origin = ""
    ) -> StorageRef:
        caller = caller_of(request)
        wish = _wish(request, kind, "", "")
        if not wish.write and Permission.READ not in caller.permissions:
            raise not_found(WORDS[kind])
        found = _default(kind, await find_last(caller, actor_id, status, origin))
        return await access.find(caller, replace(wish, reference=found))

    return find


def _default(kind: StorageKind, run_id: str) -> str:
    known = ids_of(run_id)
    return {
        StorageKind.KEY_VALUE_STORE: known.key_value_store,
        StorageKind.DATASET: known.dataset,
        StorageKind.REQUEST_QUEUE: known.request_queue,
    }[kind]


def _wish(request: Request, kind: StorageKind, reference: str, signature: str) -> Wish:
    return Wish(
        kind=kind,
        reference=reference,
        write=permission_of(request.scope["route"]) is Permission.WRITE,
        signature=signature,
        record_key=request.path_params.get("recordKey", ""),
    )
