"""One replica of the operator in this process, which can stop in order or crash."""

import asyncio
import contextlib

from tests.support.apiserver import ApiServer
from tests.support.apiserver.faults import Reset
from tests.support.apiserver.requestlog import Request

from actor_operator.engine.supervisor import Supervisor
from actor_operator.factory import build_operator
from actor_operator.kube.credentials import Connection
from actor_operator.settings import Settings

STOP_SECONDS = 10.0


class Replica:
    """The operator as the factory builds it, without the shell around it.

    Parameters
    ----------
    server
        The API server.
    settings
        The operator's settings.
    """

    def __init__(self, server: ApiServer, settings: Settings) -> None:
        self._server = server
        self._lease = ("leases", settings.namespace, settings.lease.name)
        self._dead = False
        self.operator = build_operator(settings, self._connect())
        self._supervisor = Supervisor()
        self._end: asyncio.Task[None] | None = None
        for name, run in self.operator.tasks().items():
            self._supervisor.start(name, run)

    def crash(self, _: Request | None = None) -> None:
        """End at once: from this moment on no request leaves it.

        As an action of a fault it also takes the answer away.

        Raises
        ------
        Reset
            When it is the action of a fault.
        """
        self._dead = True
        self._end = asyncio.create_task(self.stop())
        # The next one need not wait until the lease runs out: nothing of us can land any more.
        with contextlib.suppress(LookupError):
            self._server.delete(*self._lease)
        if _ is not None:
            raise Reset

    async def stop(self) -> None:
        """Stop in order."""
        await self._supervisor.stop_all(STOP_SECONDS)
        await self.operator.close()

    async def stopped(self) -> None:
        """Wait for the end of a crash, or stop."""
        await (self._end or self.stop())

    @property
    def crashed(self) -> bool:
        """Whether it was made to crash."""
        return self._dead

    def _connect(self) -> Connection:
        return Connection(
            url=self._server.url,
            ssl=False,
            namespace="default",
            authorization=self._authorize,
            reload=self._connect,
        )

    def _authorize(self) -> str | None:
        """Asked before each request."""
        if self._dead:
            raise OSError("this replica has crashed")
        return None
