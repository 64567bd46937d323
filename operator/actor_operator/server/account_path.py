"""Base URLs that name the account: ``/accounts/NAMESPACE/v2/…`` is ``/v2/…`` in that account.

For tokens of Kubernetes, which may be valid in several.
"""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

ACCOUNT = "actor_operator.account"
"""Key in the scope of a request whose path named an account."""

_PATH = re.compile(r"/accounts/(?P<account>[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(?=/v2(/|$))")


class AccountPath:
    """Takes the account from the beginning of a path.

    Parameters
    ----------
    app
        What answers the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        match = _PATH.match(scope["path"]) if scope["type"] == "http" else None
        if match is not None:
            scope[ACCOUNT] = match["account"]
            scope["path"] = scope["path"][match.end() :]
            # What has to be escaped cannot stand in this part of the path.
            scope["raw_path"] = scope.get("raw_path", b"").removeprefix(match[0].encode())
        await self._app(scope, receive, send)
