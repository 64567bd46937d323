"""Addresses without the symbol that no text of PostgreSQL can have."""

from starlette.types import ASGIApp, Receive, Scope, Send

from actor_operator.server.answers import error_answer
from actor_operator.services.errors import invalid


class PlainAddresses:
    """Refuses requests whose path or query has the symbol NUL: nothing can be called so.

    Parameters
    ----------
    app
        Takes all others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            answer = error_answer(invalid("An address must not have the symbol NUL (%00)."))
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)
