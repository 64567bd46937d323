"""The ASGI application: routes, errors, and what holds for every request."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from actor_operator import __version__
from actor_operator.errors import RetryableError, WaitingError
from actor_operator.log import logger
from actor_operator.server.answers import error_answer
from actor_operator.server.described import describe
from actor_operator.server.gate import Gate
from actor_operator.server.plain_addresses import PlainAddresses
from actor_operator.server.routing import Routes
from actor_operator.services.errors import ApiError, unavailable

log = logger(__name__)

ALLOWED_HEADERS = (
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "X-Apify-Request-Origin",
    "X-Apify-Workflow-Key",
)
"""What scripts of other origins may send: what Apify's client sends in a browser."""

EXPOSED_HEADERS = (
    "Content-Disposition",
    "X-Apify-Pagination-Count",
    "X-Apify-Pagination-Desc",
    "X-Apify-Pagination-Limit",
    "X-Apify-Pagination-Offset",
    "X-Apify-Pagination-Total",
)
"""What they may read."""

CORS_SECONDS = 86_400
"""How long a browser need not ask again whether it may ask."""


def build_app(gate: Gate, routes: Iterable[Routes]) -> FastAPI:
    """Make the application of its routes."""
    app = FastAPI(
        title="Actor Operator API",
        version=__version__,
        description="The Apify HTTP API for actors on a Kubernetes cluster.",
        openapi_url="/v2/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Nobody asked for it, and looking for it takes a tenth of a short request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.gate = gate
    for part in routes:
        # Not include_router: it wraps them, and nobody could look at what each of them declares.
        app.router.routes.extend(part.router.routes)
    describe(app)
    _add_error_handlers(app)
    app.add_middleware(MethodOverride)
    # Without credentials: a page of another origin must know a token, and gets no cookie to use.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
        allow_headers=ALLOWED_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        max_age=CORS_SECONDS,
    )
    app.add_middleware(PlainAddresses)
    return app


class MethodOverride:
    """``POST …?method=PUT`` is a PUT, for clients that can send GET and POST only (Apify).

    Nothing but POST can become another method, and only PUT or DELETE: a link must not change
    anything.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and scope["method"] == "POST":
            wanted = _wanted_method(scope["query_string"])
            if wanted in {"PUT", "DELETE"}:
                scope["method"] = wanted
        await self._app(scope, receive, send)


def _wanted_method(query: bytes) -> str:
    if b"method=" not in query:
        return ""
    return parse_qs(query.decode("latin-1")).get("method", [""])[0].upper()


def _add_error_handlers(app: FastAPI) -> None:
    async def on_api_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)  # noqa: S101 -- what it is registered for
        return error_answer(error)

    async def on_retryable(request: Request, error: Exception) -> Response:
        log.warning("A request could not be served now.", path=request.url.path, cause=str(error))
        return error_answer(unavailable(f"Not now: {error}"))

    async def on_invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 -- as above
        mistakes = "; ".join(_describe(mistake) for mistake in error.errors())
        return error_answer(ApiError("invalid-parameter", mistakes))

    async def on_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 -- as above
        answer = error_answer(_of_framework(error))
        answer.headers.update(error.headers or {})
        return answer

    async def on_anything(request: Request, error: Exception) -> Response:
        log.error("A request failed.", path=request.url.path, exc_info=error)
        return error_answer(
            ApiError("internal-server-error", "Something is wrong in this server.", status=500)
        )

    app.add_exception_handler(ApiError, on_api_error)
    app.add_exception_handler(RetryableError, on_retryable)
    app.add_exception_handler(WaitingError, on_retryable)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_anything)


def _of_framework(error: HTTPException) -> ApiError:
    if error.status_code == 404:
        return ApiError("page-not-found", "There is no such address. Check the path.", status=404)
    if error.status_code == 405:
        message = "This address does not take that method."
        return ApiError("method-not-allowed", message, status=405)
    return ApiError("invalid-request", str(error.detail), status=error.status_code)


def _describe(mistake: Any) -> str:
    where = ".".join(str(part) for part in mistake["loc"][1:])
    return f"{where}: {mistake['msg']}"
