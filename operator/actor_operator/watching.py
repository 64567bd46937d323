"""What the operator watches: one store a kind, filled by an informer for each place."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from typing_extensions import Buffer

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.constants import LABEL_RUN_UID
from actor_operator.engine.informer import Informer
from actor_operator.engine.store import Store, Stored
from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource
from actor_operator.kube.source import KindSource
from actor_operator.reconcile.controller import RUNS_BY_ACTOR, run_index
from actor_operator.reconcile.run import PODS_BY_RUN
from actor_operator.settings import Settings

T = TypeVar("T", bound=Stored)


@dataclass(frozen=True, slots=True)
class Stores:
    """What the informers know."""

    runs: Store[RunView | FinishedRun]
    pods: Store[PodView]
    actors: Store[ActorView]
    """What the informers know of Actors."""
    accounts: Store[AccountView]
    labelled: Store[NamespaceView]
    """Namespaces that an installation has claimed."""


@dataclass(frozen=True, slots=True)
class Watched(Generic[T]):
    """One kind that is watched.

    Parameters
    ----------
    resource
        The kind.
    store
        Where its objects go.
    decode
        Makes an object of its JSON.
    on_change
        Told of each change.
    selector
        Label selector.
    """

    resource: Resource
    store: Store[T]
    decode: Callable[[Buffer], T]
    on_change: Callable[[T | None, T | None], None]
    selector: str = ""


def build_stores() -> Stores:
    """Empty stores with their indexes."""
    return Stores(
        runs=Store({RUNS_BY_ACTOR: run_index}),
        pods=Store({PODS_BY_RUN: lambda pod: pod.metadata.labels.get(LABEL_RUN_UID)}),
        actors=Store(),
        accounts=Store(),
        labelled=Store(),
    )


def build_informers(
    watched: Iterable[Watched[Any]], client: KubeClient, settings: Settings
) -> tuple[Informer[Any], ...]:
    """One informer for each kind, or for each kind and namespace where only some are named.

    Kinds without namespaces are always watched whole.
    """
    return tuple(informer for kind in watched for informer in _informers_of(kind, client, settings))


def _informers_of(
    kind: Watched[T], client: KubeClient, settings: Settings
) -> Iterator[Informer[T]]:
    some = settings.namespaces if kind.resource.namespaced else ()
    for namespace in some or (None,):
        source = KindSource(
            client,
            kind.resource,
            namespace=namespace,
            label_selector=kind.selector,
            page_size=settings.engine.page_size,
        )
        yield Informer(
            source=source,
            store=kind.store if namespace is None else kind.store.part(namespace),
            decode=kind.decode,
            on_change=kind.on_change,
        )
