"""Builds the part of the API server that tells actors of events; it needs no database."""

import ssl
from dataclasses import dataclass

from actor_operator.api_parts import (
    USER_AGENT,
    Cluster,
    Tasks,
    build_client,
    build_cluster,
    watched_runs,
)
from actor_operator.clock import Clock, SystemClock
from actor_operator.desired.keyring import Keyring
from actor_operator.kube.credentials import Connection
from actor_operator.kube.node_stats import NodeStats, kubelet_trust
from actor_operator.metrics_api import ApiMetrics
from actor_operator.services.live_runs import LiveRuns
from actor_operator.services.run_watch import RunHub, pod_store, run_store
from actor_operator.services.system_info import SystemInfo
from actor_operator.settings import Settings
from actor_operator.settings_api import ApiLimitSettings


@dataclass(frozen=True, slots=True)
class Events:
    """What the events' process runs.

    Parameters
    ----------
    cluster
        Runs and their pods.
    keyring
        Keys of the sockets' paths.
    hub
        Tells of runs.
    live
        Asks for runs that nobody told of.
    info
        What runs use.
    nodes
        Asks kubelets.
    clock
        The time.
    limits
        How much is too much.
    """

    cluster: Cluster
    keyring: Keyring
    hub: RunHub
    live: LiveRuns
    info: SystemInfo
    nodes: NodeStats
    clock: Clock
    limits: ApiLimitSettings

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
        return {**self.cluster.tasks, "system-info": self.info.run}

    def stop_waiting(self) -> None:
        """End every wait; sockets are closed by the server."""
        self.hub.close()

    async def close(self) -> None:
        """Close every connection."""
        await self.nodes.close()
        await self.cluster.client.close()


def build_events(settings: Settings, connection: Connection, keyring: Keyring) -> Events:
    """Build the events' process; nothing runs yet.

    Raises
    ------
    ConfigurationError
        When the CA of the kubelets is not usable.
    """
    metrics = ApiMetrics()
    client = build_client(settings, connection, metrics)
    runs, pods = run_store(), pod_store()
    hub = RunHub(runs, pods)
    nodes = NodeStats(connection, _trust(settings, connection), user_agent=USER_AGENT)
    return Events(
        cluster=build_cluster(settings, client, metrics, watched_runs(runs, pods)),
        keyring=keyring,
        hub=hub,
        live=LiveRuns(client, hub, settings.namespaces),
        info=SystemInfo(hub, nodes),
        nodes=nodes,
        clock=SystemClock(),
        limits=settings.api.limits,
    )


def _trust(settings: Settings, connection: Connection) -> ssl.SSLContext:
    """Whose certificates kubelets may have: those of a named CA, else of the cluster's."""
    if settings.api.kubelet_ca_file is not None:
        return kubelet_trust(settings.api.kubelet_ca_file)
    found = connection.ssl
    return found if isinstance(found, ssl.SSLContext) else ssl.create_default_context()
