"""Workers that take keys from a queue, and what they do when the work fails."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from actor_operator.engine.workqueue import PASSING, WorkQueue
from actor_operator.errors import (
    NotLeaderError,
    RetryableError,
    StaleError,
    TerminalError,
    WaitingError,
)
from actor_operator.log import logger

K = TypeVar("K", bound=Hashable)

log = logger(__name__)

TIME_LIMIT = 60.0
"""Seconds for one piece of work; each of its calls has shorter limits of its own."""

QUIET_SECONDS = 60.0
"""How long the same kind of failure is not told again, whatever the key."""


class WorkerPool(Generic[K]):
    """A fixed number of workers on one queue.

    Parameters
    ----------
    queue
        Where keys come from.
    handle
        The work on one key. What it raises decides when the key comes again:
        ``WaitingError`` after the time it names; ``NotLeaderError`` and ``TerminalError`` not
        before somebody asks again; anything else after a pause that grows.
    size
        How many keys are worked on at the same time.
    time_limit
        Seconds after which a piece of work is broken off and tried again.
    """

    def __init__(
        self,
        *,
        queue: WorkQueue[K],
        handle: Callable[[K], Awaitable[None]],
        size: int,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._size = size
        self._time_limit = time_limit
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._told: dict[str, float] = {}

    @property
    def running(self) -> bool:
        """Whether there are workers."""
        return bool(self._tasks)

    def start(self) -> None:
        """Start the workers; nothing happens when they run already."""
        if self._tasks:
            return
        self._stopping = False
        for number in range(self._size):
            task = asyncio.create_task(self._work(), name=f"worker-{number}")
            task.add_done_callback(self._tasks.discard)
            self._tasks.add(task)

    async def stop(self, grace: float) -> bool:
        """Take no more keys, let running work end for ``grace`` seconds, then break it off.

        Returns
        -------
        bool
            Whether all work ended by itself. In either case no worker runs any more.
        """
        self._stopping = True
        for task in self._tasks - self._busy:
            task.cancel()
        if self._busy:
            await asyncio.wait(self._busy, timeout=grace)
        by_itself = not self._busy
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return by_itself

    async def _work(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- for the type checker: coroutines run in tasks
        while not self._stopping:
            key = await self._queue.get()
            self._busy.add(task)
            try:
                await self._work_on(key)
            finally:
                self._busy.discard(task)
                self._queue.done(key)

    async def _work_on(self, key: K) -> None:
        try:
            async with asyncio.timeout(self._time_limit):
                await self._handle(key)
        except NotLeaderError:
            self._queue.forget(key)
        except WaitingError as exc:
            self._queue.forget(key)
            self._queue.add_later(key, exc.requeue_after)
            log.debug("Work waits.", key=key, cause=str(exc), seconds=exc.requeue_after)
        except TerminalError as exc:
            self._queue.forget(key)
            log.error("Work is given up.", key=key, cause=str(exc), reason=exc.reason)  # noqa: TRY400 -- no traceback for what is explained
        except RetryableError as exc:
            self._retry(key, exc, with_traceback=False)
        except Exception as exc:  # noqa: BLE001 -- one key's defect must not stop the worker
            self._retry(key, exc, with_traceback=True)
        else:
            self._queue.forget(key)

    def _retry(self, key: K, exc: Exception, *, with_traceback: bool) -> None:
        delay = self._queue.retry(key, None if with_traceback else PASSING)
        loud = with_traceback or (not isinstance(exc, StaleError) and self._is_news(exc))
        tell = log.warning if loud else log.debug
        tell(
            "Work failed and is tried again.",
            key=key,
            error=type(exc).__name__,
            cause=str(exc),
            failures=self._queue.failures(key),
            seconds=round(delay, 1),
            exc_info=exc if with_traceback else None,
        )

    def _is_news(self, exc: Exception) -> bool:
        """Whether a kind of failure was not told of late: in an outage every key fails."""
        error = type(exc).__name__
        now = asyncio.get_running_loop().time()
        last = self._told.get(error)
        if last is not None and now - last < QUIET_SECONDS:
            return False
        self._told[error] = now
        return True
