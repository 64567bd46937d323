"""Routes of Apify's API that this server answers with "not supported"."""

from fastapi.responses import Response

from actor_operator.server.routing import Routes, Who
from actor_operator.services.errors import unsupported
from actor_operator.services.identity import Permission


def add_refusal(routes: Routes, method: str, path: str, what: str) -> None:
    """Declare a route that says that this server does not have it."""

    async def refuse(_: Who) -> Response:
        raise unsupported(what)

    refuse.__doc__ = f"Refuse: this server does not support {what}."
    routes.add(method, path, needs=Permission.READ, status=400)(refuse)
