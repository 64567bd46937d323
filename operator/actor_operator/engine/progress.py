"""How far an informer has come, which lists it owes, and who waits for what."""

import asyncio
from dataclasses import dataclass

from actor_operator.engine.store import is_newer


@dataclass(slots=True)
class _Waiter:
    version: str
    list_number: int
    reached: asyncio.Future[None]


class Progress:
    """Counts lists and knows who waits for a version.

    Lists are numbered as they begin. Whoever asks for one means one that begins after the asking:
    only that is sure to hold what was written before.
    """

    def __init__(self) -> None:
        self._begun = 0
        self._finished = 0
        self._wanted = 1
        self._waiters: list[_Waiter] = []

    @property
    def must_list(self) -> bool:
        """Whether a list is owed that has not finished."""
        return self._finished < self._wanted

    def want_list(self) -> int:
        """Ask for a list that begins after this moment; returns its number at the least."""
        self._wanted = self._begun + 1
        return self._wanted

    def begin_list(self) -> int:
        """A list begins; returns its number."""
        self._begun += 1
        return self._begun

    def finish_list(self, number: int, version: str) -> None:
        """A list is in the store, which is now at a version."""
        self._finished = number
        self.advance(version)

    def advance(self, version: str) -> None:
        """The store is at a version: wake who waited for it."""
        for waiter in self._waiters:
            listed = self._finished >= waiter.list_number
            newer = is_newer(waiter.version, version)
            if not waiter.reached.done() and (listed or not newer):
                waiter.reached.set_result(None)

    async def wait(self, version: str, seconds: float | None) -> bool:
        """Wait until the store is at a version, or holds a list that begins after this moment.

        Parameters
        ----------
        version
            A resourceVersion of the same server.
        seconds
            How long at most; ``None`` for ever.

        Returns
        -------
        bool
            Whether it is.
        """
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(version, self._begun + 1, reached)
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(seconds):
                await reached
        except TimeoutError:
            return False
        finally:
            self._waiters.remove(waiter)
        return True
