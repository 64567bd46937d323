"""A thousand random schedules of faults, and never two leaders.

Checked at each moment when a replica begins to lead: nobody else may write any more, and no write
that somebody else was allowed to send can still land.
"""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from tests.support.fake_lease import FakeLeaseStore, LeaseServer, Network

from actor_operator.engine.lease import Elector
from actor_operator.engine.lease_hold import LeaseHold, LeaseTiming

pytestmark = pytest.mark.looptime(noop_cycles=0)

BATCHES = 20
SCHEDULES = 50
"""Schedules a batch; the batches can run side by side."""

SECONDS = 45
STEP = 3.0
"""Seconds between two faults, on average."""

NEVER = float("-inf")


class Process:
    """One process of a replica, from its start to its end."""

    def __init__(self, world: "World", slot: str, number: int, network: Network) -> None:
        self.world = world
        self.slot = slot
        self.network = network
        self.last_allowed = NEVER
        self.offset = timedelta()
        self.broken_off = False
        self.dead = False
        loop = asyncio.get_running_loop()
        self.elector = Elector(
            hold=LeaseHold(
                store=FakeLeaseStore(world.server, network),
                identity=f"{slot}_{number}",
                slot=slot,
                timing=world.timing,
                clock=self,
                now=loop.time,
            ),
            on_started_leading=self._begin,
            on_stopped_leading=self._stop,
            on_stuck=lambda: None,
        )
        self.tasks = [
            asyncio.create_task(self.elector.run()),
            asyncio.create_task(self._write()),
        ]

    def now(self) -> datetime:
        """A wall clock that jumps."""
        seconds = asyncio.get_running_loop().time()
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds) + self.offset

    async def _begin(self, _version: str) -> None:
        self.world.check_beginning(self)

    async def _stop(self) -> bool:
        await asyncio.sleep(self.world.chance.uniform(0, 1.5))
        by_itself = self.world.chance.random() < 0.5
        if by_itself:
            self.last_allowed = NEVER  # every write has been answered
        return by_itself

    async def _write(self) -> None:
        while True:
            if self.elector.is_leader():
                self.last_allowed = asyncio.get_running_loop().time()
            await asyncio.sleep(1.0)

    async def end(self, *, crash: bool) -> None:
        """SIGKILL or SIGTERM."""
        if crash:
            self.dead = True
            self.network.refused = True
        self.tasks[1].cancel()
        self.tasks[0].cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class World:
    """One schedule."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(seed)  # noqa: S311 -- a schedule, no secret
        self.server = LeaseServer()
        self.timing = LeaseTiming()
        self.processes: list[Process] = []
        self.beginnings = 0
        self.violations: list[str] = []
        self._live: dict[str, Process] = {}

    def check_beginning(self, beginner: Process) -> None:
        """Note what must not be when a replica begins to lead."""
        self.beginnings += 1
        now = asyncio.get_running_loop().time()
        for other in self.processes:
            if other is beginner:
                continue
            if other.elector.is_leader() and not other.dead:
                self.violations.append(f"seed {self.seed}: two leaders at {now}")
            if other.last_allowed + self.timing.landing > now:
                late = other.last_allowed + self.timing.landing - now
                self.violations.append(f"seed {self.seed}: a write can land {late} s later")

    async def run(self) -> None:
        """Let faults happen, then let all be well: one must lead."""
        for slot in ("a", "b", "c")[: self.chance.randint(2, 3)]:
            self._start(slot)
        loop = asyncio.get_running_loop()
        end = loop.time() + SECONDS
        while loop.time() < end:
            await asyncio.sleep(self.chance.expovariate(1 / STEP))
            await self._disturb(self.chance.choice(sorted(self._live)))
        for process in self._live.values():
            self._heal(process.network)
        await asyncio.sleep(25)  # to the end of a lease, and until writes have landed
        leaders = [p.slot for p in self._live.values() if p.elector.is_leader()]
        if len(leaders) != 1:
            self.violations.append(f"seed {self.seed}: in the end {leaders} lead")
        for process in self._live.values():
            await process.end(crash=True)

    def _start(self, slot: str) -> None:
        chance = random.Random(self.chance.random())  # noqa: S311
        process = Process(self, slot, len(self.processes), Network(chance=chance))
        self._live[slot] = process
        self.processes.append(process)

    def _heal(self, network: Network) -> None:
        network.refused = network.hangs = network.applies = False
        network.loss, network.latency = 0.0, 0.01

    async def _disturb(self, slot: str) -> None:
        process, network = self._live[slot], self._live[slot].network
        match self.chance.randrange(9):
            case 0 | 1:
                self._heal(network)
            case 2:
                network.hangs, network.applies = True, self.chance.random() < 0.5
            case 3:
                network.refused = True
            case 4:
                network.loss = self.chance.uniform(0.1, 0.8)
            case 5:
                network.latency = self.chance.uniform(0.5, 4.0)
            case 6:
                process.offset = timedelta(seconds=self.chance.uniform(-1e5, 1e5))
            case 7:
                await process.end(crash=True)
                await asyncio.sleep(self.chance.uniform(0, 10))
                self._start(slot)
            case _:
                await process.end(crash=False)
                self._start(slot)


@pytest.mark.parametrize("batch", range(BATCHES))
async def test_two_never_lead_at_once_and_one_leads_in_the_end(batch: int) -> None:
    worlds = [World(batch * SCHEDULES + number) for number in range(SCHEDULES)]
    with capture_logs():  # a failed test would show thousands of lines
        await asyncio.gather(*(world.run() for world in worlds))
    assert [violation for world in worlds for violation in world.violations] == []
    assert sum(world.beginnings for world in worlds) > 2 * SCHEDULES, "there was much to check"
