"""The web server of a run: its URL, what leads requests to it, and whether they would arrive."""

from datetime import datetime
from typing import Any

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.web_object import WebObject
from actor_operator.desired.diff import merge_patch, missing_entries
from actor_operator.desired.http_route import build_http_route
from actor_operator.desired.ingress import build_ingress
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.names import child_name
from actor_operator.desired.resolve import Resolved
from actor_operator.desired.service import ALLOCATED, build_service
from actor_operator.desired.url import container_url, host_of, is_url_of
from actor_operator.lifecycle.facts import Facts, Finding
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.routing import (
    Child,
    CreateChild,
    DeleteChild,
    DeleteUnseen,
    Part,
    PatchChild,
    Routing,
    RoutingAction,
)
from actor_operator.settings_web import WebServerMode, WebServerSettings

ENDING = Finding("False", Reason.TERMINATING, "The pod is ending, or has ended.")
"""What is said from the moment when the pod is stopped."""

NOT_READY = Finding("False", Reason.NOT_LISTENING, "The pod is not ready.")
"""What is said while no pod takes requests."""

DISABLED = "Runs have no URLs in this installation."
"""What is said where settings.webServer names no domain."""

WITHOUT = "The pod was made without a URL: the Actor has no web server, or there was no domain yet."
"""What is said of a pod whose variables have no URL."""


def future_url(observed: Observed, keyring: Keyring, web: WebServerSettings) -> str | None:
    """The URL that the next pod of a run is given, if its Actor has a web server."""
    if not web.enabled:
        return None
    # What is committed holds for the run's life, whatever becomes of keys and settings.
    return observed.status.container_url or container_url(keyring.active, observed.run.uid, web)


def current_url(
    observed: Observed, resolved: Resolved | None, keyring: Keyring, web: WebServerSettings
) -> str | None:
    """The URL of the run's current attempt; None: it has none.

    Parameters
    ----------
    observed
        The run and what belongs to it.
    resolved
        What its pod is made of, or was: what stands on a pod can be changed by others.
    keyring
        The keys with which we make URLs, or have made them.
    web
        The settings.
    """
    if not web.enabled or (resolved is not None and resolved.container_url is None):
        return None
    committed = observed.status.container_url
    if committed is not None or resolved is None:
        return committed
    told, uid = resolved.container_url, observed.run.uid
    if told is not None and is_url_of(told, uid, keyring, web):
        return told
    return container_url(keyring.active, uid, web)


def keep_up(
    observed: Observed, url: str, web: WebServerSettings, now: datetime
) -> tuple[RoutingAction, ...]:
    """What makes Service and route what they should be."""
    refused = observed.routing.refused
    if refused is not None and now < refused.retry_at:
        return ()
    run, host = observed.run, host_of(url)
    ingress = web.mode is WebServerMode.INGRESS
    route = build_ingress(run, host, web) if ingress else build_http_route(run, host, web.gateway)
    wanted = ((Part.SERVICE, build_service(run)), (Part.ROUTE, route))
    actions = (mend(part, observed.routing.child(part), manifest) for part, manifest in wanted)
    return tuple(action for action in actions if action is not None)


def take_down(routing: Routing) -> tuple[RoutingAction, ...]:
    """What removes Service and route; first the route: it leads to the other."""
    return tuple(
        DeleteChild(part, child.stored.namespace, child.stored.name, child.stored.uid)
        for part in (Part.ROUTE, Part.SERVICE)
        if (child := routing.child(part)) and child.stored.metadata.deletion_timestamp is None
    )


def take_all_down(observed: Observed, url: str | None) -> tuple[RoutingAction, ...]:
    """The same at the end of a run that had a URL; somebody may have taken our labels away."""
    run = observed.run
    unseen = tuple(
        DeleteUnseen(part, run.namespace, child_name(run.name, run.uid))
        for part in (Part.ROUTE, Part.SERVICE)
        if url is not None and observed.routing.child(part) is None
    )
    return (*take_down(observed.routing), *unseen)


def mend(part: Part, child: Child | None, manifest: dict[str, Any]) -> RoutingAction | None:
    """What makes one of the two as its manifest says; None: it is so, or is being deleted."""
    if child is None:
        return CreateChild(part, manifest)
    stored = child.stored
    if stored.metadata.deletion_timestamp is not None:
        return None  # it is made again when it is gone
    patch = _metadata_patch(stored, manifest["metadata"])
    if not child.as_left:
        spec = {name: value for name, value in stored.spec.items() if name not in ALLOCATED}
        if change := merge_patch(spec, manifest["spec"]):
            patch["spec"] = change
    if not patch:
        return None
    return PatchChild(part, stored.namespace, stored.name, stored.uid, patch)


