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
from tests.support.toy_web import CLASS, ToyWeb

from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView, stub
from actor_operator.api.views.web_object import WebObject
from actor_operator.constants import LABEL_RUN, LABEL_RUN_UID
from actor_operator.engine.store import Store
from actor_operator.errors import ActorOperatorError
from actor_operator.lifecycle.routing import Part
from actor_operator.metrics import Metrics
from actor_operator.reconcile.execute import Executor
from actor_operator.reconcile.gather import PODS_BY_RUN, Gatherer
from actor_operator.reconcile.run import RunReconciler
from actor_operator.reconcile.seams import Seams
from actor_operator.reconcile.web_servers import WebKind, WebServers
from actor_operator.settings import Settings
from actor_operator.settings_web import WebServerMode

METRICS = Metrics(CollectorRegistry())
"""Of all processes together: nobody reads them, and making them costs as much as a restart."""


class ToyOperator:
    """One process of the operator, again and again.

    Parameters
    ----------
    cluster
        What it works on.
    settings
        The operator's settings.
    web
        Services and routes of the cluster; None: runs have no URLs.
    """

    def __init__(
        self, cluster: ToyCluster, settings: Settings = SETTINGS, web: ToyWeb | None = None
    ) -> None:
        self.cluster = cluster
        self.settings = settings
        self.web = web or ToyWeb(cluster, WebServerMode.NONE)
        self.keyring = KEYRING
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
        cluster.land()  # who leads next waits for that
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
        self._list_web_objects()
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
                kinds=self._web_kinds,
                classes=self.classes,
                settings=self.settings.web_server,
                clock=self,
                tell=lambda *_: None,
            ),
            accounts=accounts,
            settings=self.settings,
            clock=self,
            seams=Seams(metrics=METRICS, clock=self),
            on_status=lambda *_: None,
            keyring=lambda: self.keyring,
        )
        self.queued = True
        self.wake_at: datetime | None = None

    def _list_web_objects(self) -> None:
        version = str(self.cluster._version)
        self.classes: Store[WebObject] = Store()
        self._web_kinds: dict[Part, WebKind] = {}
        for part, kind in self.web.kinds.items():
            kind.events.clear()
            store: Store[WebObject] = Store()
            store.replace_all(kind.listed, version)
            self._web_kinds[part] = WebKind(store, cast("Any", kind))
        if self.web.has_class:
            self.classes.apply(WebObject(Metadata(CLASS, resource_version="1")))

    # Watches

    def hear_of_run(self) -> None:
        """The next event of the run's watch."""
        self._hear(self.cluster.run_events, self.runs, lambda run: stub(run))  # noqa: PLW0108 -- typed
        run = self.cluster.run
        if isinstance(self.runs.get(run.namespace, run.name), FinishedRun):
            self.reconciler.forget(run.uid)

    def hear_of_pod(self) -> None:
        """The next event of the pods' watch."""
        self._hear(self.cluster.pod_events, self.pods, lambda pod: pod)

    def hear_of_web_object(self, part: Part) -> None:
        """The next event of the watch of Services or routes."""
        events = self.web.kinds[part].events
        if events:
            seen, deleted = events.popleft()
            store = self._web_kinds[part].store
            before = store.get(seen.namespace, seen.name)
            taken = self._take(store, seen, deleted=deleted)
            told = (before, seen) if taken else ()
            if any(found and LABEL_RUN in found.metadata.labels for found in told):
                self.queued = True

    def hear_of_class(self) -> None:
        """The IngressClass has come or gone."""
        if self.web.has_class:
            self.classes.apply(
                WebObject(Metadata(CLASS, resource_version=str(self.cluster._version)))
            )
        else:
            self.classes.remove("", CLASS, "")
        self.queued = True

    def hear_everything(self) -> None:
        """All that the watches have not told yet."""
        while self.cluster.run_events:
            self.hear_of_run()
        while self.cluster.pod_events:
            self.hear_of_pod()
        for part, kind in self.web.kinds.items():
            while kind.events:
                self.hear_of_web_object(part)

    def hear_of_actor(self) -> None:
        """The Actor has come."""
        if self.cluster.actor is not None:
            self.actors.apply(self.cluster._versioned(self.cluster.actor))
            self.queued = True

    def _hear(self, events: deque[Event], store: Any, keep: Any) -> None:
        if not events:
            return
        seen, deleted = events.popleft()
        if self._take(store, keep(seen), deleted=deleted):
            self.queued = True

    @staticmethod
    def _take(store: Any, seen: Any, *, deleted: bool) -> bool:
        """Take an event in, as the informer does; whether it was news."""
        if deleted:
            changed = store.remove(seen.namespace, seen.name, seen.uid)
        else:
            changed = store.apply(seen)
        store.version = seen.resource_version
        return changed is not None

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
