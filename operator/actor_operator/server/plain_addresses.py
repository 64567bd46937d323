"""Addresses in the form that routes take, without symbols that would mean something else.

NUL is in no text of PostgreSQL. A slash within a part of the path (``%2F``) would be taken for one
between two parts: it becomes the tilde that Apify's clients write in its place, so that
``me%2Fhello`` is the Actor ``me~hello``. Where it stands in a key or an id it is as wrong as a
slash is, and is refused by those who know the form of these.
"""

from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from actor_operator.server.answers import error_answer
from actor_operator.services.errors import ApiError, invalid, not_found


class PlainAddresses:
    """Answers requests with a NUL in path or query, and takes slashes out of parts of paths.

    Parameters
    ----------
    app
        Takes all others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            if (error := _mistake(scope)) is not None:
                await error_answer(error)(scope, receive, send)
                return
            raw = scope.get("raw_path") or b""
            if b"%2f" in raw.lower():
                scope["path"] = _without_slashes(raw)
        await self._app(scope, receive, send)


def _without_slashes(raw: bytes) -> str:
    """A path with a tilde for each slash within a part."""
    parts = raw.decode("latin-1").split("/")
    return "/".join(unquote(part).replace("/", "~") for part in parts)


def _mistake(scope: Scope) -> ApiError | None:
    if "\0" in scope["path"]:
        return not_found("What has this address")
    if b"%00" in scope["query_string"]:
        return invalid("No parameter can have the symbol NUL (%00).", "invalid-value")
    return None
