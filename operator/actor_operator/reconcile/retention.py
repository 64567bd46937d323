"""Removing finished runs, and their pods, when their time is over."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView, stub
from actor_operator.clock import Clock
from actor_operator.constants import LABEL_RUN
from actor_operator.engine.store import Key, Store
from actor_operator.engine.timers import Timers
from actor_operator.engine.workers import WorkerPool
from actor_operator.engine.workqueue import WorkQueue
from actor_operator.kube.errors import ConflictError
from actor_operator.kube.runs import Runs
from actor_operator.lifecycle.retention import (
    AccountRetention,
    Shelf,
    Terms,
    may_remove,
    remove_pods,
    terms_of,
)
from actor_operator.log import logger
from actor_operator.reconcile.archives import ArchiveController
from actor_operator.reconcile.execute import Executor
from actor_operator.reconcile.gather import PODS_BY_RUN
from actor_operator.settings_groups import RetentionSettings

log = logger(__name__)

WORKERS = 4
"""Removals at the same time: also a backlog of thousands must not hold up runs that live."""

PAUSE_SECONDS = 1.0
"""How soon an account is looked at after a change, which seldom comes alone."""


class RetentionController:
    """Removes finished runs and pods, in the replica that leads.

    Each account has one shelf and one timer, and each run whose pod is still there has a timer:
    ten thousand finished runs cost no work. Before a run is removed it is read anew, and it is
    removed only in the state that was read.

    Parameters
    ----------
    runs, pods
        What is known of them; answers to our own writes are told by the stores, too.
    run_writer
        Reads and removes runs.
    executor
        Removes pods.
    archives
        Knows which runs have to stay until their logs are archived.
    account
        What the ActorAccount of a namespace says of retention; None when there is none.
    serves
        Whether this installation works in a namespace.
    settings, clock
        As everywhere.
    """

    def __init__(  # noqa: PLR0913 -- its collaborators, each of them once
        self,
        *,
        runs: Store[RunView | FinishedRun],
        pods: Store[PodView],
        run_writer: Runs,
        executor: Executor,
        archives: ArchiveController,
        account: Callable[[str], AccountRetention | None],
        serves: Callable[[str], bool],
        settings: RetentionSettings,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._pods = pods
        self._run_writer = run_writer
        self._executor = executor
        self.archives = archives
        """Part of the work: it is begun and ended with it."""
        self._account = account
        self._serves = serves
        self._settings = settings
        self._clock = clock
        self._leading = False
        self._shelves: defaultdict[str, Shelf] = defaultdict(Shelf)
        self._queue: WorkQueue[Key] = WorkQueue()
        self._workers = WorkerPool(queue=self._queue, handle=self.reconcile, size=WORKERS)
        self.timers: Timers[Key] = Timers(self._on_due, now=lambda: clock.now().timestamp())
        """A key without a name stands for the account, one with a name for the run's pods."""
        runs.listen(self._on_run)
        pods.listen(self._on_pod)

    # Leading

    def start_leading(self) -> None:
        """Begin to work."""
        self._leading = True
        finished = [run for run in self._runs if isinstance(run, FinishedRun)]
        finished.sort(key=lambda run: (run.finished_at is not None, run.finished_at, run.uid))
        for run in finished:
            self._file(run)
        self._workers.start()
        self.archives.start_leading(self._file)

    async def stop_leading(self, grace: float) -> bool:
        """Stop working; returns whether all work ended by itself."""
        self._leading = False
        ended = await asyncio.gather(self._workers.stop(grace), self.archives.stop_leading(grace))
        self._queue.clear()
        self.timers.clear()
        self._shelves.clear()
        return all(ended)

    # What there is

    def look_at_account(self, namespace: str) -> None:
        """Something about a namespace has changed: what its account says, or whose it is."""
        if namespace not in self._shelves:
            return
        key, soon = (namespace, ""), self._clock.now().timestamp() + PAUSE_SECONDS
        at = self.timers.get(key)
        if at is None or at > soon:
            self.timers.set(key, soon)

    def _on_run(self, old: RunView | FinishedRun | None, new: RunView | FinishedRun | None) -> None:
        if not self._leading:
            return
        if isinstance(old, FinishedRun):
            self._shelves[old.namespace].take(old)
            self.timers.cancel((old.namespace, old.name))
        if isinstance(new, FinishedRun):
            self._file(new)

    def _on_pod(self, _old: PodView | None, new: PodView | None) -> None:
        if not self._leading or new is None:
            return
        run = self._runs.get(new.namespace, new.metadata.labels.get(LABEL_RUN, ""))
        if isinstance(run, FinishedRun):
            self._time_pods(run)

    def _file(self, run: FinishedRun) -> None:
        """Have a run and its pods removed in time; those that have to stay come again."""
        if self.archives.holds(run):
            return
        shelf = self._shelves[run.namespace]
        shelf.take(run)
        shelf.put(run)
        self.look_at_account(run.namespace)
        self._time_pods(run)

    def _time_pods(self, run: FinishedRun) -> None:
        """Have the run's pods removed in time, if it has any."""
        due_at = self._pods_due_at(run)
        if due_at is not None and self._pods_of(run):
            self.timers.set((run.namespace, run.name), due_at)

    def _pods_due_at(self, run: FinishedRun) -> float | None:
        if run.finished_at is None or self.archives.holds(run):
            return None
        ttl = 0 if self.archives.is_done(run) else self._settings.finished_pod_ttl_seconds
        return run.finished_at.timestamp() + ttl

    def _pods_of(self, run: FinishedRun) -> list[PodView]:
        pods = self._pods.by_index(PODS_BY_RUN, run.uid)
        return [pod for pod in pods if pod.controller_uid() == run.uid]

    # What is due

    def _on_due(self, key: Key) -> None:
        namespace, name = key
        if name:
            self._queue.add(key)
        else:
            self._plan(namespace)

    def _plan(self, namespace: str) -> None:
        plan = self._shelves[namespace].plan(self._terms(namespace), self._clock.now())
        for run in plan.due:
            self._queue.add((run.namespace, run.name))
        if plan.next_at is not None:
            self.timers.set((namespace, ""), plan.next_at.timestamp())

    def _terms(self, namespace: str) -> Terms:
        return terms_of(self._account(namespace), self._settings)

    # Work

    async def reconcile(self, key: Key) -> None:
        """Remove a finished run, or else its pods, whatever is due.

        Raises
        ------
        ApiError
            Try again soon.
        """
        run = self._runs.get(*key)
        if not isinstance(run, FinishedRun) or not self._serves(run.namespace):
            return
        terms, now = self._terms(run.namespace), self._clock.now()
        if self._shelves[run.namespace].is_due(run, terms, now) and await self._remove(run, terms):
            return
        pods_due_at = self._pods_due_at(run)
        if pods_due_at is not None and pods_due_at <= now.timestamp():
            await self._executor.carry_out(run, remove_pods(self._pods_of(run)))

    async def _remove(self, run: FinishedRun, terms: Terms) -> bool:
        """Remove a run, if what it says of itself this moment allows it."""
        removed = True
        fresh = await self._run_writer.read(run.namespace, run.name)
        if fresh is not None:
            markers = self._settings.gitops_markers
            state = stub(fresh)
            removed = (
                isinstance(state, FinishedRun)
                and state.uid == run.uid
                and not self.archives.holds(state)
                and may_remove(fresh, terms, self._clock.now(), markers)
                and await self._delete(fresh)
            )
        if self._runs.get(run.namespace, run.name) is run:
            # It is gone, or stays until it changes, which puts it back.
            self._shelves[run.namespace].take(run)
        return removed

    async def _delete(self, run: RunView) -> bool:
        try:
            await self._run_writer.delete(run)
        except ConflictError:
            return False
        log.info("A finished run's time is over.", namespace=run.namespace, name=run.name)
        return True