def _metadata_patch(stored: WebObject, wanted: dict[str, Any]) -> dict[str, Any]:
    """What puts our labels and annotations back; those of others may stand beside them."""
    changes: dict[str, Any] = {}
    meta = stored.metadata
    if labels := missing_entries(meta.labels, wanted["labels"]):
        changes["labels"] = labels
    if annotations := missing_entries(meta.annotations, wanted["annotations"]):
        changes["annotations"] = annotations
    return {"metadata": changes} if changes else {}


def web_server(observed: Observed, web: WebServerSettings) -> Finding:
    """The condition WebServerReady: whether a request by the URL would reach a ready pod."""
    resolved = observed.resolved
    if not web.enabled:
        return Finding("False", Reason.DISABLED, DISABLED)
    if resolved is not None and resolved.container_url is None:
        return Finding("False", Reason.DISABLED, WITHOUT)
    if observed.stopping is not None or (observed.pod is not None and observed.pod.is_leaving):
        return ENDING
    obstacle = _obstacle(observed.routing, web)
    if obstacle is None and not (observed.pod and observed.pod_exists and observed.pod.is_ready):
        return NOT_READY
    obstacle = obstacle or _missing(observed.routing, web)
    if obstacle is not None:
        return Finding("False", Reason.NO_INGRESS, obstacle)
    return Finding("True", Reason.ENDPOINT_READY, "Requests reach the pod.")


def after(finding: Finding, facts: Facts) -> Finding:
    """The condition once what was decided is done: so it is told with that, in one write."""
    if finding.reason is Reason.DISABLED:
        return finding
    if facts.stop is not None:
        return ENDING
    if facts.next_pod is not None and finding.reason is not Reason.NO_INGRESS:
        return NOT_READY
    return finding


def ended(finding: Finding) -> Finding:
    """The condition WebServerReady of a run that has ended."""
    if finding.reason is Reason.DISABLED:
        return finding
    return Finding("False", Reason.TERMINATING, "The run has ended.")


def _obstacle(routing: Routing, web: WebServerSettings) -> str | None:
    """What somebody must do something about."""
    if routing.refused is not None:
        return routing.refused.message
    if routing.class_missing:
        return (
            f'There is no IngressClass "{web.ingress.class_name}". Create it with its controller,'
            " or correct webServer.ingress.className in the operator's settings."
        )
    return None


def _missing(routing: Routing, web: WebServerSettings) -> str | None:
    """What is not there yet, for a pod that is ready."""
    if routing.service is None or routing.route is None:
        return "Service and route are being made."
    route = routing.route.stored
    if web.mode is WebServerMode.HTTP_ROUTE:
        return _not_accepted(route, web)
    if web.ingress.require_address and not _addresses(route):
        return "The ingress controller has not written its address into the Ingress yet."
    return None


def _addresses(ingress: WebObject) -> list[Any]:
    found: list[Any] = (ingress.status.get("loadBalancer") or {}).get("ingress") or []
    return found


def _not_accepted(route: WebObject, web: WebServerSettings) -> str | None:
    """Why our Gateway does not serve the route, as its controller says; None: it does."""
    gateway = web.gateway
    for parent in route.status.get("parents") or []:
        reference = parent.get("parentRef") or {}
        if (reference.get("name"), reference.get("namespace")) != (gateway.name, gateway.namespace):
            continue
        conditions = {one.get("type"): one for one in parent.get("conditions") or []}
        accepted = conditions.get("Accepted", {})
        resolved = conditions.get("ResolvedRefs", {"status": "True"})
        if accepted.get("status") == "True" and resolved.get("status") == "True":
            return None
        refusal = accepted if accepted.get("status") != "True" else resolved
        why = f"{refusal.get('reason', 'Pending')}: {refusal.get('message', '')}"
        return f"The Gateway {gateway.namespace}/{gateway.name} does not take the route: {why}"
    return (
        f"The Gateway {gateway.namespace}/{gateway.name} has not taken the route yet. If that"
        " lasts, see whether it exists and has a controller."
    )
