"""Builds the API server behind its routes; nothing else constructs its services."""

import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from actor_operator.api_parts import (
    Cluster,
    Tasks,
    build_client,
    build_cluster,
    watched_runs,
)
from actor_operator.api_stores import ApiStores, build_accounts, new_stores, watched_stores
from actor_operator.clock import Clock, SystemClock
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.names import ids
from actor_operator.errors import RetryableError
from actor_operator.kube.client import KubeClient
from actor_operator.kube.credentials import Connection
from actor_operator.kube.reviews import Reviews
from actor_operator.kube.run_requests import RunRequests
from actor_operator.kube.runs import Runs
from actor_operator.log import logger
from actor_operator.metrics_api import ApiMetrics
from actor_operator.services.access import StorageAccess
from actor_operator.services.account_sweeper import AccountSweeper
from actor_operator.services.account_use import AccountUses
from actor_operator.services.actor_directory import ActorDirectory
from actor_operator.services.actors import Actors
from actor_operator.services.authentication import Authentication
from actor_operator.services.background import repeat
from actor_operator.services.dataset_compaction import DatasetCompactor
from actor_operator.services.datasets import Datasets
from actor_operator.services.identity import Caller
from actor_operator.services.key_listing import KeyListing
from actor_operator.services.key_value_stores import KeyValueStores
from actor_operator.services.kubernetes_identity import KubernetesIdentities
from actor_operator.services.limited_runs import LimitedRuns, refuse_limited
from actor_operator.services.log_follower import PodLogSource
from actor_operator.services.log_followers import LogFollowers
from actor_operator.services.log_tails import Tails
from actor_operator.services.log_writer import LogStore
from actor_operator.services.logs import Logs
from actor_operator.services.mirror import Mirror
from actor_operator.services.rates import Rates
from actor_operator.services.request_queues import RequestQueues
from actor_operator.services.run_answers import RunAnswers
from actor_operator.services.run_directory import RunDirectory
from actor_operator.services.run_finding import RunFinding
from actor_operator.services.run_parts import RunParts
from actor_operator.services.run_start import RunStart
from actor_operator.services.run_storages import RunStorages
from actor_operator.services.run_sweeper import RunSweeper
from actor_operator.services.run_sync import RunSync
from actor_operator.services.run_watch import RunHub, pod_store, run_store
from actor_operator.services.runs import RunService
from actor_operator.services.storage_expiry import StorageExpiry
from actor_operator.services.storage_forms import storage_forms
from actor_operator.services.storage_object import Addresses
from actor_operator.services.storage_use import StorageUse
from actor_operator.services.storages import Storages
from actor_operator.services.tokens import Tokens
from actor_operator.services.upkeep import Upkeep
from actor_operator.services.users import Usage, Users
from actor_operator.settings import Settings
from actor_operator.storage.catalog import StorageKind
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.observed import ObservedObjects
from actor_operator.storage.run_ends import compute_units

SWEEP_SECONDS = 60.0
"""Pause between two looks for starts that were left behind."""

MISSING_SECONDS = 600.0
"""Pause between two comparisons of all rows with all objects."""


log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageServices:
    """What the routes of storages do."""

    access: StorageAccess
    kinds: Mapping[StorageKind, Storages]
    key_value_stores: KeyValueStores
    keys: KeyListing
    datasets: Datasets
    queues: RequestQueues
    use: StorageUse
    compactor: DatasetCompactor


