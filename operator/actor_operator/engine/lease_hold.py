"""Taking, keeping and giving back a Lease: one request at a time, and what its answer proves."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from actor_operator.clock import Clock
from actor_operator.engine.lease_record import (
    Lease,
    first_lease,
    parse_lease,
    released,
    renewed,
    taken,
    write_lease,
)
from actor_operator.errors import ActorOperatorError

NEVER = float("-inf")
"""A moment before all others."""

NOT_RENEWED = (ActorOperatorError, TimeoutError, msgspec.MsgspecError)
"""Whatever goes wrong with a request means no more than that the lease was not renewed by it."""


@dataclass(frozen=True, slots=True)
class LeaseTiming:
    """Times of an election, all in seconds.

    Raises
    ------
    ValueError
        When ``retry < renew_deadline`` or ``renew_deadline + landing < duration`` do not hold.
    """

    duration: int = 15
    """How long others wait for a leader that says nothing."""

    renew_deadline: float = 10.0
    """How long a leader works after its last renewal that succeeded."""

    retry: float = 2.0
    """Pause between attempts to take or renew the lease."""

    landing: float = 4.5
    """How long after the check a write can still land: connecting, and the server's time limit."""

    stopping: float = 2.0
    """How long the work may take to stop; then the process ends."""

    def __post_init__(self) -> None:
        if not self.retry < self.renew_deadline:
            raise ValueError("the pause between attempts must be shorter than the renew deadline")
        if not self.renew_deadline + self.landing < self.duration:
            raise ValueError("a write could land after the lease has run out")


class LeaseStore(Protocol):
    """Where the Lease is; failures are an ``ActorOperatorError``."""

    @property
    def namespace(self) -> str:
        """Namespace of the Lease."""
        ...

    @property
    def name(self) -> str:
        """Name of the Lease."""
        ...

    async def read(self) -> bytes | None:
        """The Lease as JSON, ``None`` when there is none."""
        ...

    async def create(self, body: bytes) -> bytes | None:
        """Create it; ``None`` when somebody else was first."""
        ...

    async def replace(self, body: bytes) -> bytes | None:
        """Replace the version that the body names; ``None`` when that is not the stored one."""
        ...


