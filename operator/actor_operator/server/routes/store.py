"""The store: public Actors of all accounts."""

from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import Response

from actor_operator.server.answers import page
from actor_operator.server.parameters import Limit, Offset, page_limit
from actor_operator.server.routing import Routes
from actor_operator.services.errors import unsupported
from actor_operator.services.identity import Permission
from actor_operator.services.public_actors import PublicActors, StoreSearch

Search = Annotated[str, Query(max_length=500, description="Words of owner, name, title or text.")]
Username = Annotated[str, Query(description="Only Actors of this account.")]
Category = Annotated[str, Query(description="Actors have no categories here: none is found.")]
Pricing = Annotated[
    str, Query(alias="pricingModel", description="All Actors are FREE: of others none is found.")
]
SortBy = Annotated[
    str, Query(alias="sortBy", description="Accepted: the order is by owner and name.")
]
Form = Annotated[str, Query(alias="responseFormat", description="full; others are not supported.")]

FORMATS = ("", "full")


def _search(
    search: Search = "", username: Username = "", category: Category = "", pricing: Pricing = ""
) -> StoreSearch:
    nothing = bool(category) or pricing not in {"", "FREE"}
    return StoreSearch(search, username, nothing=nothing)


def store_routes(actors: PublicActors) -> Routes:
    """Routes of the store.

    Parameters
    ----------
    actors
        The public Actors.
    """
    routes = Routes("/v2/store", "Store")

    @routes.get("", needs=Permission.READ)
    async def list_public_actors(
        wanted: Annotated[StoreSearch, Depends(_search)],
        sort_by: SortBy = "",
        form: Form = "",
        offset: Offset = 0,
        limit: Limit = 0,
    ) -> Response:
        """List the Actors that every account may run."""
        del sort_by
        if form not in FORMATS:
            raise unsupported(f"responseFormat={form[:40]}")
        most = page_limit(limit)
        found = await actors.page(wanted, offset=offset, limit=most)
        return page(found.items, total=found.total, offset=offset, limit=most, desc=False)

    return routes
