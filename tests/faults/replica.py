"""One replica of the operator in a plan: it may crash, and comes back in its place."""

import asyncio
import signal
import uuid

import msgspec
from tests.faults.births import Born, Nursery
from tests.faults.nursery import Birth

STOP_SECONDS = 40.0
"""How long an operator may take to stop in order."""


class Replica:
    """Starts, kills and starts again.

    Parameters
    ----------
    nursery
        Who makes processes.
    birth
        What process; its place is chosen here.
    """

    def __init__(self, nursery: Nursery, birth: Birth) -> None:
        self._nursery = nursery
        self._birth = msgspec.structs.replace(birth, place=str(uuid.uuid4()))
        self._born: Born | None = None
        self._told_to_end = False
        self.faults: list[str] = []
        """What it did that no fault explains."""

    def start(self) -> None:
        """Start it."""
        self._told_to_end = False
        self._born = self._nursery.start(self._birth)

    def kill(self) -> None:
        """End it at this very moment."""
        self._told_to_end = True
        if self._born is not None:
            self._born.send(signal.SIGKILL)

    async def come_back(self, seconds: float) -> None:
        """Start it again so long after it was killed."""
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._restart)

    def ask_to_stop(self) -> None:
        """SIGTERM."""
        self._told_to_end = True
        if self._born is not None:
            self._born.send(signal.SIGTERM)

    def freeze(self) -> None:
        """SIGSTOP."""
        if self._born is not None:
            self._born.send(signal.SIGSTOP)

    async def thaw(self, seconds: float) -> None:
        """SIGCONT, so long after it was frozen."""
        await asyncio.sleep(seconds)
        if self._born is not None:
            self._born.send(signal.SIGCONT)

    def end(self) -> None:
        """End it for good, and say whether it had ended before."""
        born, self._born = self._born, None
        if born is None:
            return
        if born.over.is_set() and not self._told_to_end:
            self.faults.append(f"the operator ended by itself with code {born.code}")
        born.kill()

    def _restart(self) -> None:
        born = self._born
        if born is not None and not born.over.wait(STOP_SECONDS):
            self.faults.append(f"the operator did not stop within {STOP_SECONDS:g} s")
            born.kill()
        if born is not None and born.code not in {0, -signal.SIGKILL}:
            self.faults.append(f"the operator stopped with code {born.code}")
        self.start()