def uptime() -> float:
    """Seconds on a clock that nobody can set and that goes on while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class LeaseHold:
    """What one process knows of the Lease and does to it.

    Parameters
    ----------
    store
        Where the Lease is.
    identity
        Who we are; no two processes have the same.
    slot
        A place that holds one process at a time, such as the uid of our pod; ``identity`` begins
        with it and ``_``. A holder of the same slot is an earlier process that is surely dead, so
        its lease need not run out. Empty when there is no such place.
    timing
        Times.
    clock
        For the times in the Lease, which people read and nothing else does.
    now
        A clock in seconds that nobody can set.
    """

    def __init__(
        self,
        *,
        store: LeaseStore,
        identity: str,
        slot: str = "",
        timing: LeaseTiming,
        clock: Clock,
        now: Callable[[], float] = uptime,
    ) -> None:
        self._store = store
        self._clock = clock
        self._slot = slot
        self._seen: Lease | None = None
        self._seen_at = NEVER
        self._born = now()
        self.identity = identity
        """Who we are."""
        self.timing = timing
        """Times."""
        self.now = now
        """A clock in seconds that nobody can set."""
        self.renewed_at = NEVER
        """When the last renewal that succeeded was sent."""
        self.safe_at = NEVER
        """From when on no write of an earlier leader can land; only ever moves forward."""

    @property
    def holder(self) -> str:
        """Who held the lease when it was last seen; empty for nobody."""
        return self._seen.holder if self._seen else ""

    @property
    def version(self) -> str:
        """The resourceVersion of the Lease as last seen."""
        return self._seen.version if self._seen else ""

    @property
    def valid_until(self) -> float:
        """Until when the lease is surely ours."""
        return self.renewed_at + self.timing.renew_deadline

    def let_go(self, *, writes_may_land: bool) -> None:
        """From now on the lease is not ours, whatever the server has.

        Parameters
        ----------
        writes_may_land
            Whether a write of ours has been sent that was not answered.
        """
        self.renewed_at = NEVER
        if writes_may_land:
            self._wait_until(self.now() + self.timing.landing)

    def _wait_until(self, moment: float) -> None:
        self.safe_at = max(self.safe_at, moment)

    def pause(self) -> float:
        """Seconds until it is worth trying to take the lease again."""
        if not self.holder or self._is_ours(self.holder):
            return self.timing.retry
        # To the moment when it runs out, if that comes before the next regular look.
        return min(self.timing.retry, max(self._runs_out_at() - self.now(), 0.1))

    async def try_take(self) -> bool:
        """Look at the lease and take it if it is free.

        Raises
        ------
        Exception
            One of ``NOT_RENEWED``, when that cannot be known.
        """
        async with asyncio.timeout(self.timing.renew_deadline / 2):
            await self._look()
            if self._seen is not None and not self._is_free():
                return False
            return await self._write_taken()

    async def renew(self) -> bool:
        """Renew the lease.

        Returns
        -------
        bool
            False when it is somebody else's or gone.

        Raises
        ------
        Exception
            One of ``NOT_RENEWED``, when that cannot be known.
        """
        left = self.valid_until - self.now()
        async with asyncio.timeout(min(self.timing.renew_deadline / 2, left)):
            if await self._write_renewed():
                return True
            # Changed by somebody, or by ourselves: an answer may have been lost.
            await self._look()
            return self.holder == self.identity and await self._write_renewed()

    async def give_back(self) -> None:
        """Let others take the lease at once; not before :attr:`safe_at`, for they will not wait.

        Raises
        ------
        Exception
            One of ``NOT_RENEWED``; then the lease has to run out.
        """
        async with asyncio.timeout(self.timing.retry):
            if await self._write_released():
                return
            # A renewal that was broken off may have landed.
            await self._look()
            await self._write_released()

    async def _look(self) -> None:
        answer = await self._store.read()
        if answer is not None:
            self._note(parse_lease(answer))
        elif self._seen is not None:
            self._note_vanished()

    def _note(self, lease: Lease) -> None:
        if self._seen is None or lease.version != self._seen.version:
            self._seen_at = self.now()
        self._seen = lease

    def _note_vanished(self) -> None:
        """Somebody deleted the lease: its holder may have renewed it right before."""
        if self.holder and not self._is_ours(self.holder):
            self._wait_until(self.now() + self.timing.renew_deadline + self.timing.landing)
        self._seen = None

    def _is_ours(self, holder: str) -> bool:
        return holder == self.identity or self._is_dead(holder)

    def _is_dead(self, holder: str) -> bool:
        """Whether the holder is an earlier process in our place."""
        return bool(self._slot) and holder.startswith(f"{self._slot}_")

    def _runs_out_at(self) -> float:
        duration = self._seen.duration if self._seen else None
        return self._seen_at + (duration or self.timing.duration)

    def _is_free(self) -> bool:
        holder = self.holder
        return not holder or self._is_ours(holder) or self.now() >= self._runs_out_at()

    async def _write_taken(self) -> bool:
        """Write ourselves in as the holder; False when somebody was faster."""
        self._wait_for_predecessor()
        sent_at = self.now()
        if self._seen is None:
            lease = first_lease(
                self._store.namespace,
                self._store.name,
                self.identity,
                self.timing.duration,
                self._clock.now(),
            )
            answer = await self._store.create(write_lease(lease))
        else:
            lease = taken(self._seen, self.identity, self.timing.duration, self._clock.now())
            answer = await self._store.replace(write_lease(lease))
        if answer is None:
            return False
        self._note(parse_lease(answer))
        self.renewed_at = sent_at
        return True

    def _wait_for_predecessor(self) -> None:
        """Note when the last write of whoever holds the lease has landed or never will."""
        if not self.holder or self.holder == self.identity:
            return  # given back after the work had ended; our own writes are noted
        if self._is_dead(self.holder):
            self._wait_until(self._born + self.timing.landing)
            return
        longest = self.timing.renew_deadline + self.timing.landing
        self._wait_until(max(self._runs_out_at(), self._seen_at + longest))

    async def _write_released(self) -> bool:
        """Write nobody in as the holder; False when the lease has changed."""
        if self._seen is None or self.holder != self.identity:
            return True
        lease = released(self._seen, self._clock.now())
        answer = await self._store.replace(write_lease(lease))
        if answer is None:
            return False
        self._note(parse_lease(answer))
        return True

    async def _write_renewed(self) -> bool:
        if self._seen is None:
            return False
        lease = renewed(self._seen, self.timing.duration, self._clock.now())
        sent_at = self.now()
        answer = await self._store.replace(write_lease(lease))
        if answer is None:
            return False
        self._note(parse_lease(answer))
        self.renewed_at = sent_at
        return True
