"""Leader election by a Lease: of all replicas that are warm, one writes.

What holds, whatever the network, the API server or the clocks do:

- The leader counts its time from before it sent the renewal that succeeded, the others theirs from
  after they saw it, both on clocks that nobody can set. The leader's time is shorter. So it knows
  that it lost the lease before anybody else may take it.
- :meth:`Elector.check` is called right before each write is sent, and the server gives each write
  up soon after. Who takes the lease begins to work only when the last write that can have passed
  its predecessor's check has landed or never will.
- Losing the lease stops the work and leads back to standing by in the same process.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import NoReturn

from actor_operator.engine.lease_hold import NOT_RENEWED, LeaseHold
from actor_operator.errors import NotLeaderError
from actor_operator.log import logger

log = logger(__name__)


SLICES = 10
"""Into how many waits the time for stopping is cut."""


def exit_now() -> NoReturn:
    """End the process without any clean-up: the kernel closes its connections."""
    os._exit(1)


class Ended(Enum):
    """How the leader's work came to its end."""

    BY_ITSELF = auto()
    """Every write that was sent has been answered."""

    BROKEN_OFF = auto()
    """A write may still land."""

    STUCK = auto()
    """It goes on."""


class Elector:
    """One replica in the election.

    Parameters
    ----------
    hold
        Our hands on the Lease.
    on_started_leading
        Called when this replica may write, with the resourceVersion that its caches must have
        reached before it decides anything; cancelled when the lease is lost meanwhile. If it
        fails, the lease is given back.
    on_stopped_leading
        Called when this replica must not write any more, or is about to stop; returns when nothing
        of the leader's work runs, and whether all of it ended by itself. (What was broken off may
        have sent a write that still lands.)
    on_stuck
        Called when that takes too long or fails; by default ends the process.
    """

    def __init__(
        self,
        *,
        hold: LeaseHold,
        on_started_leading: Callable[[str], Awaitable[None]],
        on_stopped_leading: Callable[[], Awaitable[bool]],
        on_stuck: Callable[[], None] = exit_now,
    ) -> None:
        self._hold = hold
        self._timing = hold.timing
        self._on_started_leading = on_started_leading
        self._on_stopped_leading = on_stopped_leading
        self._on_stuck = on_stuck
        self._work: asyncio.Task[None] | None = None
        self._trouble = ""
        self._log = log.bind(identity=hold.identity)

    @property
    def holder(self) -> str:
        """Who held the lease when it was last seen; empty for nobody."""
        return self._hold.holder

    def is_leader(self) -> bool:
        """Whether this replica may write at this moment."""
        return self._work is not None and self._hold.now() < self._hold.valid_until

    def check(self) -> None:
        """Do nothing if this replica may write at this moment.

        Raises
        ------
        NotLeaderError
            If it may not.
        """
        if not self.is_leader():
            raise NotLeaderError("this replica does not hold the lease")

    async def run(self) -> None:
        """Stand by and lead by turns; being cancelled stops the work and gives the lease back."""
        while True:
            await self._stand_by()
            await self._lead()

    async def _stand_by(self) -> None:
        """Return once the lease is ours."""
        while True:
            try:
                if await self._hold.try_take():
                    self._note_trouble(None)
                    return
                self._note_trouble(None)
            except NOT_RENEWED as exc:
                self._note_trouble(exc)
            # Up to a tenth by chance, so that replicas do not ask in step.
            await asyncio.sleep(self._hold.pause() * random.uniform(1.0, 1.1))  # noqa: S311 -- no secret

    async def _lead(self) -> None:
        """Keep the lease, and work, until it is lost or the work cannot begin."""
        self._log.info("The lease is ours.", version=self._hold.version)
        try:
            await self._keep()
        except BaseException:  # being cancelled, or a defect: the work must not go on alone
            await self._retire()
            raise
        if self._work_failed():
            await self._retire()
            await asyncio.sleep(self._timing.retry)  # another replica may have more luck
            return
        self._hold.let_go(writes_may_land=True)
        self._log.warning("The lease is lost.", holder=self._hold.holder)
        await self._stop_work()

    async def _retire(self) -> None:
        """End the work while the lease is ours, then give the lease back."""
        ended = await self._stop_work()
        self._hold.let_go(writes_may_land=ended is not Ended.BY_ITSELF)
        if ended is Ended.STUCK:
            return
        # Whoever finds the lease given back begins at once: no write may land after that, neither
        # of ours nor of our predecessor, if we have not yet begun ourselves.
        await asyncio.sleep(max(0.0, self._hold.safe_at - self._hold.now()))
        try:
            await self._hold.give_back()
        except NOT_RENEWED as exc:
            self._log.warning("The lease was not given back.", cause=str(exc))
        else:
            self._log.info("The lease was given back.")

    async def _keep(self) -> None:
        while not self._work_failed():
            if self._work is None and self._hold.renewed_at >= self._hold.safe_at:
                self._log.info("This replica leads.", version=self._hold.version)
                self._work = asyncio.create_task(self._start(self._hold.version))
            await self._wait()
            if not await self._renew():
                return

    async def _start(self, version: str) -> None:
        await self._on_started_leading(version)

    def _work_failed(self) -> bool:
        """Whether the work could not begin."""
        if self._work is None or not self._work.done() or self._work.cancelled():
            return False
        return self._work.exception() is not None

    async def _wait(self) -> None:
        """Wait until it is time for the next renewal."""
        if self._work is None:
            until_safe = max(self._hold.safe_at - self._hold.now(), 0.0)
            await asyncio.sleep(min(self._timing.retry, until_safe))
        elif self._work.done():
            await asyncio.sleep(self._timing.retry)
        else:
            await asyncio.wait({self._work}, timeout=self._timing.retry)

    async def _renew(self) -> bool:
        """Renew, trying for as long as the lease is ours; False when it is lost."""
        while self._hold.now() < self._hold.valid_until:
            try:
                held = await self._hold.renew()
            except NOT_RENEWED as exc:
                self._note_trouble(exc)
                left = self._hold.valid_until - self._hold.now()
                await asyncio.sleep(max(0.0, min(self._timing.retry, left)))
            else:
                self._note_trouble(None)
                return held
        return False

    async def _stop_work(self) -> Ended:
        """Stop whatever was begun."""
        if self._work is None:
            return Ended.BY_ITSELF
        stopping = asyncio.create_task(self._stop(self._work))
        # In slices: a stall of the event loop, in which nothing can stop, costs only one of them.
        for _ in range(SLICES):
            await asyncio.wait({stopping}, timeout=self._timing.stopping / SLICES)
            if stopping.done():
                break
        self._work = None
        if stopping.done() and stopping.exception() is None:
            return Ended.BY_ITSELF if stopping.result() else Ended.BROKEN_OFF
        cause = stopping.exception() if stopping.done() else None
        self._log.critical("The work does not stop.", exc_info=cause)
        stopping.cancel()
        self._on_stuck()
        return Ended.STUCK

    async def _stop(self, work: asyncio.Task[None]) -> bool:
        if self._work_failed():
            self._log.error("The work could not begin.", exc_info=work.exception())
        work.cancel()
        await asyncio.wait({work})
        return await self._on_stopped_leading()

    def _note_trouble(self, exc: BaseException | None) -> None:
        """Say when requests begin to fail, when the cause changes, and when they work again."""
        cause = "" if exc is None else type(exc).__name__
        if cause and cause != self._trouble:
            self._log.warning("The lease cannot be read or written.", error=cause, cause=str(exc))
        elif self._trouble and not cause:
            self._log.info("The lease can be read and written again.")
        self._trouble = cause
