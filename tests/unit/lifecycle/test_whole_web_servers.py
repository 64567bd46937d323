"""What is decided and told in whole of a run with a URL, in the situations that users meet."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.builders import KEY, RUN_UID, a_pod, a_run, a_status, at, ended, observe
from tests.support.golden import Golden
from tests.unit.lifecycle.test_web_server import GATEWAY, WEB, running, settings, web_object
from tests.unit.lifecycle.whole import whole

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.web_object import WebObject
from actor_operator.desired.http_route import build_http_route
from actor_operator.desired.ingress import build_ingress
from actor_operator.desired.service import build_service
from actor_operator.desired.url import container_url, host_of
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.routing import Child, Refused, Routing
from actor_operator.settings_web import WebServerSettings

URL = container_url(KEY, RUN_UID, WEB)
RUN = a_run(status=a_status(started=2, container_url=URL))
SERVICE = web_object(build_service(RUN))
INGRESS = web_object(build_ingress(RUN, host_of(URL), WEB))
BARE = replace(INGRESS, metadata=replace(INGRESS.metadata, labels={}, annotations={}))
ADDRESSED = WEB.model_copy(
    update={"ingress": WEB.ingress.model_copy(update={"require_address": True})}
)


def there(
    service: WebObject | None = SERVICE, route: WebObject | None = INGRESS, **more: Any
) -> Any:
    """Service and route as the operator left them."""
    children = {
        "service": Child(service, as_left=True) if service else None,
        "route": Child(route, as_left=True) if route else None,
    }
    return {"run": RUN, "routing": Routing(**(children | more))}


def parent(**conditions: tuple[str, str]) -> WebObject:
    """The route as the controller of its Gateway has seen it."""
    told = [
        {"type": kind, "status": status, "reason": reason, "message": f"It is {reason}."}
        for kind, (status, reason) in conditions.items()
    ]
    reference = {"name": "front", "namespace": "gateways"}
    parents = [{"parentRef": reference, "conditions": told}] if conditions else []
    route = build_http_route(RUN, host_of(URL), GATEWAY.gateway)
    return web_object(route, status={"parents": parents})


SITUATIONS: dict[str, tuple[Observed, WebServerSettings]] = {
    "starts": (observe(), WEB),
    "is reached": (observe(running(run=RUN), **there()), WEB),
    "has no route yet": (observe(running(run=RUN), **there(route=None)), WEB),
    "is not ready": (observe(running(run=RUN, ready=False), **there()), WEB),
    "is leaving": (observe(running(run=RUN, deleted=15), **there()), WEB),
    "misses its class": (observe(running(run=RUN), **there(class_missing=True)), WEB),
    "waits for an address": (observe(running(run=RUN), **there()), ADDRESSED),
    "was refused": (
        observe(
            running(run=RUN),
            **there(
                service=None,
                route=None,
                refused=Refused("The Service was refused: no.", 2, at(40)),
            ),
        ),
        WEB,
    ),
    "lost its labels": (observe(running(run=RUN), **there(route=BARE)), WEB),
    "waits for its gateway": (observe(running(run=RUN), **there(route=parent())), GATEWAY),
    "is taken by its gateway": (
        observe(running(run=RUN), **there(route=parent(Accepted=("True", "Accepted")))),
        GATEWAY,
    ),
    "is not taken by its gateway": (
        observe(running(run=RUN), **there(route=parent(Accepted=("False", "NotAllowed")))),
        GATEWAY,
    ),
    "leads nowhere": (
        observe(
            running(run=RUN),
            **there(
                route=parent(
                    Accepted=("True", "Accepted"), ResolvedRefs=("False", "BackendNotFound")
                )
            ),
        ),
        GATEWAY,
    ),
    "has ended": (
        observe(a_pod(run=RUN, ended=ended(0), phase="Succeeded", url=URL), **there()),
        WEB,
    ),
    "has ended with nothing there": (
        observe(
            a_pod(run=RUN, ended=ended(0), phase="Succeeded", url=URL),
            **there(service=None, route=None),
        ),
        WEB,
    ),
    "is stopped": (
        observe(
            running(),
            run=a_run(status=a_status(started=2, stop=Reason.TIMEOUT, container_url=URL)),
            routing=there()["routing"],
        ),
        WEB,
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_decided_and_told_of_a_web_server(situation: str, golden: Golden) -> None:
    observed, web = SITUATIONS[situation]

    golden.check(
        f"decided/web-server-{situation.replace(' ', '-')}", whole(observed, 20, settings(web))
    )
