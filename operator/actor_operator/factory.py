"""Builds every object from settings; nothing else constructs services."""

import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from actor_operator import __version__
from actor_operator.clock import Clock
from actor_operator.constants import WRITE_LANDING_SECONDS
from actor_operator.engine.lease import Elector
from actor_operator.engine.lease_hold import LeaseHold, LeaseTiming
from actor_operator.engine.limiter import TokenBucket
from actor_operator.engine.loop_lag import measure_loop_lag
from actor_operator.kube.accounts import Accounts
from actor_operator.kube.actors import Actors
from actor_operator.kube.client import KubeClient
from actor_operator.kube.credentials import Connection
from actor_operator.kube.events import Events
from actor_operator.kube.leases import LeaseStore
from actor_operator.kube.namespaces import Namespaces
from actor_operator.kube.network_policies import NetworkPolicies
from actor_operator.kube.pods import Pods
from actor_operator.kube.runs import Runs
from actor_operator.kube.secret import Secrets
from actor_operator.kube.server_clock import ServerClock
from actor_operator.kube.transport import Call, Timeouts
from actor_operator.kube.web_objects import (
    HTTP_ROUTES,
    INGRESSES,
    SERVICES,
    WebObjects,
)
from actor_operator.lifecycle.routing import Part
from actor_operator.metrics import Metrics
from actor_operator.reconcile.account import AccountController
from actor_operator.reconcile.account_status import AccountStatuses
from actor_operator.reconcile.actor import ActorController
from actor_operator.reconcile.archives import ArchiveController
from actor_operator.reconcile.census import add_censuses
from actor_operator.reconcile.claims import ClaimReader, Claims
from actor_operator.reconcile.controller import RunController
from actor_operator.reconcile.event_writer import EventWriter
from actor_operator.reconcile.events import EventRecorder
from actor_operator.reconcile.execute import Executor
from actor_operator.reconcile.gather import Gatherer
from actor_operator.reconcile.keys import KeyringHolder
from actor_operator.reconcile.network import NetworkController
from actor_operator.reconcile.orphans import OrphanController
from actor_operator.reconcile.retention import RetentionController
from actor_operator.reconcile.run import RunReconciler
from actor_operator.reconcile.seams import Seams
from actor_operator.reconcile.web_servers import WebKind, WebServers
from actor_operator.settings import Settings
from actor_operator.settings_web import WebServerMode, WebServerSettings
from actor_operator.watches import Watches, build_watches
from actor_operator.watching import Stores, build_stores, watched_kinds

USER_AGENT = f"actor-operator/{__version__}"
"""How we call ourselves in the API server's audit log."""

