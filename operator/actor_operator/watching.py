"""What the operator watches: one store a kind, filled by an informer for each place."""

from dataclasses import dataclass
from typing import Any

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.api.views.network_policy import NetworkPolicyView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.api.views.web_object import WebObject
from actor_operator.constants import LABEL_RUN_UID
from actor_operator.engine.store import Store
from actor_operator.kube.accounts import ACTOR_ACCOUNTS, decode_account
from actor_operator.kube.actors import ACTORS, decode_actor
from actor_operator.kube.namespaces import CLAIMED, NAMESPACES, decode_namespace
from actor_operator.kube.network_policies import MANAGED, NETWORK_POLICIES, decode_network_policy
from actor_operator.kube.pods import PODS, decode_pod
from actor_operator.kube.pods import SELECTOR as PODS_OF_RUNS
from actor_operator.kube.runs import ACTOR_RUNS, decode_run
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
from actor_operator.watches import Watched


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
