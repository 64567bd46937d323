"""The operator on a toy cluster: the real reconciler with its stores, queue and timer.

Its watches tell of changes one by one and late; it looks at the run only when an event, a timer or
a failure asks for it, as the controller does. A crash loses everything but what is in the cluster.
"""

from collections import deque
from datetime import datetime
from typing import Any, cast

from prometheus_client import CollectorRegistry
from tests.support.builders import KEYRING, SETTINGS
from tests.support.toy_accounts import a_controller
from tests.support.toy_cluster import Crash, Event, ToyActors, ToyCluster, ToySecrets, drive

from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView, stub
from actor_operator.constants import LABEL_RUN_UID
from actor_operator.engine.store import Store
from actor_operator.errors import ActorOperatorError
from actor_operator.metrics import Metrics
from actor_operator.reconcile.execute import Executor
from actor_operator.reconcile.gather import PODS_BY_RUN, Gatherer
from actor_operator.reconcile.run import RunReconciler
from actor_operator.reconcile.seams import Seams
from actor_operator.reconcile.web_servers import WebServers
from actor_operator.settings import Settings


class ToyOperator:
    """One process of the operator, again and again.

    Parameters
    ----------
    cluster
        What it works on.
    settings
        The operator's settings.
    """

    def __init__(self, cluster: ToyCluster, settings: Settings = SETTINGS) -> None:
        self.cluster = cluster
        self.settings = settings
        self.restarts = 0
        self.failures = 0
        self._start()

    def now(self) -> datetime:
        """The toy cluster's time: the operator's clock."""
        return self.cluster.now

    def restart(self) -> None:
        """The process dies; another one lists everything and begins."""
        self.restarts += 1
        self._start()

    def _start(self) -> None:
        cluster = self.cluster
        self.runs: Store[RunView | FinishedRun] = Store()
        self.pods: Store[PodView] = Store(
            {PODS_BY_RUN: lambda pod: pod.metadata.labels.get(LABEL_RUN_UID)}
        )
        self.actors: Store[ActorView] = Store()
        cluster.run_events.clear()
        cluster.pod_events.clear()
        version = str(cluster._version)
        self.runs.replace_all([stub(cluster.run)], version)
        self.pods.replace_all(list(cluster.pods.values()), version)
        self.actors.replace_all([cluster.actor] if cluster.actor else [], version)
        accounts = a_controller(runs=self.runs, pods=self.pods, clock=self)
        accounts.start_leading(lambda _uid, _key: None)
        everything = cast("Any", cluster)  # it stands for the classes of kube
        self.reconciler = RunReconciler(
            runs=self.runs,
            pods=self.pods,
            run_writer=everything,
            gatherer=Gatherer(
                runs=self.runs,
                pods=self.pods,
                actors=self.actors,
                pod_reader=everything,
                actor_reader=cast("Any", ToyActors(cluster)),
                settings=self.settings,
                clock=self,
            ),
            executor=Executor(
                pods=everything, secrets=cast("Any", ToySecrets(cluster)), protect=_is_protected
            ),
            web_servers=WebServers(
                kinds={}, classes=Store(), settings=self.settings.web_server, clock=self
            ),
            accounts=accounts,
            settings=self.settings,
            clock=self,
            seams=Seams(metrics=Metrics(CollectorRegistry()), clock=self),
            on_status=lambda *_: None,
            keyring=lambda: KEYRING,
        )
        self.queued = True
        self.wake_at: datetime | None = None

    # Watches

    def hear_of_run(self) -> None:
        """The next event of the run's watch."""
        self._hear(self.cluster.run_events, self.runs, lambda run: stub(run))  # noqa: PLW0108 -- typed

    def hear_of_pod(self) -> None:
        """The next event of the pods' watch."""
        self._hear(self.cluster.pod_events, self.pods, lambda pod: pod)

    def hear_of_actor(self) -> None:
        """The Actor has come."""
        if self.cluster.actor is not None:
            self.actors.apply(self.cluster._versioned(self.cluster.actor))
            self.queued = True

    def _hear(self, events: deque[Event], store: Any, keep: Any) -> None:
        if not events:
            return
        seen, deleted = events.popleft()
        if deleted:
            changed = store.remove(seen.namespace, seen.name, seen.uid)
        else:
            changed = store.apply(keep(seen))
        store.version = seen.resource_version
        if changed is not None:
            self.queued = True

    # Work

    @property
    def due(self) -> bool:
        """Whether there is something to look at now."""
        timer = self.wake_at is not None and self.wake_at <= self.cluster.now
        return self.queued or timer

    def work(self) -> None:
        """Look at the run, if anything asks for it."""
        if not self.due:
            return
        self.queued = False
        run = self.cluster.run
        try:
            self.wake_at = drive(self.reconciler.reconcile((run.namespace, run.name)))
        except Crash:
            self.restart()
        except ActorOperatorError:
            self.failures += 1
            self.queued = True


async def _is_protected(_namespace: str) -> None:
    """The namespace has its NetworkPolicy."""
