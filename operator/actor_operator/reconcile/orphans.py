"""Pods of runs that do not exist any more: they use memory of their account, for nobody.

The garbage collector removes the pods of a deleted run, unless whoever deleted it wanted them to
stay (``--cascade=orphan``), or a creation landed after the deletion. It is given time.
"""

from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.clock import Clock
from actor_operator.constants import LABEL_RUN, LABEL_RUN_UID
from actor_operator.engine.store import Key, Store
from actor_operator.engine.timers import Timers
from actor_operator.engine.workers import WorkerPool
from actor_operator.engine.workqueue import WorkQueue
from actor_operator.kube.runs import Runs
from actor_operator.lifecycle.removal import remove_at_once
from actor_operator.log import logger
from actor_operator.reconcile.claims import Claims
from actor_operator.reconcile.execute import Executor
from actor_operator.reconcile.gather import PODS_BY_RUN

log = logger(__name__)

GRACE_SECONDS = 10.0
"""How long the garbage collector may take to see that a pod's run is gone."""

WORKERS = 2
"""Orphans are few."""


class OrphanController:
    """Removes live pods whose run is gone, in the replica that leads.

    Parameters
    ----------
    runs, pods
        What is known of them.
    run_reader
        The API server, which is asked before a pod is removed.
    executor
        Removes pods.
    claims
        The namespaces in which this installation works.
    clock
        The time.
    """

    def __init__(
        self,
        *,
        runs: Store[RunView | FinishedRun],
        pods: Store[PodView],
        run_reader: Runs,
        executor: Executor,
        claims: Claims,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._pods = pods
        self._run_reader = run_reader
        self._executor = executor
        self._claims = claims
        self._clock = clock
        self._leading = False
        self._queue: WorkQueue[Key] = WorkQueue()
        self._workers = WorkerPool(queue=self._queue, handle=self.reconcile, size=WORKERS)
        self.timers: Timers[Key] = Timers(self._queue.add, now=lambda: clock.now().timestamp())
        """Namespace and name of pods that are to be looked at."""
        runs.listen(self._on_run)
        pods.listen(self._on_pod)

    def start_leading(self) -> None:
        """Begin to work."""
        self._leading = True
        for pod in self._pods:
            self._on_pod(None, pod)
        self._workers.start()

    async def stop_leading(self, grace: float) -> bool:
        """Stop working; returns whether all work ended by itself."""
        self._leading = False
        self.timers.clear()
        by_itself = await self._workers.stop(grace)
        self._queue.clear()
        return by_itself

    def _on_run(self, old: RunView | FinishedRun | None, new: RunView | FinishedRun | None) -> None:
        if self._leading and old is not None and (new is None or new.uid != old.uid):
            for pod in self._pods.by_index(PODS_BY_RUN, old.uid):
                self._on_pod(None, pod)

    def _on_pod(self, _old: PodView | None, new: PodView | None) -> None:
        if self._leading and new is not None and self._is_orphan(new):
            at = self._clock.now().timestamp() + GRACE_SECONDS
            self.timers.set((new.namespace, new.name), at)

    def _is_orphan(self, pod: PodView) -> bool:
        """Whether a pod may run, nobody removes it, and its run is not known."""
        labels = pod.metadata.labels
        uid = labels.get(LABEL_RUN_UID)
        if pod.is_over or pod.metadata.deletion_timestamp is not None:
            return False
        if pod.controller_uid() not in {None, uid}:
            return False  # it carries our label, and is another controller's
        run = self._runs.get(pod.namespace, labels.get(LABEL_RUN, ""))
        return run is None or run.uid != uid

    async def reconcile(self, key: Key) -> None:
        """Remove a pod, if its run is still gone.

        Raises
        ------
        ApiError
            Try again soon.
        """
        pod = self._pods.get(*key)
        if pod is None or not self._is_orphan(pod) or not self._claims.serves(pod.namespace):
            return
        name = pod.metadata.labels.get(LABEL_RUN)
        run = await self._run_reader.read(pod.namespace, name) if name else None
        if run is None or run.uid != pod.metadata.labels.get(LABEL_RUN_UID):
            log.info("A pod's run is gone: it is removed.", namespace=key[0], name=key[1])
            await self._executor.remove(remove_at_once(pod))
