"""``/readyz`` and ``/metrics``."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from actor_operator.settings import ProbeSettings


async def serve_endpoints(
    settings: ProbeSettings, *, registry: CollectorRegistry, ready: Callable[[], bool]
) -> web.AppRunner:
    """Start the server; ``cleanup()`` of what is returned stops it.

    Parameters
    ----------
    settings
        Where to listen.
    registry
        The metrics.
    ready
        Whether this replica is warm; leading is no part of it, for only one of them leads.

    Raises
    ------
    OSError
        When the port is taken.
    """

    async def readyz(_: web.Request) -> web.Response:
        if ready():
            return web.Response(text="ok\n")
        return web.Response(status=503, text="the caches are not filled yet\n")

    async def metrics(_: web.Request) -> web.Response:
        body = generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.metrics_port).start()
    return runner
