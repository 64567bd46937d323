"""Routes of builds: of an Actor, and ``/v2/actor-builds``."""

from typing import Annotated

from fastapi import Path
from fastapi.responses import Response

from actor_operator.server.answers import data, json_answer, page
from actor_operator.server.described import OBJECT
from actor_operator.server.parameters import Desc, Limit, Offset, page_limit
from actor_operator.server.routes.refusal import add_refusal
from actor_operator.server.routing import Routes, Who
from actor_operator.server.run_parameters import ActorId, Wait
from actor_operator.services.actors import Actors
from actor_operator.services.identity import Permission

TAG = "Builds"

BuildId = Annotated[str, Path(alias="buildId", description="Id of the build.")]

MAKING = "making builds: an Actor names images that were built elsewhere"


def actor_build_routes(prefix: str, actors: Actors) -> Routes:
    """Every route of the builds of an Actor."""
    routes = Routes(prefix, TAG)

    @routes.get("/{actorId}/builds", needs=Permission.READ)
    async def list_builds(
        caller: Who, actor_id: ActorId, offset: Offset = 0, limit: Limit = 0, *, desc: Desc = False
    ) -> Response:
        """List the builds of an Actor."""
        most = page_limit(limit)
        found = await actors.builds(caller, actor_id, offset=offset, limit=most, desc=desc)
        return page(found.items, total=found.total, offset=offset, limit=most, desc=desc)

    # ``default`` in the place of the id is the build of a run without wishes.
    @routes.get("/{actorId}/builds/{buildId}", needs=Permission.READ)
    async def get_build(
        caller: Who, actor_id: ActorId, build_id: BuildId, wait: Wait = 0
    ) -> Response:
        """Get a build of an Actor."""
        del wait  # builds are finished as long as we know them
        return data(await actors.build(caller, build_id, actor_id))

    @routes.get("/{actorId}/builds/{buildId}/openapi.json", needs=Permission.READ, gives=OBJECT)
    async def get_openapi(caller: Who, actor_id: ActorId, build_id: BuildId) -> Response:
        """Get an OpenAPI document that tells how to run a build of an Actor."""
        return json_answer(await actors.build_openapi(caller, build_id, actor_id))

    add_refusal(routes, "POST", "/{actorId}/builds", MAKING)
    add_refusal(routes, "POST", "/{actorId}/builds/{buildId}/abort", MAKING)
    return routes


def build_routes(actors: Actors) -> Routes:
    """Every route of builds by their id."""
    routes = Routes("/v2/actor-builds", TAG)

    @routes.get("", needs=Permission.READ)
    async def list_builds(
        caller: Who, offset: Offset = 0, limit: Limit = 0, *, desc: Desc = False
    ) -> Response:
        """List the builds of the account's Actors."""
        most = page_limit(limit)
        found = await actors.builds(caller, None, offset=offset, limit=most, desc=desc)
        return page(found.items, total=found.total, offset=offset, limit=most, desc=desc)

    @routes.get("/{buildId}", needs=Permission.READ)
    async def get_build(caller: Who, build_id: BuildId, wait: Wait = 0) -> Response:
        """Get a build."""
        del wait  # builds are finished as long as we know them
        return data(await actors.build(caller, build_id))

    @routes.get("/{buildId}/openapi.json", needs=Permission.READ, gives=OBJECT)
    async def get_openapi(caller: Who, build_id: BuildId) -> Response:
        """Get an OpenAPI document that tells how to run a build."""
        return json_answer(await actors.build_openapi(caller, build_id))

    add_refusal(routes, "DELETE", "/{buildId}", "removing builds over this API")
    add_refusal(routes, "POST", "/{buildId}/abort", MAKING)
    return routes
