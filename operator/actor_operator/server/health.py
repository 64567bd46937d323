"""``/healthz``, ``/readyz`` and ``/metrics``, on a port that the world does not reach."""

from collections.abc import Callable

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from actor_operator.metrics_api import ApiMetrics


def health_app(metrics: ApiMetrics, ready: Callable[[], bool]) -> Starlette:
    """The application for the kubelet and Prometheus.

    Parameters
    ----------
    metrics
        The metrics.
    ready
        Whether requests can be served.
    """

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        if ready():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("the caches are not filled yet\n", status_code=503)

    async def tell(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", tell),
        ]
    )
