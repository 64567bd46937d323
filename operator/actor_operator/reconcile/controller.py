"""The controller of runs: events become keys, keys become work, by the leader alone."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.api.views.web_object import WebObject
from actor_operator.clock import Clock
from actor_operator.constants import LABEL_RUN
from actor_operator.desired.resolve import actor_reference
from actor_operator.engine.informer import Informer
from actor_operator.engine.store import Key, Store
from actor_operator.engine.timers import Timers
from actor_operator.engine.workers import WorkerPool
from actor_operator.engine.workqueue import WorkQueue
from actor_operator.errors import NotLeaderError
from actor_operator.lifecycle.cause import cause_of
from actor_operator.log import logger
from actor_operator.metrics import Metrics
from actor_operator.reconcile.account import AccountController
from actor_operator.reconcile.actor import ActorController
from actor_operator.reconcile.claims import Claims
from actor_operator.reconcile.events import EventRecorder
from actor_operator.reconcile.keys import KeyringHolder
from actor_operator.reconcile.network import NetworkController
from actor_operator.reconcile.orphans import OrphanController
from actor_operator.reconcile.retention import RetentionController
from actor_operator.reconcile.run import RunReconciler
from actor_operator.reconcile.web_servers import WebServers

log = logger(__name__)

STOP_GRACE = 1.0
"""Seconds that running work may take to end when the lease is lost; then it is cancelled."""

RUNS_BY_ACTOR = "actor"
"""Index of the run store: ``namespace/name`` of the Actor, of runs that are not finished."""


def run_index(run: RunView | FinishedRun) -> str | None:
    """Under which Actor a run is filed."""
    return "/".join(actor_reference(run)) if isinstance(run, RunView) else None


class RunController:
    """Keeps runs going in the replica that leads; in the others it only keeps warm.

    Parameters
    ----------
    runs
        What the informer knows of runs.
    reconciler
        The work on one run.
    web_servers
        Knows which runs have something that leads requests to them.
    accounts
        Decides on the memory of accounts, and leads when this one does.
    actors
        The controller of Actors, likewise.
    retention
        Removes what has long finished, likewise.
    orphans
        Removes pods whose run is gone, likewise.
    networks
        Keeps the NetworkPolicies of namespaces with runs, likewise.
    claims
        The namespaces in which this installation works.
    keyring
        The keys of the installation, read when this replica begins to lead.
    events
        Tells people of runs, while this replica leads.
    workers
        Runs that are worked on at the same time.
    clock, metrics
        As everywhere.
    """

    def __init__(  # noqa: PLR0913 -- its collaborators, each of them once
        self,
        *,
        runs: Store[RunView | FinishedRun],
        reconciler: RunReconciler,
        web_servers: WebServers,
        accounts: AccountController,
        actors: ActorController,
        retention: RetentionController,
        orphans: OrphanController,
        networks: NetworkController,
        claims: Claims,
        keyring: KeyringHolder,
        events: EventRecorder,
        workers: int,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._runs = runs
        self._reconciler = reconciler
        self._web_servers = web_servers
        self._actors = actors
        self.claims = claims
        self._keyring = keyring
        self._events = events
        self._clock = clock
        self._metrics = metrics
        self._leading = False
        self.accounts = accounts
        self.retention = retention
        self.orphans = orphans
        self.networks = networks
        self.queue: WorkQueue[Key] = WorkQueue()
        self.timers: Timers[Key] = Timers(self._look_at, now=self._seconds)
        self._workers = WorkerPool(queue=self.queue, handle=self._handle, size=workers)

    # Events: what to look at again

    def on_run(self, old: RunView | FinishedRun | None, new: RunView | FinishedRun | None) -> None:
        """A run came, changed or went."""
        if isinstance(new, RunView):
            self._look_at((new.namespace, new.name))
            return
        gone = new or old
        if gone is not None:
            self._reconciler.forget(gone.uid)
            self.timers.cancel((gone.namespace, gone.name))
        if new is not None:
            self._look_at((new.namespace, new.name))  # something of it may be left

    def on_child(self, old: PodView | WebObject | None, new: PodView | WebObject | None) -> None:
        """A run's pod, Service or route came, changed or went."""
        # Somebody may have taken the label away.
        for child in filter(None, (old, new)):
            if run := child.metadata.labels.get(LABEL_RUN):
                self._look_at((child.namespace, run))

    def on_ingress_class(self, old: WebObject | None, new: WebObject | None) -> None:
        """The IngressClass came or went: with it, all runs can be reached or cannot."""
        if (old is None) is not (new is None):
            for run in self._runs:
                if isinstance(run, RunView):
                    self._look_at((run.namespace, run.name))

    def on_actor(self, old: ActorView | None, new: ActorView | None) -> None:
        """An Actor came, changed or went: runs may have waited for it."""
        self._actors.on_actor(old, new)
        actor = new or old
        if actor is None:
            return
        for run in self._runs.by_index(RUNS_BY_ACTOR, f"{actor.namespace}/{actor.name}"):
            self._look_at((run.namespace, run.name))

    def on_account(self, old: AccountView | None, new: AccountView | None) -> None:
        """An account came, changed or went: its runs may stay longer or shorter."""
        account = new or old
        if account is not None:
            self.retention.look_at_account(account.name)

    def on_namespace(self, old: NamespaceView | None, new: NamespaceView | None) -> None:
        """A namespace was claimed or released: its runs may be ours from now on."""
        if new is not None:
            self._look_at_namespace(new.name)
        elif old is not None:
            self.claims.release(old.name, self._look_at_namespace)

    def _look_at_namespace(self, namespace: str) -> None:
        for run in self._runs:
            if run.namespace == namespace and isinstance(run, RunView):
                self._look_at((run.namespace, run.name))
        self._actors.look_at_namespace(namespace)
        self.retention.look_at_account(namespace)
        self.networks.look_at_namespace(namespace)

    # Leading

    async def start_leading(self, version: str, informers: Sequence[Informer]) -> None:  # type: ignore[type-arg]
        """Begin to work, once the caches are as new as the lease and the keys are there."""
        await asyncio.gather(*(informer.wait_for(version) for informer in informers))
        await self._keyring.load()
        self._leading = True
        self._events.start_leading()
        self.accounts.start_leading(self._call)
        whole = (run for run in self._runs if isinstance(run, RunView))
        for run in sorted(whole, key=_place_in_line):
            self.queue.add((run.namespace, run.name))
        for key in self._web_servers.runs():
            self.queue.add(key)  # a finished one may have left something
        self.networks.start_leading(self._protected)
        self._workers.start()
        self._actors.start_leading()
        self.retention.start_leading()
        self.orphans.start_leading()
        self._metrics.leader.set(1)
        log.info("Leading.", runs=len(self._runs), queued=self.queue.depth)

    async def stop_leading(self) -> bool:
        """Stop working; returns when nothing of it runs, and whether all of it ended by itself."""
        self._leading = False
        self._metrics.leader.set(0)
        ended = await asyncio.gather(
            self._workers.stop(STOP_GRACE),
            self.accounts.stop_leading(STOP_GRACE),
            self._actors.stop_leading(STOP_GRACE),
            self.retention.stop_leading(STOP_GRACE),
            self.orphans.stop_leading(STOP_GRACE),
            self.networks.stop_leading(STOP_GRACE),
        )
        await self._events.stop_leading()
        self._reconciler.forget_all()
        self.queue.clear()
        self.timers.clear()
        log.info("Not leading any more.")
        return all(ended)

    # Work

    def _look_at(self, key: Key) -> None:
        if self._leading:
            self.queue.add(key)

    def _call(self, uid: str, key: Key) -> None:
        """There is room for a run that waited: it holds memory, so it goes before all others."""
        self._reconciler.retry_now(uid)
        if self._leading:
            self.queue.add(key, urgent=True)

    def _protected(self, namespace: str) -> None:
        """A namespace has the NetworkPolicy that its runs waited for."""
        for run in self._runs:
            if run.namespace == namespace and isinstance(run, RunView):
                self._reconciler.retry_now(run.uid)
                self._look_at((run.namespace, run.name))

    async def _handle(self, key: Key) -> None:
        if not self.claims.serves(key[0]):
            self.timers.cancel(key)
            return
        begun = asyncio.get_running_loop().time()
        try:
            wake_at = await self._reconciler.reconcile(key)
        except NotLeaderError:
            raise
        except Exception:
            self._metrics.retries.inc()
            raise
        self._set_timer(key, wake_at)
        self._metrics.reconcile_seconds.observe(asyncio.get_running_loop().time() - begun)

    def _set_timer(self, key: Key, wake_at: datetime | None) -> None:
        if wake_at is None:
            self.timers.cancel(key)
        else:
            self.timers.set(key, wake_at.timestamp())

    def _seconds(self) -> float:
        """The clock by which timers are set: the wall clock, for deadlines are moments."""
        return self._clock.now().timestamp()

    # For the metrics

    def census(self) -> Mapping[tuple[str, ...], float]:
        """How many runs are in each phase, and why; the leader alone says it."""
        ours = (run for run in self._runs if self.claims.serves(run.namespace))
        return Counter(_place(run) for run in ours) if self._leading else {}


def _place(run: RunView | FinishedRun) -> tuple[str, str]:
    if isinstance(run, RunView):
        return run.status.phase, cause_of(run.status)
    return run.phase, run.reason


def _place_in_line(run: RunView) -> tuple[datetime, str]:
    """Who waits longest is looked at first."""
    return run.status.queued_at or run.attempt_began, run.uid
