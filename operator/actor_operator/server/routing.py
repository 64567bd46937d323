"""Routes that say what they need.

A handler gets its caller by ``Who``. The dependency behind it finds out who asks and looks at what
the route declares: no handler can forget to.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

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
        self.router = APIRouter(prefix=prefix, tags=[tag])

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
        # Also where the handler does not ask who it is; it is found out once.
        dependencies = [Depends(authenticated), *more.pop("dependencies", ())]

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
                dependencies=dependencies,
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


async def authenticated(request: Request) -> Caller:
    """Who asks; the route's permission is theirs.

    Raises
    ------
    ApiError
        401 without a valid token, 403 without the permission, 429 for too many requests.
    """
    needed = permission_of(request.scope["route"])
    caller: Caller = await request.app.state.gate.admit(request, needed)
    return caller


Who = Annotated[Caller, Depends(authenticated)]
"""Parameter of a handler: who asks."""
