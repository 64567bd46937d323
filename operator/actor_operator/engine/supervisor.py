"""Tasks that must run for as long as the process does."""

import asyncio
from collections.abc import Awaitable, Callable

from actor_operator.engine.backoff import Backoff
from actor_operator.log import logger

log = logger(__name__)

RESTART = Backoff(first=0.5, cap=30.0)
"""Pauses before a task that died is started again."""

STEADY_SECONDS = 60.0
"""A task that ran this long before it died counts as dead for the first time."""


class Supervisor:
    """Starts tasks, starts them again when they die, stops them in bounded time.

    Parameters
    ----------
    on_death
        Told the name of each task that died, for a counter.
    """

    def __init__(self, *, on_death: Callable[[str], None] | None = None) -> None:
        self._on_death = on_death
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def names(self) -> list[str]:
        """The tasks that are kept running, in the order of their start."""
        return list(self._tasks)

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run something for ever; it is called again whenever it raises or returns.

        Raises
        ------
        ValueError
            When there is a task of that name.
        """
        if name in self._tasks:
            raise ValueError(f"there is a task {name!r} already")
        self._tasks[name] = asyncio.create_task(self._keep_running(name, run), name=name)

    async def stop(self, name: str, grace: float) -> bool:
        """Cancel one task and wait for its end, at most ``grace`` seconds.

        Returns
        -------
        bool
            Whether it has ended.
        """
        task = self._tasks.pop(name)
        task.cancel()
        await asyncio.wait({task}, timeout=grace)
        if not task.done():
            log.error("A task does not stop.", task=name, seconds=grace)
        return task.done()

    async def stop_all(self, grace: float) -> bool:
        """Stop all tasks, the last started first; at most ``grace`` seconds in all.

        Returns
        -------
        bool
            Whether all have ended.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        ended = True
        for name in reversed(self.names):
            ended &= await self.stop(name, max(0.0, deadline - loop.time()))
        return ended

    async def _keep_running(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        deaths = 0
        while True:
            begun = loop.time()
            try:
                await run()
                log.error("A task ended that should not.", task=name)
            except Exception:
                log.exception("A task died.", task=name)
            deaths = 1 if loop.time() - begun >= STEADY_SECONDS else deaths + 1
            if self._on_death is not None:
                self._on_death(name)
            await asyncio.sleep(RESTART.delay(deaths))
