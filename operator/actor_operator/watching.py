"""What the operator watches: one store a kind, filled by an informer for each place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from typing_extensions import Buffer

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.api.views.network_policy import NetworkPolicyView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.api.views.web_object import WebObject
from actor_operator.constants import LABEL_RUN_UID
from actor_operator.engine.informer import Informer
from actor_operator.engine.store import Store, Stored
from actor_operator.kube.accounts import ACTOR_ACCOUNTS, decode_account
from actor_operator.kube.actors import ACTORS, decode_actor
from actor_operator.kube.client import KubeClient
from actor_operator.kube.namespaces import CLAIMED, NAMESPACES, decode_namespace
from actor_operator.kube.network_policies import MANAGED, NETWORK_POLICIES, decode_network_policy
from actor_operator.kube.pods import PODS, decode_pod
from actor_operator.kube.pods import SELECTOR as PODS_OF_RUNS
from actor_operator.kube.resources import Resource
from actor_operator.kube.runs import ACTOR_RUNS, decode_run
from actor_operator.kube.source import KindSource
from actor_operator.kube.web_objects import (
    HTTP_ROUTES,
    INGRESS_CLASSES,
    INGRESSES,
    SERVICES,
    decode_web_object,
)
from actor_operator.kube.web_objects import SELECTOR as WEB_OBJECTS_OF_RUNS
from actor_operator.reconcile.controller import RUNS_BY_ACTOR, RunController, run_index
from actor_operator.reconcile.gather import PODS_BY_RUN
from actor_operator.settings import Settings
from actor_operator.settings_web import NetworkSettings, WebServerMode, WebServerSettings

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
    services: Store[WebObject]
    routes: Store[WebObject]
    """Ingresses or HTTPRoutes of runs."""
    ingress_classes: Store[WebObject]
    policies: Store[NetworkPolicyView]
    """NetworkPolicies of the operator."""


@dataclass(frozen=True, slots=True, eq=False)
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
    selector, field_selector
        Only objects that match.
    optional
        Work begins also without it: the cluster may not have this kind.
    """

    resource: Resource
    store: Store[T]
    decode: Callable[[Buffer], T]
    on_change: Callable[[T | None, T | None], None]
    selector: str = ""
    field_selector: str = ""
    optional: bool = False


def build_stores() -> Stores:
    """Empty stores with their indexes."""
    return Stores(
        runs=Store({RUNS_BY_ACTOR: run_index}),
        pods=Store({PODS_BY_RUN: lambda pod: pod.metadata.labels.get(LABEL_RUN_UID)}),
        actors=Store(),
        accounts=Store(),
        labelled=Store(),
        services=Store(),
        routes=Store(),
        ingress_classes=Store(),
        policies=Store(),
    )


def watched_kinds(
    settings: Settings, stores: Stores, controller: RunController
) -> tuple[Watched[Any], ...]:
    """The kinds that are watched; namespaces only by an installation for the whole cluster."""
    kinds: tuple[Watched[Any], ...] = (
        Watched(ACTOR_RUNS, stores.runs, decode_run, controller.on_run),
        Watched(PODS, stores.pods, decode_pod, controller.on_child, PODS_OF_RUNS),
        Watched(ACTORS, stores.actors, decode_actor, controller.on_actor),
        Watched(ACTOR_ACCOUNTS, stores.accounts, decode_account, controller.on_account),
        *_watched_for_urls(settings.web_server, stores, controller),
        *_watched_for_network(settings.network, stores, controller),
    )
    namespaces = Watched(
        NAMESPACES, stores.labelled, decode_namespace, controller.on_namespace, CLAIMED
    )
    return kinds if settings.namespaces else (*kinds, namespaces)


def _watched_for_urls(
    settings: WebServerSettings, stores: Stores, controller: RunController
) -> tuple[Watched[WebObject], ...]:
    """The kinds that lead requests to runs."""
    decode, changed = decode_web_object, controller.on_child
    if not settings.enabled:
        return ()
    services = Watched(SERVICES, stores.services, decode, changed, WEB_OBJECTS_OF_RUNS)
    if settings.mode is WebServerMode.HTTP_ROUTE:
        routes = Watched(
            HTTP_ROUTES, stores.routes, decode, changed, WEB_OBJECTS_OF_RUNS, optional=True
        )
        return services, routes
    classes = Watched(
        INGRESS_CLASSES,
        stores.ingress_classes,
        decode,
        controller.on_ingress_class,
        field_selector=f"metadata.name={settings.ingress.class_name}",
    )
    ingresses = Watched(INGRESSES, stores.routes, decode, changed, WEB_OBJECTS_OF_RUNS)
    return services, ingresses, classes


def _watched_for_network(
    settings: NetworkSettings, stores: Stores, controller: RunController
) -> tuple[Watched[NetworkPolicyView], ...]:
    """The NetworkPolicies that the operator has made."""
    decode, changed = decode_network_policy, controller.networks.on_policy
    policies = Watched(NETWORK_POLICIES, stores.policies, decode, changed, MANAGED)
    return (policies,) if settings.policy else ()


@dataclass(frozen=True, slots=True)
class Watches:
    """Every informer, and which of them know of one namespace only.

    Of such a namespace nothing may be seen any more, for instance once it is deleted: that must
    hold up nobody else.
    """

    everywhere: tuple[Informer[Any], ...]
    by_namespace: Mapping[str, tuple[Informer[Any], ...]]
    optional: tuple[Informer[Any], ...] = ()
    """Those of kinds that the cluster may not have: nothing waits for them."""

    @property
    def informers(self) -> tuple[Informer[Any], ...]:
        """All of them."""
        return (*self.needed(lambda _namespace: True), *self.optional)

    def needed(self, serves: Callable[[str], bool]) -> tuple[Informer[Any], ...]:
        """Those without which no work can begin: not those of namespaces that are not ours."""
        ours = (found for place, found in self.by_namespace.items() if serves(place))
        return (*self.everywhere, *(informer for found in ours for informer in found))

    def warm_in(self, namespace: str) -> bool:
        """Whether all of a namespace has been listed once."""
        return all(informer.synced.is_set() for informer in self.by_namespace[namespace])


def build_watches(
    watched: Sequence[Watched[Any]], client: KubeClient, settings: Settings
) -> Watches:
    """One informer for each kind, or for each kind and namespace where only some are named.

    Kinds without namespaces are always watched whole.
    """
    needed = [kind for kind in watched if not kind.optional]
    scattered = [kind for kind in needed if kind.resource.namespaced and settings.namespaces]
    size = settings.engine.page_size
    return Watches(
        everywhere=tuple(
            _informer_of(kind, client, size) for kind in needed if kind not in scattered
        ),
        by_namespace={
            namespace: tuple(_informer_of(kind, client, size, namespace) for kind in scattered)
            for namespace in settings.namespaces
        },
        optional=tuple(
            _informer_of(kind, client, size, namespace)
            for kind in watched
            if kind.optional
            for namespace in settings.namespaces or (None,)
        ),
    )


def _informer_of(
    kind: Watched[T], client: KubeClient, page_size: int, namespace: str | None = None
) -> Informer[T]:
    return Informer(
        source=KindSource(
            client,
            kind.resource,
            namespace=namespace,
            label_selector=kind.selector,
            field_selector=kind.field_selector,
            page_size=page_size,
        ),
        store=kind.store if namespace is None else kind.store.part(namespace),
        decode=kind.decode,
        on_change=kind.on_change,
    )
