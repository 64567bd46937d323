"""Builds every object from settings; nothing else constructs services."""

import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from actor_operator import __version__
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.clock import Clock, SystemClock
from actor_operator.constants import LABEL_RUN_UID, WRITE_LANDING_SECONDS
from actor_operator.engine.informer import Informer
from actor_operator.engine.lease import Elector
from actor_operator.engine.lease_hold import LeaseHold, LeaseTiming
from actor_operator.engine.limiter import TokenBucket
from actor_operator.engine.loop_lag import measure_loop_lag
from actor_operator.engine.store import Store
from actor_operator.kube.actors import ACTORS, Actors, decode_actor
from actor_operator.kube.client import KubeClient
from actor_operator.kube.credentials import Connection
from actor_operator.kube.leases import LeaseStore
from actor_operator.kube.pods import PODS, SELECTOR, Pods, decode_pod
from actor_operator.kube.runs import ACTOR_RUNS, Runs, decode_run
from actor_operator.kube.secret import Secrets
from actor_operator.kube.source import KindSource
from actor_operator.kube.transport import Timeouts
from actor_operator.metrics import Metrics
from actor_operator.reconcile.actor import ActorController
from actor_operator.reconcile.controller import RUNS_BY_ACTOR, RunController, run_index
from actor_operator.reconcile.execute import Executor
from actor_operator.reconcile.keys import KeyringHolder
from actor_operator.reconcile.run import PODS_BY_RUN, RunReconciler
from actor_operator.reconcile.seams import Seams
from actor_operator.settings import Settings

USER_AGENT = f"actor-operator/{__version__}"
"""How we call ourselves in the API server's audit log."""

