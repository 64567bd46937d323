"""The process of the API server: its tasks and its two ports, from start to end."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from actor_operator.constants import NESTING
from actor_operator.engine.supervisor import Supervisor
from actor_operator.errors import ConfigurationError
from actor_operator.log import logger
from actor_operator.metrics_api import ApiMetrics
from actor_operator.server.health import health_app
from actor_operator.settings_api import ApiSettings

log = logger(__name__)

STOP_SECONDS = 10.0
"""How long tasks may take to stop."""

DRAIN_SECONDS = 40
"""How long open requests may take once the process is told to stop; the pod's grace is 60 s."""


class Service(Protocol):
    """What runs behind the ports."""

    @property
    def metrics(self) -> ApiMetrics:
        """Its metrics."""
        ...

    @property
    def synced(self) -> bool:
        """Whether its caches are filled."""
        ...

    async def warm(self) -> None:
        """Return once its caches are filled for the first time."""
        ...

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What runs for ever, by name."""
        ...

    def stop_waiting(self) -> None:
        """Answer every request that is held, and end every stream: the process stops."""
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...


class HttpServer(uvicorn.Server):
    """Uvicorn, which leaves signals to us: two of them run in one process."""

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(
    service: Service, app: ASGIApp, settings: ApiSettings, stop: asyncio.Event | None = None
) -> None:
    """Serve until a signal, or an event, ends it.

    Parameters
    ----------
    service
        What runs behind the ports.
    app
        What answers on the main port.
    settings
        Where to listen.
    stop
        Ends it, as a signal does.

    Raises
    ------
    ConfigurationError
        When a port is taken.
    """
    sys.setrecursionlimit(NESTING)
    stop = stop or _stopped_by_signals()
    supervisor = Supervisor(on_death=lambda task: service.metrics.task_deaths.labels(task).inc())
    for name, run in service.tasks().items():
        supervisor.start(name, run)
    try:
        await _serve_ports(service, app, settings, stop)
    except* ConfigurationError as errors:
        raise errors.exceptions[0] from None
    finally:
        await supervisor.stop_all(STOP_SECONDS)
        await service.close()


def _stopped_by_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _serve_ports(
    service: Service, app: ASGIApp, settings: ApiSettings, stop: asyncio.Event
) -> None:
    """Open the port for health at once, and the main one while the caches are filled."""
    main = http_server(app, settings.host, settings.port, settings.trusted_proxies)
    health = http_server(
        health_app(service.metrics, lambda: main.started and service.synced and not stop.is_set()),
        settings.host,
        settings.metrics_port,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(_run(health, settings.metrics_port))
        if await _is_warm(service, stop):
            running = group.create_task(_run(main, settings.port))
            log.info("Serving.", port=settings.port)
            await stop.wait()
            service.stop_waiting()
            main.should_exit = True
            await running
        health.should_exit = True


def http_server(
    app: ASGIApp, host: str, port: int, trusted_proxies: Sequence[str] = ()
) -> HttpServer:
    """A server for one port.

    Parameters
    ----------
    trusted_proxies
        Ranges of addresses whose word on the client's own address is believed.
    """
    return HttpServer(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="none",
            http="httptools",
            ws="websockets-sansio",
            lifespan="off",
            access_log=False,  # addresses may hold tokens
            log_config=None,
            server_header=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
            timeout_graceful_shutdown=DRAIN_SECONDS,
            timeout_keep_alive=75,
            backlog=1024,
        )
    )


async def _run(server: HttpServer, port: int) -> None:
    try:
        await server.serve()
    except SystemExit:  # uvicorn's way to say that it cannot listen
        raise ConfigurationError(f"Port {port} cannot be used; is it taken?") from None


async def _is_warm(service: Service, stop: asyncio.Event) -> bool:
    """Wait for the caches; False: the process is to stop before they are filled."""
    waits = {asyncio.create_task(service.warm()), asyncio.create_task(stop.wait())}
    _, late = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in late:
        task.cancel()
    return not stop.is_set()
