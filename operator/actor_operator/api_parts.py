"""What both halves of the API server are built of: a client, watches, keys."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actor_operator import __version__
from actor_operator.api.views.pod import PodView
from actor_operator.desired.keyring import Keyring, parse_keyring
from actor_operator.engine.store import Store
from actor_operator.errors import ConfigurationError, TerminalError
from actor_operator.kube.client import KubeClient
from actor_operator.kube.credentials import Connection
from actor_operator.kube.pods import PODS, decode_pod
from actor_operator.kube.pods import SELECTOR as PODS_OF_RUNS
from actor_operator.kube.run_requests import decode_slim_run
from actor_operator.kube.runs import ACTOR_RUNS
from actor_operator.kube.transport import Call, Timeouts
from actor_operator.log import configure
from actor_operator.metrics_api import ApiMetrics
from actor_operator.services.run_watch import Run
from actor_operator.settings import LogFormat, Settings
from actor_operator.watches import Watched, Watches, build_watches

USER_AGENT = f"actor-operator-api/{__version__}"
"""How the API server calls itself in Kubernetes' audit log."""

Tasks = Mapping[str, Callable[[], Awaitable[None]]]
"""What runs for ever, by name."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster as the API server sees it.

    Parameters
    ----------
    client
        Over which it asks and writes.
    watches
        What it hears.
    metrics
        Where calls are counted.
    """

    client: KubeClient
    watches: Watches
    metrics: ApiMetrics

    @property
    def tasks(self) -> Tasks:
        """The informers."""
        return {f"informer-{found.kind}": found.run for found in self.watches.informers}

    @property
    def synced(self) -> bool:
        """Whether everything has been listed once."""
        return all(found.synced.is_set() for found in self.watches.informers)

    async def warm(self) -> None:
        """Return once everything has been listed."""
        await asyncio.gather(*(found.synced.wait() for found in self.watches.informers))


def start_logging(settings: Settings) -> None:
    """Set up what every process of the API server needs first.

    Raises
    ------
    ConfigurationError
        When the settings want no API server.
    """
    configure(level=settings.log.level, json=settings.log.format is LogFormat.JSON)
    if not settings.api.enabled:
        raise ConfigurationError("api.enabled is false: there is nothing to serve.")


def build_client(settings: Settings, connection: Connection, metrics: ApiMetrics) -> KubeClient:
    """The client for everything."""

    def observe(call: Call) -> None:
        metrics.kube_calls.labels(call.verb, call.kind, str(call.status)).inc()

    return KubeClient(
        connection,
        user_agent=USER_AGENT,
        limit=settings.engine.connections,
        timeouts=Timeouts(silence=settings.engine.silence_seconds),
        observe=observe,
    )


def build_cluster(
    settings: Settings, client: KubeClient, metrics: ApiMetrics, watched: Sequence[Watched[Any]]
) -> Cluster:
    """Watch some kinds."""
    return Cluster(client, build_watches(watched, client, settings), metrics)


def watched_runs(runs: Store[Run], pods: Store[PodView]) -> tuple[Watched[Any], ...]:
    """Runs, and the pods of runs."""
    return (
        Watched(ACTOR_RUNS, runs, decode_slim_run, ignore),
        Watched(PODS, pods, decode_pod, ignore, PODS_OF_RUNS),
    )


def ignore(_old: object, _new: object) -> None:
    """Take a change without more: those who care listen to the store."""


def read_keyring(folder: Path) -> Keyring:
    """Read the installation's keys from the folder in which their Secret is mounted.

    Raises
    ------
    ConfigurationError
        When they are not there, or are spoilt.
    """
    try:
        # The kubelet's own links begin with two dots.
        files = [path for path in folder.iterdir() if not path.name.startswith("..")]
        return parse_keyring({path.name: path.read_bytes() for path in files})
    except OSError as error:
        raise ConfigurationError(
            f"The keys of the installation cannot be read in {folder}: {error.strerror}."
            " They are in a Secret that the operator makes."
        ) from None
    except TerminalError as error:
        raise ConfigurationError(str(error)) from None
