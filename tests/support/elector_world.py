"""Electors on a Lease in memory, and what they were told."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.support.fake_lease import FakeLeaseStore, LeaseServer

from actor_operator.engine.lease import Elector
from actor_operator.engine.lease_hold import LeaseHold, LeaseTiming


class FakeClock:
    """A wall clock that tests set."""

    def __init__(self) -> None:
        self.offset = timedelta()
        self.frozen: datetime | None = None

    def now(self) -> datetime:
        seconds = asyncio.get_running_loop().time()
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds) + self.offset
        return self.frozen or moment


class Replica:
    """An elector, its network, and what it was told."""

    def __init__(self, server: LeaseServer, identity: str, slot: str = "") -> None:
        self.loop = asyncio.get_running_loop()
        self.store = FakeLeaseStore(server)
        self.network = self.store.network
        self.clock = FakeClock()
        self.timing = LeaseTiming()
        self.log: list[tuple[str, float]] = []
        self.fence = ""
        self.start_error: Exception | None = None
        self.stop_error: Exception | None = None
        self.start_takes = 0.0
        self.stop_takes = 0.0
        self.by_itself = True
        self.identity = identity
        hold = LeaseHold(
            store=self.store,
            identity=identity,
            slot=slot,
            timing=self.timing,
            clock=self.clock,
            now=self.loop.time,
        )
        self.hold = hold
        self.elector = Elector(
            hold=hold,
            on_started_leading=self._started,
            on_stopped_leading=self._stopped,
            on_stuck=lambda: self._note("stuck"),
        )
        self.task = asyncio.create_task(self.elector.run())

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.log]

    def when(self, event: str) -> float:
        return next(at for name, at in reversed(self.log) if name == event)

    @property
    def leads(self) -> bool:
        return self.elector.is_leader()

    async def _started(self, version: str) -> None:
        self._note("begin")
        self.fence = version
        await asyncio.sleep(self.start_takes)
        if self.start_error is not None:
            raise self.start_error
        self._note("started")

    async def _stopped(self) -> bool:
        self._note("stopping")
        await asyncio.sleep(self.stop_takes)
        if self.stop_error is not None:
            raise self.stop_error
        self._note("stopped")
        return self.by_itself

    def _note(self, event: str) -> None:
        self.log.append((event, self.loop.time()))

    async def until_leading(self, limit: float = 60.0) -> float:
        """Wait until it leads; returns how long that took."""
        begun = self.loop.time()
        while not self.leads:
            await asyncio.sleep(0.02)
            assert self.loop.time() - begun < limit, f"{self.identity} does not lead"
        return self.loop.time() - begun

    async def until_not_leading(self, limit: float = 60.0) -> float:
        """Wait until it does not lead; returns how long that took."""
        begun = self.loop.time()
        while self.leads:
            await asyncio.sleep(0.02)
            assert self.loop.time() - begun < limit, f"{self.identity} still leads"
        return self.loop.time() - begun

    async def shut_down(self) -> None:
        """SIGTERM."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def crash(self) -> None:
        """SIGKILL: nothing leaves this replica any more."""
        self.network.refused = True
        self.stop_takes = 0.0
        await self.shut_down()
