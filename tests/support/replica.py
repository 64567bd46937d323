"""Two of these compete for a Lease on a server."""

import asyncio
from types import TracebackType
from typing import Self

from actor_operator.clock import SystemClock
from actor_operator.engine.lease import Elector
from actor_operator.engine.lease_hold import LeaseHold, LeaseTiming
from actor_operator.kube.client import KubeClient
from actor_operator.kube.credentials import Connection
from actor_operator.kube.leases import LeaseStore
from actor_operator.kube.transport import Timeouts

TIMING = LeaseTiming(duration=3, renew_deadline=1.5, retry=0.3, landing=1.0, stopping=1.0)
"""Times for tests that wait for a lease to run out."""

TIMEOUTS = Timeouts(connect=0.5, read=1.0, write=0.5)
"""Time limits that go with them."""


class Replica:
    """An elector with its clients."""

    def __init__(self, connection: Connection, identity: str, namespace: str) -> None:
        self._lease_client = KubeClient(connection, user_agent=identity, timeouts=TIMEOUTS)
        self.fences: list[str] = []
        self.stops = 0
        self.elector = Elector(
            hold=LeaseHold(
                store=LeaseStore(self._lease_client, namespace=namespace, name="test"),
                identity=identity,
                timing=TIMING,
                clock=SystemClock(),
            ),
            on_started_leading=self._started,
            on_stopped_leading=self._stopped,
            on_stuck=lambda: None,
        )
        self.client = KubeClient(
            connection, user_agent=identity, timeouts=TIMEOUTS, guard=self.elector.check
        )
        self._task = asyncio.create_task(self.elector.run())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.shut_down()
        await self._lease_client.close()
        await self.client.close()

    async def _started(self, version: str) -> None:
        self.fences.append(version)

    async def _stopped(self) -> bool:
        self.stops += 1
        return True

    @property
    def leads(self) -> bool:
        """Whether it may write."""
        return self.elector.is_leader()

    async def until(self, *, leading: bool, seconds: float = 10.0) -> float:
        """Wait until it leads, or does not; returns how long that took."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.timeout(seconds):
            while self.leads is not leading:  # noqa: ASYNC110 -- nobody signals a lease's end
                await asyncio.sleep(0.01)
        return loop.time() - begun

    async def shut_down(self) -> None:
        """SIGTERM."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