POD_UID = "POD_UID"
"""Variable with the uid of our pod: a restarted container takes its own lease back at once."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One replica of the operator: what runs, and what tells of its health."""

    controller: RunController
    elector: Elector
    watches: Watches
    claim_reader: ClaimReader | None
    metrics: Metrics
    stores: Stores
    clients: tuple[KubeClient, ...]

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Everything that runs for ever, by name."""
        informers = {
            f"informer-{informer.kind}": informer.run for informer in self.watches.informers
        }
        lag = self.metrics.loop_lag.observe
        return {
            **informers,
            **({"claims": self.claim_reader.run} if self.claim_reader else {}),
            "timers": self.controller.timers.run,
            "retention": self.controller.retention.timers.run,
            "archives": self.controller.retention.archives.timers.run,
            "accounts": self.controller.accounts.timers.run,
            "orphans": self.controller.orphans.timers.run,
            "loop-lag": lambda: measure_loop_lag(lag),
            # The last to start and the first to stop: leading needs all others.
            "elector": self.elector.run,
        }

    @property
    def synced(self) -> bool:
        """Whether every informer that is needed has listed once: this replica is warm."""
        if self.claim_reader is not None and not self.claim_reader.known.is_set():
            return False
        needed = self.watches.needed(self.controller.claims.serves)
        return all(informer.synced.is_set() for informer in needed)

    async def close(self) -> None:
        """Close all connections."""
        for client in self.clients:
            await client.close()


def build_operator(settings: Settings, connection: Connection) -> Operator:
    """Build one replica; nothing runs yet.

    Parameters
    ----------
    settings
        The operator's settings.
    connection
        Where the cluster is.
    """
    metrics = Metrics()
    clock = ServerClock(tell=metrics.clock_offset.set)

    def observe(call: Call) -> None:
        metrics.observe_call(call.verb, call.kind, call.status, call.seconds)
        clock.hear(call.date)

    timeouts = Timeouts(silence=settings.engine.silence_seconds)
    stores = build_stores()
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
        observe=observe,
    )
    lease_client = KubeClient(connection, user_agent=USER_AGENT, timeouts=timeouts, observe=observe)
    controller = _build_controller(settings, client, stores, clock, metrics)
    watches = build_watches(watched_kinds(settings, stores, controller), client, settings)
    claim_reader = _build_claim_reader(settings, client, stores, controller, watches)
    elector = _build_elector(settings, lease_client, controller, watches, claim_reader, clock)
    guard.elector = elector
    add_censuses(metrics, controller, watches.informers)
    return Operator(
        controller,
        elector,
        watches,
        claim_reader,
        metrics,
        stores,
        (client, lease_client),
    )


class _Guard:
    """Ties the client to the elector, which itself needs a client."""

    elector: Elector | None = None

    def check(self) -> None:
        if self.elector is not None:
            self.elector.check()


def _build_controller(
    settings: Settings, client: KubeClient, stores: Stores, clock: Clock, metrics: Metrics
) -> RunController:
    pods, runs, actors, run_secrets = Pods(client), Runs(client), Actors(client), Secrets(client)
    claims = Claims(own=settings.namespace, only=settings.namespaces, labelled=stores.labelled)
    networks = _build_networks(settings, client, stores, claims)
    executor = Executor(pods=pods, secrets=run_secrets, protect=networks.ensure)
    keyring = KeyringHolder(secrets=run_secrets, namespace=settings.namespace)
    events = _build_events(client, stores, clock, metrics)
    web_servers = _build_web_servers(settings.web_server, client, stores, events, clock)
    accounts = _build_accounts(settings, client, stores, claims, clock)
    reconciler = RunReconciler(
        runs=stores.runs,
        pods=stores.pods,
        run_writer=runs,
        gatherer=_build_gatherer(settings, stores, pods, actors, clock),
        executor=executor,
        web_servers=web_servers,
        accounts=accounts,
        settings=settings,
        clock=clock,
        seams=Seams(metrics=metrics, clock=clock),
        on_status=events.status_written,
        keyring=keyring.current,
    )
    return RunController(
        runs=stores.runs,
        reconciler=reconciler,
        web_servers=web_servers,
        accounts=accounts,
        actors=_build_actors(stores, actors, claims, clock),
        retention=_build_retention(
            settings=settings,
            stores=stores,
            runs=runs,
            executor=executor,
            accounts=accounts,
            events=events,
            claims=claims,
            clock=clock,
        ),
        orphans=_build_orphans(stores, runs, executor, claims, clock),
        networks=networks,
        claims=claims,
        keyring=keyring,
        events=events,
        workers=settings.engine.workers,
        clock=clock,
        metrics=metrics,
    )


def _build_actors(stores: Stores, writer: Actors, claims: Claims, clock: Clock) -> ActorController:
    return ActorController(actors=stores.actors, writer=writer, serves=claims.serves, clock=clock)


def _build_retention(  # noqa: PLR0913 -- its collaborators, each of them once
    *,
    settings: Settings,
    stores: Stores,
    runs: Runs,
    executor: Executor,
    accounts: AccountController,
    events: EventRecorder,
    claims: Claims,
    clock: Clock,
) -> RetentionController:
    archives = ArchiveController(
        runs=stores.runs,
        run_writer=runs,
        tell=events.tell,
        serves=claims.serves,
        enabled=settings.api.enabled,
        clock=clock,
    )
    return RetentionController(
        runs=stores.runs,
        pods=stores.pods,
        run_writer=runs,
        executor=executor,
        archives=archives,
        account=accounts.retention_of,
        serves=claims.serves,
        settings=settings.retention,
        clock=clock,
    )


def _build_orphans(
    stores: Stores, runs: Runs, executor: Executor, claims: Claims, clock: Clock
) -> OrphanController:
    return OrphanController(
        runs=stores.runs,
        pods=stores.pods,
        run_reader=runs,
        executor=executor,
        claims=claims,
        clock=clock,
    )


def _build_networks(
    settings: Settings, client: KubeClient, stores: Stores, claims: Claims
) -> NetworkController:
    return NetworkController(
        policies=stores.policies,
        runs=stores.runs,
        writer=NetworkPolicies(client),
        settings=settings,
        serves=claims.serves,
    )


def _build_web_servers(
    settings: WebServerSettings,
    client: KubeClient,
    stores: Stores,
    events: EventRecorder,
    clock: Clock,
) -> WebServers:
    kinds: dict[Part, WebKind] = {}
    if settings.enabled:
        ingresses = settings.mode is WebServerMode.INGRESS
        routes = WebObjects(client, INGRESSES) if ingresses else WebObjects(client, HTTP_ROUTES)
        kinds = {
            Part.SERVICE: WebKind(stores.services, WebObjects(client, SERVICES)),
            Part.ROUTE: WebKind(stores.routes, routes),
        }
    return WebServers(
        kinds=kinds,
        classes=stores.ingress_classes,
        settings=settings,
        clock=clock,
        tell=events.tell,
    )


def _build_gatherer(
    settings: Settings, stores: Stores, pods: Pods, actors: Actors, clock: Clock
) -> Gatherer:
    return Gatherer(
        runs=stores.runs,
        pods=stores.pods,
        actors=stores.actors,
        pod_reader=pods,
        actor_reader=actors,
        settings=settings,
        clock=clock,
    )


def _build_accounts(
    settings: Settings, client: KubeClient, stores: Stores, claims: Claims, clock: Clock
) -> AccountController:
    return AccountController(
        runs=stores.runs,
        pods=stores.pods,
        accounts=stores.accounts,
        statuses=AccountStatuses(
            accounts=stores.accounts, writer=Accounts(client), serves=claims.serves
        ),
        settings=settings.accounts,
        clock=clock,
    )


def _build_events(
    client: KubeClient, stores: Stores, clock: Clock, metrics: Metrics
) -> EventRecorder:
    writer = EventWriter(
        events=Events(client, instance=os.uname().nodename), clock=clock, metrics=metrics
    )
    return EventRecorder(runs=stores.runs, writer=writer)


def _build_claim_reader(
    settings: Settings,
    client: KubeClient,
    stores: Stores,
    controller: RunController,
    watches: Watches,
) -> ClaimReader | None:
    if not settings.namespaces:
        return None
    return ClaimReader(
        own=settings.namespace,
        only=settings.namespaces,
        labelled=stores.labelled,
        reader=Namespaces(client),
        is_warm=watches.warm_in,
        on_change=controller.on_namespace,
    )


def _build_elector(
    settings: Settings,
    client: KubeClient,
    controller: RunController,
    watches: Watches,
    claim_reader: ClaimReader | None,
    clock: Clock,
) -> Elector:
    lease = settings.lease

    async def start_leading(version: str) -> None:
        if claim_reader is not None:
            await claim_reader.known.wait()
        await controller.start_leading(version, watches.needed(controller.claims.serves))

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
