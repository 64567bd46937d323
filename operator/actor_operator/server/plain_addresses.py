"""Addresses without the symbol that no text of PostgreSQL can have."""

from starlette.types import ASGIApp, Receive, Scope, Send

from actor_operator.server.answers import error_answer
from actor_operator.services.errors import ApiError, invalid, not_found


class PlainAddresses:
    """Answers requests whose path or query has the symbol NUL: nothing is called so.

    Parameters
    ----------
    app
        Takes all others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and (error := _mistake(scope)) is not None:
            await error_answer(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _mistake(scope: Scope) -> ApiError | None:
    if "\0" in scope["path"]:
        return not_found("What has this address")
    if b"%00" in scope["query_string"]:
        return invalid("No parameter can have the symbol NUL (%00).", "invalid-value")
    return None
