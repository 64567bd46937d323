"""Routes that say what they need.

Who asks, and whether they may do what the route declares, is found out before all else: no handler
can forget to. A handler gets its caller by ``Who``.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from typing_extensions import override

from actor_operator.errors import ConfigurationError
from actor_operator.server.described import (
    ENVELOPE,
    NOTHING,
    Content,
    request_body,
    responses,
    security,
)
from actor_operator.services.identity import Caller, Permission

PERMISSION = "x-permission"
"""Where a route's permission stands in the OpenAPI document."""

H = TypeVar("H", bound=Callable[..., Any])


class GatedRoute(APIRoute):
    """A route that says what it needs; nobody passes who may not.

    The gate is no dependency: the framework would look at it again for each that needs the caller,
    which takes a tenth of a short request.

    Raises
    ------
    ConfigurationError
        When it does not say what it needs.
    """

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers requests.

        Raises
        ------
        ApiError
            401 without a valid token, 403 without the permission, 429 for too many requests.
        """
        handle, needed = super().get_route_handler(), permission_of(self)

        async def admit(request: Request) -> Response:
            request.state.caller = await request.app.state.gate.admit(request, needed)
            return await handle(request)

        return admit


class Routes:
    """Routes under one prefix.

    Parameters
    ----------
    prefix
        Path before that of every route.
    tag
        Chapter of the OpenAPI document.
    """

    def __init__(self, prefix: str, tag: str) -> None:
        self.router = APIRouter(prefix=prefix, tags=[tag], route_class=GatedRoute)

    def add(
        self,
        method: str,
        path: str,
        *,
        needs: Permission,
        status: int = 200,
        gives: Content = ENVELOPE,
        takes: Content = NOTHING,
        **more: Any,
    ) -> Callable[[H], H]:
        """Declare a route; the function below it handles its requests.

        Parameters
        ----------
        method
            HTTP method.
        path
            Path after the prefix.
        needs
            What the caller must be allowed to do.
        status
            HTTP status of success, for the OpenAPI document.
        gives, takes
            Bodies of answers and requests, for the same.
        more
            Passed on to the framework.
        """
        extra = {PERMISSION: needs.value, **request_body(takes), **security(needs)}

        def register(handler: H) -> H:
            self.router.add_api_route(
                path,
                handler,
                methods=[method],
                status_code=status,
                response_class=Response,
                response_model=None,
                openapi_extra=extra,
                responses=responses(status, NOTHING if method == "HEAD" else gives),
                summary=(handler.__doc__ or "").strip().partition("\n")[0].rstrip("."),
                **more,
            )
            return handler

        return register

    def get(self, path: str, *, needs: Permission, **more: Any) -> Callable[[H], H]:
        """Declare a GET."""
        return self.add("GET", path, needs=needs, **more)

    def post(self, path: str, *, needs: Permission, **more: Any) -> Callable[[H], H]:
        """Declare a POST; success is 201 unless it is said otherwise."""
        return self.add("POST", path, needs=needs, **{"status": 201, **more})

    def put(self, path: str, *, needs: Permission, **more: Any) -> Callable[[H], H]:
        """Declare a PUT."""
        return self.add("PUT", path, needs=needs, **more)

    def delete(self, path: str, *, needs: Permission, **more: Any) -> Callable[[H], H]:
        """Declare a DELETE; success is 204 unless it is said otherwise."""
        return self.add("DELETE", path, needs=needs, **{"status": 204, **more})


def permission_of(route: Any) -> Permission:
    """What a route declares.

    Raises
    ------
    ConfigurationError
        When it declares nothing.
    """
    try:
        return Permission((getattr(route, "openapi_extra", None) or {})[PERMISSION])
    except KeyError:
        path = getattr(route, "path", route)
        raise ConfigurationError(f"The route {path} does not say what it needs.") from None


def caller_of(request: Request) -> Caller:
    """Who asks: the route's permission is theirs."""
    caller: Caller = request.state.caller
    return caller


async def _caller(request: Request) -> Caller:
    return caller_of(request)  # a dependency that does not wait would be given a thread


Who = Annotated[Caller, Depends(_caller)]
"""Parameter of a handler: who asks."""
