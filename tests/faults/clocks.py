"""Wrong clocks of the operator: its only look at the time is put off, in its own process.

`actor_operator.clock` is the only place of the product that asks what time it is, so that this is
what a wrong clock of its machine would do to it, without the machine.
"""

import time
from datetime import datetime, timedelta

import msgspec

from actor_operator.clock import SystemClock


class Drift(msgspec.Struct, frozen=True):
    """How far a clock is off."""

    before: float
    """Seconds, from the start on."""

    after: float
    """Seconds, after the jump."""

    jump: float
    """When it jumps, in seconds after the start of the process."""


def drift(clock: Drift | None) -> None:
    """Let this process's clock be off."""
    if clock is None:
        return
    right = SystemClock.now
    begun = time.monotonic()

    def now(self: SystemClock) -> datetime:
        jumped = time.monotonic() - begun >= clock.jump
        return right(self) + timedelta(seconds=clock.after if jumped else clock.before)

    SystemClock.now = now  # type: ignore[method-assign]