@dataclass(frozen=True, slots=True, kw_only=True)
class RunServices:
    """What the routes of Actors and runs do."""

    actors: Actors
    directory: ActorDirectory
    answers: RunAnswers
    runs: RunService
    start: RunStart
    sync: RunSync
    finding: RunFinding
    uses: AccountUses


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The API server behind its routes."""

    settings: Settings
    cluster: Cluster
    parts: RunParts
    authentication: Authentication
    rates: Rates
    storages: StorageServices
    runs: RunServices
    logs: Logs
    followers: LogFollowers
    mirror: Mirror
    sweeper: RunSweeper
    upkeep: Upkeep
    users: Users

    async def measure(self, caller: Caller) -> Usage:
        """What the caller's account uses now.

        Raises
        ------
        ApiError
            403 for a run with limited permissions.
        """
        refuse_limited(caller, "the limits and figures")
        use = self.runs.uses.of(caller.namespace)
        actors = await self.runs.directory.own(caller)
        units = await self.parts.database.read(
            lambda connection: compute_units(connection, caller.account, self.parts.millis)
        )
        return Usage(use.memory_mbytes, use.live_runs, len(actors), units)

    @property
    def metrics(self) -> ApiMetrics:
        """Its metrics."""
        return self.cluster.metrics

    @property
    def synced(self) -> bool:
        """Whether its caches are filled."""
        return self.cluster.synced

    async def warm(self) -> None:
        """Return once its caches are filled for the first time."""
        await self.cluster.warm()

    def tasks(self) -> Tasks:
        """What runs for ever, by name."""
        return {
            **self.cluster.tasks,
            "mirror": self.mirror.run,
            "missing-runs": self._look_for_missing,
            "runs": lambda: repeat("settling of starts", self.sweeper.sweep, SWEEP_SECONDS),
            "logs": self.followers.run,
            **self.upkeep.tasks(),
        }

    async def _look_for_missing(self) -> None:
        """Look for rows whose object vanished while nobody watched, now and then."""
        await self.cluster.warm()
        await repeat("missing runs", self.mirror.look_for_missing, MISSING_SECONDS)

    def stop_waiting(self) -> None:
        """Answer every request that is held, and end every stream of a log: the process stops."""
        self.parts.hub.close()
        self.logs.close()

    async def close(self) -> None:
        """Write what is left to be written, and close everything."""
        try:
            await self.storages.use.flush()
        except RetryableError as error:
            log.warning("Statistics of storages are lost.", cause=str(error))
        await self.parts.database.close()
        await self.cluster.client.close()


def build_api(
    settings: Settings,
    connection: Connection,
    keyring: Keyring,
    database: Database,
    objects: ObjectStore,
) -> Api:
    """Build the API server; nothing runs yet.

    Parameters
    ----------
    settings
        The settings of the installation.
    connection
        Where the cluster is.
    keyring
        Keys of run tokens.
    database, objects
        Where everything is kept.
    """
    metrics, clock = ApiMetrics(), SystemClock()
    database.on_commit(metrics.note_commit)
    objects = ObservedObjects(objects, metrics.note_object_failure)
    client = build_client(settings, connection, metrics)
    stores = new_stores()
    runs, pods = run_store(), pod_store()
    accounts = build_accounts(stores, database, clock, settings)
    parts = RunParts(
        database=database,
        objects=objects,
        directory=RunDirectory(runs, Runs(client)),
        hub=RunHub(runs, pods),
        runs=Runs(client),
        requests=RunRequests(client),
        actors=ActorDirectory(
            store=stores.actors, database=database, accounts=accounts, now=clock.now
        ),
        accounts=accounts,
        settings=settings,
        keyring=keyring,
        now=clock.now,
    )
    watched = (*watched_runs(runs, pods), *watched_stores(stores))
    cluster = build_cluster(settings, client, metrics, watched)
    api = _build(parts, stores, cluster, keyring, clock)
    _measure(api)
    return api


def _build(
    parts: RunParts, stores: ApiStores, cluster: Cluster, keyring: Keyring, clock: Clock
) -> Api:
    settings, tails = parts.settings, Tails()
    limits = settings.api.limits
    runs, storages = build_runs(parts, stores), build_storages(parts)
    return Api(
        settings=settings,
        cluster=cluster,
        parts=parts,
        authentication=Authentication(
            keyring=keyring,
            tokens=Tokens(stores.tokens, clock.now),
            runs=parts.directory,
            accounts=parts.accounts,
            now=clock.now,
            kubernetes=build_identities(parts, cluster.client, clock),
        ),
        rates=Rates(
            per_second=limits.requests_per_second, burst=limits.request_burst, now=time.monotonic
        ),
        storages=storages,
        runs=runs,
        logs=Logs(parts.database, parts.objects, tails, limits.max_log_streams),
        followers=build_followers(parts, cluster.client, tails, clock),
        mirror=Mirror(parts),
        sweeper=RunSweeper(parts, runs.start),
        upkeep=build_upkeep(parts, stores, storages),
        users=Users(
            namespaces=stores.namespaces,
            accounts=stores.accounts,
            settings=settings.accounts,
            retention=settings.retention,
            now=clock.now,
        ),
    )


def _measure(api: Api) -> None:
    """Have the metrics ask for what is there at the moment."""
    metrics = api.metrics
    metrics.held.set_function(lambda: api.runs.answers.held)
    metrics.log_streams.set_function(lambda: api.logs.streams)
    metrics.log_followers.set_function(lambda: api.followers.following)
    metrics.mirror_lag.set_function(lambda: api.mirror.lag_seconds)
    metrics.halted.set_function(lambda: api.mirror.halted)


def build_identities(
    parts: RunParts, client: KubeClient, clock: Clock
) -> KubernetesIdentities | None:
    """What knows tokens of Kubernetes; None where they are not taken."""
    if not parts.settings.api.kubernetes_identities:
        return None
    return KubernetesIdentities(
        reviews=Reviews(client), accounts=parts.accounts, now=clock.now, monotonic=time.monotonic
    )


def build_storages(parts: RunParts) -> StorageServices:
    """What the routes of storages do."""
    api, database, objects = parts.settings.api, parts.database, parts.objects
    addresses = Addresses(api.base_url, api.console_url)

    def now() -> int:
        return parts.millis

    async def run_of(caller: Caller) -> str | None:
        run = parts.directory.by_uid(caller.run.uid) if caller.run else None
        return ids(run).run if run else None

    run_storages = RunStorages(database, parts.runs, parts.now)
    limited = LimitedRuns(parts.directory, run_storages)
    use, compactor = StorageUse(database, now), DatasetCompactor(database)
    stores = KeyValueStores(
        database, objects, use, now, max_record_bytes=api.limits.max_record_bytes
    )
    return StorageServices(
        access=StorageAccess(
            database=database,
            directory=parts.directory,
            run_storages=run_storages,
            now=parts.now,
        ),
        kinds={
            form.kind: Storages(form, database, now, run_of, limited)
            for form in storage_forms(addresses)
        },
        key_value_stores=stores,
        keys=KeyListing(database, stores, addresses),
        datasets=Datasets(database, objects, use, compactor, now, addresses),
        queues=RequestQueues(database, use, now),
        use=use,
        compactor=compactor,
    )


def build_upkeep(parts: RunParts, stores: ApiStores, storages: StorageServices) -> Upkeep:
    """The work in the background for what is stored."""
    settings, database = parts.settings.api.storage, parts.database

    def now() -> int:
        return parts.millis

    return Upkeep(
        database=database,
        objects=parts.objects,
        now=now,
        use=storages.use,
        compactor=storages.compactor,
        expiry=StorageExpiry(database, storages.use, settings.unnamed_seconds, now),
        accounts=AccountSweeper(database, stores.namespaces, settings.unreachable_seconds, now),
    )


def build_followers(
    parts: RunParts, client: KubeClient, tails: Tails, clock: Clock
) -> LogFollowers:
    """What reads the logs of pods."""
    store = LogStore(
        database=parts.database,
        objects=parts.objects,
        tails=tails,
        clock=clock,
        owner=f"{os.uname().nodename}_{secrets.token_hex(4)}",
    )
    return LogFollowers(
        parts.hub,
        PodLogSource(client, parts.hub),
        store,
        parts.requests,
        parts.accounts.number,
        parts.accounts.is_foreign,
    )


def build_runs(parts: RunParts, stores: ApiStores) -> RunServices:
    """What the routes of Actors and runs do."""
    answers = RunAnswers(parts)
    uses = AccountUses(
        directory=parts.directory,
        hub=parts.hub,
        accounts=stores.accounts,
        settings=parts.settings.accounts,
    )
    runs, start = RunService(parts, answers, uses), RunStart(parts)
    return RunServices(
        actors=Actors(
            parts.actors, parts.database, parts.settings.defaults, parts.settings.api.base_url
        ),
        directory=parts.actors,
        answers=answers,
        runs=runs,
        start=start,
        sync=RunSync(start, answers),
        finding=RunFinding(runs, parts.actors),
        uses=uses,
    )
