"""What the routes of all kinds of storages have in common."""

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from actor_operator.server.answers import data, no_content, page
from actor_operator.server.bodies import read_json
from actor_operator.server.described import OBJECT
from actor_operator.server.parameters import Desc, Limit, Offset, one_of, page_limit
from actor_operator.server.routing import Routes, Who
from actor_operator.services.access import FindStorage, StorageRef
from actor_operator.services.identity import Permission
from actor_operator.services.storages import Storages

OWNERSHIPS = ("", "ownedByMe", "sharedWithMe")
"""Whose storages a list can have; nothing is shared with an account by name here."""


def storage_collection_routes(prefix: str, tag: str, storages: Storages) -> Routes:
    """Routes of the list of storages of a kind.

    Parameters
    ----------
    prefix
        Such as ``/v2/datasets``.
    tag
        Chapter of the OpenAPI document.
    storages
        The use cases.
    """
    routes = Routes(prefix, tag)

    @routes.get("", needs=Permission.READ)
    async def list_storages(
        caller: Who,
        *,
        offset: Offset = 0,
        limit: Limit = 0,
        desc: Desc = False,
        unnamed: Annotated[bool, Query(description="Also those without a name.")] = False,
        ownership: Annotated[str, Query(description="ownedByMe or sharedWithMe.")] = "",
    ) -> Response:
        """List the storages of the account."""
        size = page_limit(limit)
        if one_of(ownership, OWNERSHIPS, "ownership") == "sharedWithMe":
            return page([], total=0, offset=offset, limit=size, desc=desc, unnamed=unnamed)
        found = await storages.page(caller, offset=offset, limit=size, desc=desc, unnamed=unnamed)
        return page(
            found.items, total=found.total, offset=offset, limit=size, desc=desc, unnamed=unnamed
        )

    @routes.post("", needs=Permission.WRITE, takes=OBJECT)
    async def create_storage(
        request: Request,
        caller: Who,
        name: Annotated[str, Query(description="Its name; none: it has none.")] = "",
    ) -> Response:
        """Make a storage, or get the one that has the name."""
        found, made = await storages.create(caller, name, await read_json(request))
        return data(found, 201 if made else 200)

    return routes


def add_storage_routes(routes: Routes, storages: Storages, find: FindStorage) -> None:
    """Add the routes of a storage itself.

    Parameters
    ----------
    routes
        Routes under the storage's path.
    storages
        The use cases.
    find
        Dependency that gives the storage.
    """

    @routes.get("", needs=Permission.SHARED)
    async def get_storage(storage: Annotated[StorageRef, Depends(find)]) -> Response:
        """Get what is known of a storage."""
        return data(await storages.get(storage))

    @routes.put("", needs=Permission.WRITE, takes=OBJECT)
    async def put_storage(
        request: Request, storage: Annotated[StorageRef, Depends(find)]
    ) -> Response:
        """Change the name, the title, the general access or the schema of a storage."""
        return data(await storages.update(storage, await read_json(request)))

    @routes.delete("", needs=Permission.WRITE)
    async def delete_storage(storage: Annotated[StorageRef, Depends(find)]) -> Response:
        """Delete a storage and all that is in it."""
        await storages.delete(storage)
        return no_content()
