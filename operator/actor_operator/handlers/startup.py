"""The operator process: our engine, in kopf as its shell."""

import asyncio
import errno
import logging
import sys
from collections.abc import Iterator
from typing import Any, cast

import kopf
import uvloop
from aiohttp import web

from actor_operator.constants import NESTING
from actor_operator.engine.supervisor import Supervisor
from actor_operator.errors import ConfigurationError
from actor_operator.factory import Operator, build_operator
from actor_operator.handlers.endpoints import serve_endpoints
from actor_operator.kube.credentials import Connection, connect
from actor_operator.log import configure, logger
from actor_operator.settings import LogFormat, ProbeSettings, Settings

log = logger(__name__)

STOP_SECONDS = 10.0
"""How long our tasks may take to stop."""

KILL_SECONDS = 25.0
"""After which a process that does not stop is killed; the pod's grace is 30 s."""

SHELL_PAUSE = 5.0
"""Seconds before kopf is started again after it died; our engine goes on meanwhile."""

LOUD_LOGGERS = ("kopf._core.reactor.observation", "kopf.activities", "aiohttp.access")
"""They repeat at every attempt, or at every probe, what we say once."""


class EndlessBackoffs:
    """Pauses of kopf between attempts to reach the API server: it must not give up and exit."""

    def __iter__(self) -> Iterator[float]:
        pause = 1.0
        while True:
            yield pause
            pause = min(pause * 2, 10.0)


class Runtime:
    """What runs in this process, from kopf's start to its end.

    Parameters
    ----------
    operator
        The replica.
    settings
        The operator's settings.
    """

    def __init__(self, operator: Operator, settings: Settings) -> None:
        self.operator = operator
        self._settings = settings
        self._supervisor = Supervisor(on_death=self._count_death)
        self._endpoints: web.AppRunner | None = None

    async def start(self) -> None:
        """Start everything; nothing happens when it runs already.

        Raises
        ------
        ConfigurationError
            When the port of the endpoints is taken.
        """
        if self._endpoints is not None:
            return
        probes = self._settings.probes
        try:
            self._endpoints = await serve_endpoints(
                probes, registry=self.operator.metrics.registry, ready=lambda: self.operator.synced
            )
        except OSError as error:
            raise ConfigurationError(
                f"Port {probes.metrics_port} for /metrics cannot be used: {error}"
            ) from error
        for name, run in self.operator.tasks().items():
            self._supervisor.start(name, run)

    def _count_death(self, task: str) -> None:
        self.operator.metrics.task_deaths.labels(task).inc()

    async def stop(self) -> None:
        """Stop everything; the lease is given back. Nothing happens when nothing runs."""
        if self._endpoints is None:
            return
        endpoints, self._endpoints = self._endpoints, None
        await self._supervisor.stop_all(STOP_SECONDS)
        await endpoints.cleanup()
        await self.operator.close()


def run_operator(settings: Settings) -> None:
    """Run the operator until a signal ends it.

    Raises
    ------
    ConfigurationError
        When the credentials or the settings do not allow it to start.
    """
    sys.setrecursionlimit(NESTING)
    configure(level=settings.log.level, json=settings.log.format is LogFormat.JSON)
    for name in LOUD_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    connection = connect()
    uvloop.run(serve(settings, connection))


async def serve(
    settings: Settings, connection: Connection, stop: asyncio.Event | None = None
) -> None:
    """Run one replica until a signal, or an event, ends it.

    Parameters
    ----------
    settings
        The operator's settings.
    connection
        Where the cluster is.
    stop
        Ends it, as a signal does.

    Raises
    ------
    ConfigurationError
        When a port is taken.
    """
    while True:
        runtime = Runtime(build_operator(settings, connection), settings)
        try:
            await runtime.start()
            await _run_shell(runtime, settings.probes, stop)
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it was, the process goes on
            log.warning("The shell died and all is started again.", cause=str(error))
            await asyncio.sleep(SHELL_PAUSE)
        else:
            return
        finally:
            await runtime.stop()


async def _run_shell(runtime: Runtime, probes: ProbeSettings, stop: asyncio.Event | None) -> None:
    """Run kopf; it returns when it is told to stop, and dies when its own requests fail."""
    try:
        await kopf.operator(
            registry=build_registry(runtime),
            standalone=True,
            clusterwide=True,
            liveness_endpoint=f"http://{probes.host}:{probes.probes_port}/healthz",
            stop_flag=stop,
            # Else kopf asks for the name of the user, and the image's user has none.
            identity=cast("Any", "actor-operator"),
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        message = f"Port {probes.probes_port} for /healthz cannot be used: {error}"
        raise ConfigurationError(message) from error


def build_registry(runtime: Runtime) -> kopf.OperatorRegistry:
    """Kopf's handlers: settings at its start, login, and what its liveness endpoint tells."""
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def configure_kopf(settings: kopf.OperatorSettings, **_: object) -> None:
        settings.scanning.disabled = True
        settings.posting.enabled = False
        settings.networking.request_timeout = 15
        settings.networking.error_backoffs = EndlessBackoffs()
        settings.process.ultimate_exiting_timeout = KILL_SECONDS

    @kopf.on.cleanup(registry=registry)
    async def stop_work(**_: object) -> None:
        # Here and not later: kopf waits for tasks that it does not know.
        await runtime.stop()

    @kopf.on.login(registry=registry)
    def login(**context: Any) -> kopf.ConnectionInfo | None:
        # For kopf's own look at the API at its start; our clients have their own credentials.
        return kopf.login_with_service_account(**context) or kopf.login_with_kubeconfig(**context)

    @kopf.on.probe(registry=registry, id="leader")
    async def leader(**_: object) -> bool:
        return runtime.operator.elector.is_leader()

    return registry
