"""The API server: one object that tests start, ask, disturb and stop."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from aiohttp import web
from tests.support.apiserver.admin import Admin
from tests.support.apiserver.admission import NamespaceLifecycle
from tests.support.apiserver.builtin import built_in_kinds
from tests.support.apiserver.clock import Clock, wall_clock
from tests.support.apiserver.collector import Collector, NamespaceController
from tests.support.apiserver.custom import read_definitions
from tests.support.apiserver.definitions import Definitions
from tests.support.apiserver.deletion import Deletions
from tests.support.apiserver.faults import Faults
from tests.support.apiserver.fields import Object
from tests.support.apiserver.frontend import Frontend
from tests.support.apiserver.handlers import Handlers
from tests.support.apiserver.kinds import Registry
from tests.support.apiserver.podlogs import PodLogs
from tests.support.apiserver.quota import Quotas
from tests.support.apiserver.requestlog import RequestLog
from tests.support.apiserver.store import Change, Store
from tests.support.apiserver.timers import Timers
from tests.support.apiserver.watch import Watches
from tests.support.apiserver.writes import Writes

GARBAGE_DELAY = 0.02
"""Seconds after which the garbage collector follows a change."""

SHUTDOWN_SECONDS = 0.2
"""Time that open requests have to end when the server stops."""


class Controller(Protocol):
    """Follows all committed writes."""

    def on_change(self, change: Change) -> None:
        """Take note of a write; what it leads to happens later."""


class ApiServer(Admin):
    """Serves the Kubernetes API on loopback, in this process, without TLS.

    `async with ApiServer(crds=[...]) as server:` starts it and stops it.

    Parameters
    ----------
    crds
        Files of CustomResourceDefinitions to be served from the start.
    namespaces
        Namespaces that exist from the start.
    token
        Bearer token that each request needs, None to let everybody in.
    bookmark_interval
        Seconds between bookmarks of a watch.
    collect_garbage
        Whether dependents go with their owners.
    clock
        Where the times in objects come from.
    """

    def __init__(
        self,
        *,
        crds: Iterable[Path] = (),
        namespaces: Iterable[str] = ("default",),
        token: str | None = None,
        bookmark_interval: float = 60.0,
        collect_garbage: bool = True,
        clock: Clock = wall_clock,
    ) -> None:
        store, registry = Store(), Registry()
        self._timers = Timers()
        quotas = Quotas(store, self._timers)
        super().__init__(
            store=store,
            registry=registry,
            writes=Writes(store, clock, [NamespaceLifecycle(store), quotas]),
            deletions=Deletions(store, clock),
            clock=clock,
            logs=PodLogs(),
        )
        self.requests = RequestLog()
        self.watches = Watches(store)
        self.faults = Faults(self.touch)
        self._frontend = self._make_frontend(token, bookmark_interval)
        self._controllers: list[Controller] = [quotas, *self._make_controllers()]
        if collect_garbage:
            self._controllers.append(self._make_collector())
        for kind in built_in_kinds():
            registry.add(kind)
        self._initial = [_namespace(name) for name in namespaces]
        self._definitions = [obj for path in crds for obj in read_definitions(path)]
        self._runner: web.ServerRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0

    def _make_frontend(self, token: str | None, bookmark_interval: float) -> Frontend:
        handlers = Handlers(
            store=self.store, writes=self._writes, deletions=self._deletions, logs=self.logs
        )
        return Frontend(
            registry=self.registry,
            store=self.store,
            watches=self.watches,
            requests=self.requests,
            faults=self.faults,
            handlers=handlers,
            token=token,
            bookmark_interval=bookmark_interval,
        )

    def _make_controllers(self) -> list[Controller]:
        definitions = Definitions(
            store=self.store, registry=self.registry, timers=self._timers, clock=self._clock
        )
        namespaces = NamespaceController(
            store=self.store,
            deletions=self._deletions,
            timers=self._timers,
            delay=GARBAGE_DELAY,
        )
        return [definitions, namespaces]

    def _make_collector(self) -> Collector:
        return Collector(
            store=self.store,
            deletions=self._deletions,
            timers=self._timers,
            delay=GARBAGE_DELAY,
        )

    @property
    def url(self) -> str:
        """Where clients find the server, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def token(self) -> str | None:
        """The bearer token that requests need. Tests may change it at any time."""
        return self._frontend.token

    @token.setter
    def token(self, token: str | None) -> None:
        self._frontend.token = token

    async def __aenter__(self) -> Self:
        for controller in self._controllers:
            self.store.listen(controller.on_change)
        for definition in self._definitions:
            self.create("customresourcedefinitions", definition)
        for namespace in self._initial:
            self.create("namespaces", namespace)
        server = web.Server(self._frontend.handle, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await self._listen(self._runner)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timers.close()
        if self._runner is not None:
            self._reset_connections(self._runner)
            await self._runner.cleanup()

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Refuse all connections, and reset those that are open, while the context lasts."""
        if self._runner is None or self._site is None:
            raise RuntimeError("the server is not running")
        await self._site.stop()
        self._reset_connections(self._runner)
        try:
            yield
        finally:
            await self._listen(self._runner)

    async def restart(self, seconds: float = 0.0) -> None:
        """Be down for some time."""
        async with self.down():
            await asyncio.sleep(seconds)

    async def _listen(self, runner: web.ServerRunner) -> None:
        self._site = web.TCPSite(runner, "127.0.0.1", self._port, reuse_address=True)
        await self._site.start()
        self._port = runner.addresses[0][1]

    @staticmethod
    def _reset_connections(runner: web.ServerRunner) -> None:
        for connection in list(runner.server.connections) if runner.server else []:
            if connection.transport is not None:
                connection.transport.abort()


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
