"""The gate: who asks, how often, and whether they may."""

from fastapi import Request

from actor_operator.server.account_path import ACCOUNT
from actor_operator.services.authentication import Authentication
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import NOBODY, Caller, Permission
from actor_operator.services.rates import Rates


class Gate:
    """Finds out who asks.

    Parameters
    ----------
    authentication
        Knows tokens.
    rates
        How often one may ask.
    """

    def __init__(self, authentication: Authentication, rates: Rates) -> None:
        self._authentication = authentication
        self._rates = rates

    async def admit(self, request: Request, needed: Permission) -> Caller:
        """Who asks, if they may.

        Raises
        ------
        ApiError
            429 for too many requests, 401 without a valid token, 403 without the permission.
        """
        token = token_of(request)
        if not self._rates.take(token or (request.client.host if request.client else "")):
            raise ApiError(
                "rate-limit-exceeded",
                "Too many requests. Wait a moment and try again.",
                status=429,
            )
        if needed is Permission.PUBLIC:
            return NOBODY
        caller = await self._identify(request, token) if token else NOBODY
        if needed in caller.permissions:
            return caller
        if not caller.is_somebody:
            raise ApiError(
                "token-not-provided",
                "A token is needed: send it in the header Authorization, as Bearer TOKEN.",
                status=401,
            )
        raise ApiError(
            "insufficient-permissions",
            f'The token does not allow this; it would need the permission "{needed.value}".',
            status=403,
        )

    async def _identify(self, request: Request, token: str) -> Caller:
        return await self._authentication.identify(token, request.scope.get(ACCOUNT, ""))


def token_of(request: Request) -> str:
    """The token that came with a request, in its header or its query; empty: none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    return request.query_params.get("token", "")
