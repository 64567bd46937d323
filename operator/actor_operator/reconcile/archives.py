"""Finished runs that wait for the API server to archive their logs."""

from collections.abc import Callable

from actor_operator.api.views.run import FinishedRun, RunView, stub
from actor_operator.clock import Clock
from actor_operator.engine.store import Key, Store
from actor_operator.engine.timers import Timers
from actor_operator.engine.workers import WorkerPool
from actor_operator.engine.workqueue import WorkQueue
from actor_operator.kube.runs import Runs
from actor_operator.lifecycle.archive import GIVEN_UP, holds, next_look, with_archived
from actor_operator.lifecycle.events import RunEvent
from actor_operator.log import logger

log = logger(__name__)

WORKERS = 2
"""Statuses that are written at the same time: there are few, unless the API server is away."""


class ArchiveController:
    """Holds finished runs until they are archived, in the replica that leads.

    That a run is archived is an annotation, which the API server writes. What is said of it here
    is a condition, and that only where it takes long.

    Parameters
    ----------
    runs
        What is known of them; answers to our own writes are told by the store, too.
    run_writer
        Reads and writes runs.
    tell
        Writes an Event about a run.
    serves
        Whether this installation works in a namespace.
    enabled
        Whether there is an API server; without one nothing is held.
    clock
        As everywhere.
    """

    def __init__(
        self,
        *,
        runs: Store[RunView | FinishedRun],
        run_writer: Runs,
        tell: Callable[[RunEvent, RunView], None],
        serves: Callable[[str], bool],
        enabled: bool,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._run_writer = run_writer
        self._tell = tell
        self._serves = serves
        self._enabled = enabled
        self._clock = clock
        self._leading = False
        self._release: Callable[[FinishedRun], None] = lambda _run: None
        self._queue: WorkQueue[Key] = WorkQueue()
        self._workers = WorkerPool(queue=self._queue, handle=self.reconcile, size=WORKERS)
        self.timers: Timers[Key] = Timers(self._queue.add, now=lambda: clock.now().timestamp())
        """When there is something to tell of a run, or to give up on it."""
        runs.listen(self._on_run)

    def holds(self, run: FinishedRun) -> bool:
        """Whether a run and its pods have to stay."""
        return self._enabled and holds(run, self._clock.now())

    def is_done(self, run: FinishedRun) -> bool:
        """Whether nobody needs the run's pods any more, because their log is elsewhere."""
        return self._enabled and run.archived

    # Leading

    def start_leading(self, release: Callable[[FinishedRun], None]) -> None:
        """Begin to work.

        Parameters
        ----------
        release
            Called with a run that is not held any longer although it is not archived.
        """
        if not self._enabled:
            return
        self._leading, self._release = True, release
        for run in self._runs:
            self._on_run(None, run)
        self._workers.start()

    async def stop_leading(self, grace: float) -> bool:
        """Stop working; returns whether all work ended by itself."""
        self._leading = False
        by_itself = await self._workers.stop(grace)
        self._queue.clear()
        self.timers.clear()
        return by_itself

    def _on_run(
        self, _old: RunView | FinishedRun | None, new: RunView | FinishedRun | None
    ) -> None:
        if not self._leading or not isinstance(new, FinishedRun):
            return
        key, at = (new.namespace, new.name), next_look(new, self._clock.now())
        if at is None:
            self.timers.cancel(key)
        else:
            self.timers.set(key, at.timestamp())

    # Work

    async def reconcile(self, key: Key) -> None:
        """Tell of one run's archive, or give up on it.

        Raises
        ------
        ApiError
            Try again soon.
        """
        run = self._runs.get(*key)
        if not isinstance(run, FinishedRun):
            return
        over = not run.archived and not holds(run, self._clock.now())
        if self._serves(run.namespace):
            await self._tell_of(run, over=over)
        if over:
            self._release(run)

    async def _tell_of(self, run: FinishedRun, *, over: bool) -> None:
        whole = await self._run_writer.read(run.namespace, run.name)
        fresh = stub(whole) if whole is not None and whole.uid == run.uid else None
        if whole is None or not isinstance(fresh, FinishedRun):
            return  # the watch will tell of it
        if over and not fresh.archived:
            log.warning("A run was not archived.", namespace=run.namespace, name=run.name)
            self._tell(GIVEN_UP, whole)
        elif self._is_due(fresh):
            status = with_archived(whole, self._clock.now())
            self._runs.apply(stub(await self._run_writer.write_status(whole, status)))

    def _is_due(self, run: FinishedRun) -> bool:
        """Whether its condition is to be written."""
        now = self._clock.now()
        at = next_look(run, now)
        return at is not None and at <= now
