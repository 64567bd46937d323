"""Routes of Actors and their versions: ``/v2/actors`` and ``/v2/acts``."""

from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.responses import Response

from actor_operator.server.answers import data, json_answer, page
from actor_operator.server.bodies import read_body
from actor_operator.server.described import ANYTHING, OBJECT
from actor_operator.server.parameters import Desc, Limit, Offset, page_limit
from actor_operator.server.routes.refusal import add_refusal
from actor_operator.server.routing import Routes, Who
from actor_operator.server.run_parameters import ActorId, Build
from actor_operator.services.actors import Actors, variables_of
from actor_operator.services.errors import unsupported
from actor_operator.services.identity import Permission

PREFIXES = ("/v2/actors", "/v2/acts")
"""Paths of Actors: that of today's clients, and that of older ones and many scripts."""

TAG = "Actors"

Version = Annotated[str, Path(alias="versionNumber", description="Number of the version.")]
Variable = Annotated[str, Path(alias="envVarName", description="Name of the variable.")]

WRITES = (
    ("POST", "", "creating Actors over this API; they are objects of Kubernetes"),
    ("PUT", "/{actorId}", "changing Actors over this API; they are objects of Kubernetes"),
    ("DELETE", "/{actorId}", "deleting Actors over this API; they are objects of Kubernetes"),
    ("POST", "/{actorId}/versions", "changing versions of Actors"),
    ("PUT", "/{actorId}/versions/{versionNumber}", "changing versions of Actors"),
    ("POST", "/{actorId}/versions/{versionNumber}", "changing versions of Actors"),
    ("DELETE", "/{actorId}/versions/{versionNumber}", "changing versions of Actors"),
    ("POST", "/{actorId}/versions/{versionNumber}/env-vars", "changing environment variables"),
    *(
        (
            method,
            "/{actorId}/versions/{versionNumber}/env-vars/{envVarName}",
            "changing environment variables",
        )
        for method in ("PUT", "POST", "DELETE")
    ),
)
"""What only those can change who may change the objects in Kubernetes."""


def actor_routes(prefix: str, actors: Actors) -> Routes:
    """Every route of Actors and versions."""
    routes = Routes(prefix, TAG)
    _add_actors(routes, actors)
    _add_versions(routes, actors)
    for method, path, what in WRITES:
        add_refusal(routes, method, path, what)
    return routes


def _add_actors(routes: Routes, actors: Actors) -> None:
    @routes.get("", needs=Permission.READ)
    async def list_actors(
        caller: Who,
        offset: Offset = 0,
        limit: Limit = 0,
        my: Annotated[str, Query(description="Accepted: the list always has one's own.")] = "",
        sort_by: Annotated[str, Query(alias="sortBy", description="Accepted: createdAt.")] = "",
        *,
        desc: Desc = False,
    ) -> Response:
        """List the Actors of the account."""
        del my
        if sort_by not in {"", "createdAt"}:
            raise unsupported(f"sortBy={sort_by[:40]}")
        most = page_limit(limit)
        found = await actors.page(caller, offset=offset, limit=most, desc=desc)
        return page(found.items, total=found.total, offset=offset, limit=most, desc=desc)

    @routes.get("/{actorId}", needs=Permission.READ)
    async def get_actor(caller: Who, actor_id: ActorId) -> Response:
        """Get an Actor."""
        return data(await actors.describe(caller, actor_id))

    @routes.get("/{actorId}/webhooks", needs=Permission.READ)
    async def list_webhooks(
        caller: Who, actor_id: ActorId, offset: Offset = 0, limit: Limit = 0, *, desc: Desc = False
    ) -> Response:
        """List the webhooks of an Actor: there are none."""
        await actors.find(caller, actor_id)
        return page([], total=0, offset=offset, limit=page_limit(limit), desc=desc)

    @routes.post(
        "/{actorId}/validate-input",
        needs=Permission.READ,
        status=200,
        gives=OBJECT,
        takes=ANYTHING,
    )
    async def validate_input(
        request: Request, caller: Who, actor_id: ActorId, build: Build = ""
    ) -> Response:
        """Check an input as a start would, without an envelope."""
        body, kind = await read_body(request), request.headers.get("content-type", "")
        await actors.validate_input(caller, actor_id, body, kind, build or None)
        return json_answer({"valid": True})


def _add_versions(routes: Routes, actors: Actors) -> None:
    @routes.get("/{actorId}/versions", needs=Permission.READ)
    async def list_versions(caller: Who, actor_id: ActorId) -> Response:
        """List the versions of an Actor."""
        items = await actors.versions(caller, actor_id)
        return data({"total": len(items), "items": items})

    @routes.get("/{actorId}/versions/{versionNumber}", needs=Permission.READ)
    async def get_version(caller: Who, actor_id: ActorId, number: Version) -> Response:
        """Get a version of an Actor."""
        return data(await actors.version(caller, actor_id, number))

    @routes.get("/{actorId}/versions/{versionNumber}/env-vars", needs=Permission.READ)
    async def list_variables(caller: Who, actor_id: ActorId, number: Version) -> Response:
        """List the environment variables of a version."""
        items = variables_of(await actors.version(caller, actor_id, number))
        return data({"total": len(items), "items": items})

    @routes.get("/{actorId}/versions/{versionNumber}/env-vars/{envVarName}", needs=Permission.READ)
    async def get_variable(
        caller: Who, actor_id: ActorId, number: Version, name: Variable
    ) -> Response:
        """Get an environment variable of a version."""
        return data(variables_of(await actors.version(caller, actor_id, number), name))
