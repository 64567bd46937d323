"""Counts and times every request."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actor_operator.metrics_api import ApiMetrics

UNKNOWN = "unknown"
"""What stands for the route of a request that has none: paths are not labels."""


class Measured:
    """An application whose requests are counted.

    Parameters
    ----------
    app
        What answers them.
    metrics
        Where they are counted.
    """

    def __init__(self, app: ASGIApp, metrics: ApiMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun = 500, time.perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.open.inc()
        try:
            await self._app(scope, receive, note)
        finally:
            self._metrics.open.dec()
            route = getattr(scope.get("route"), "path", UNKNOWN)
            method = scope["method"] if route != UNKNOWN else UNKNOWN
            self._metrics.requests.labels(method, route, str(status)).inc()
            self._metrics.seconds.labels(method, route).observe(time.perf_counter() - begun)
