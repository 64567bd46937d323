"""What routes of storages of all kinds have in common: their list, and the storage itself."""

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from actor_operator.server.answers import data, no_content, page
from actor_operator.server.bodies import read_json
from actor_operator.server.parameters import Desc, Limit, Offset, one_of, page_limit
from actor_operator.server.routing import Routes, Who
from actor_operator.services.access import FindStorage, StorageRef
from actor_operator.services.identity import Permission
from actor_operator.services.storages import Storages

OWNERSHIPS = ("", "ownedByMe", "sharedWithMe")
"""Whose storages are listed; nobody's are shared with an account here."""


def storage_collection_routes(prefix: str, tag: str, storages: Storages) -> Routes:
    """The list of storages of a kind, and the making of further ones."""
    routes = Routes(prefix, tag)

    @routes.get("", needs=Permission.READ)
    async def list_storages(
        caller: Who,
        offset: Offset = 0,
        limit: Limit = 0,
        ownership: Annotated[str, Query(description="ownedByMe or sharedWithMe.")] = "",
        *,
        desc: Desc = False,
        unnamed: Annotated[bool, Query(description="Also those without a name.")] = False,
    ) -> Response:
        """List storages of the account."""
        most = page_limit(limit)
        if one_of(ownership, OWNERSHIPS, "ownership") == "sharedWithMe":
            return page([], total=0, offset=offset, limit=most, desc=desc, unnamed=unnamed)
        found = await storages.page(caller, offset=offset, limit=most, desc=desc, unnamed=unnamed)
        return page(
            found.items, total=found.total, offset=offset, limit=most, desc=desc, unnamed=unnamed
        )

    @routes.post("", needs=Permission.WRITE)
    async def create_storage(
        request: Request,
        caller: Who,
        name: Annotated[str, Query(description="Name; the storage that has it is given.")] = "",
    ) -> Response:
        """Make a storage, or get the one that has the name."""
        found, made = await storages.create(caller, name, await read_json(request))
        return data(found, 201 if made else 200)

    return routes


def add_storage_routes(routes: Routes, storages: Storages, find: FindStorage) -> None:
    """The storage itself: get, change, delete."""
    Found = Annotated[StorageRef, Depends(find)]  # noqa: N806 -- a type

    @routes.get("", needs=Permission.SHARED)
    async def get_storage(storage: Found) -> Response:
        """Get the storage."""
        return data(await storages.get(storage))

    @routes.put("", needs=Permission.WRITE)
    async def update_storage(request: Request, storage: Found) -> Response:
        """Change the storage's name, title or general access."""
        return data(await storages.update(storage, await read_json(request)))

    @routes.delete("", needs=Permission.WRITE)
    async def delete_storage(storage: Found) -> Response:
        """Delete the storage with all that is in it."""
        await storages.delete(storage)
        return no_content()