POD_UID = "POD_UID"
"""Variable with the uid of our pod: a restarted container takes its own lease back at once."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What the informers know."""

    runs: Store[RunView | FinishedRun]
    pods: Store[PodView]
    actors: Store[ActorView]
    """What the informers know of Actors."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One replica of the operator: what runs, and what tells of its health."""

    controller: RunController
    elector: Elector
    informers: tuple[Informer[RunView | FinishedRun], Informer[PodView], Informer[ActorView]]
    metrics: Metrics
    stores: Stores
    clients: tuple[KubeClient, ...]

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Everything that runs for ever, by name."""
        informers = {f"informer-{informer.kind}": informer.run for informer in self.informers}
        lag = self.metrics.loop_lag.set
        return {
            **informers,
            "timers": self.controller.timers.run,
            "loop-lag": lambda: measure_loop_lag(lag),
            # The last to start and the first to stop: leading needs all others.
            "elector": self.elector.run,
        }

    @property
    def synced(self) -> bool:
        """Whether every informer has listed once: this replica is warm."""
        return all(informer.synced.is_set() for informer in self.informers)

    async def close(self) -> None:
        """Close all connections."""
        for client in self.clients:
            await client.close()


def build_operator(
    settings: Settings, connection: Connection, clock: Clock | None = None
) -> Operator:
    """Build one replica; nothing runs yet.

    Parameters
    ----------
    settings
        The operator's settings.
    connection
        Where the cluster is.
    clock
        The time; by default the machine's.
    """
    clock = clock or SystemClock()
    metrics = Metrics()
    timeouts = Timeouts(silence=settings.engine.silence_seconds)
    stores = _build_stores()
    guard = _Guard()
    client = KubeClient(
        connection,
        user_agent=USER_AGENT,
        limit=settings.engine.connections,
        timeouts=timeouts,
        guard=guard.check,
        limiter=TokenBucket(
            rate=settings.engine.writes_per_second, burst=settings.engine.write_burst
        ),
        observe=metrics.observe_call,
    )
    lease_client = KubeClient(
        connection, user_agent=USER_AGENT, timeouts=timeouts, observe=metrics.observe_call
    )
    controller = _build_controller(settings, client, stores, clock, metrics)
    informers = _build_informers(settings, client, stores, controller)
    elector = _build_elector(settings, lease_client, controller, informers, clock)
    guard.elector = elector
    _add_gauges(metrics, controller, informers)
    return Operator(controller, elector, informers, metrics, stores, (client, lease_client))


class _Guard:
    """Ties the client to the elector, which itself needs a client."""

    elector: Elector | None = None

    def check(self) -> None:
        if self.elector is not None:
            self.elector.check()


def _build_stores() -> Stores:
    return Stores(
        runs=Store({RUNS_BY_ACTOR: run_index}),
        pods=Store({PODS_BY_RUN: lambda pod: pod.metadata.labels.get(LABEL_RUN_UID)}),
        actors=Store(),
    )


def _build_controller(
    settings: Settings, client: KubeClient, stores: Stores, clock: Clock, metrics: Metrics
) -> RunController:
    pods, actors, run_secrets = Pods(client), Actors(client), Secrets(client)
    keyring = KeyringHolder(secrets=run_secrets, namespace=settings.namespace)
    reconciler = RunReconciler(
        runs=stores.runs,
        pods=stores.pods,
        actors=stores.actors,
        run_writer=Runs(client),
        pod_reader=pods,
        actor_reader=actors,
        executor=Executor(pods=pods, secrets=run_secrets),
        settings=settings,
        clock=clock,
        seams=Seams(metrics=metrics, clock=clock),
        key=keyring.active,
    )
    return RunController(
        runs=stores.runs,
        reconciler=reconciler,
        actors=ActorController(actors=stores.actors, writer=actors, clock=clock),
        keyring=keyring,
        workers=settings.engine.workers,
        clock=clock,
        metrics=metrics,
    )


def _build_informers(
    settings: Settings, client: KubeClient, stores: Stores, controller: RunController
) -> tuple[Informer[RunView | FinishedRun], Informer[PodView], Informer[ActorView]]:
    size = settings.engine.page_size
    return (
        Informer(
            source=KindSource(client, ACTOR_RUNS, page_size=size),
            store=stores.runs,
            decode=decode_run,
            on_change=controller.on_run,
        ),
        Informer(
            source=KindSource(client, PODS, label_selector=SELECTOR, page_size=size),
            store=stores.pods,
            decode=decode_pod,
            on_change=controller.on_pod,
        ),
        Informer(
            source=KindSource(client, ACTORS, page_size=size),
            store=stores.actors,
            decode=decode_actor,
            on_change=controller.on_actor,
        ),
    )


def _build_elector(
    settings: Settings,
    client: KubeClient,
    controller: RunController,
    informers: tuple[Informer[RunView | FinishedRun], Informer[PodView], Informer[ActorView]],
    clock: Clock,
) -> Elector:
    lease = settings.lease

    async def start_leading(version: str) -> None:
        await controller.start_leading(version, informers)

    slot = os.environ.get(POD_UID, "")
    hold = LeaseHold(
        store=LeaseStore(client, namespace=settings.namespace, name=lease.name),
        identity=f"{slot or os.uname().nodename}_{secrets.token_hex(4)}",
        slot=slot,
        timing=LeaseTiming(
            duration=lease.duration_seconds,
            renew_deadline=lease.renew_deadline_seconds,
            retry=lease.retry_seconds,
            landing=WRITE_LANDING_SECONDS,
        ),
        clock=clock,
    )
    return Elector(
        hold=hold,
        on_started_leading=start_leading,
        on_stopped_leading=controller.stop_leading,
    )


def _add_gauges(
    metrics: Metrics,
    controller: RunController,
    informers: tuple[Informer[RunView | FinishedRun], Informer[PodView], Informer[ActorView]],
) -> None:
    metrics.queue_depth.set_function(lambda: controller.queue.depth)
    metrics.queue_age.set_function(controller.queue.oldest_age)
    metrics.census("runs", "Runs that exist, by phase.", "phase", controller.census)
    metrics.census(
        "watch_age_seconds",
        "Seconds since the API server last gave a sign of life, by kind.",
        "kind",
        lambda: {informer.kind: int(informer.age()) for informer in informers},
    )
