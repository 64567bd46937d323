"""The URL of a run, what is done to Service and route, and when WebServerReady is True."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.builders import (
    CREATED,
    KEY,
    KEYRING,
    RUN_UID,
    a_pod,
    a_run,
    a_status,
    at,
    ended,
    observe,
)

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RebootRequest
from actor_operator.api.views.web_object import WebObject
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.service import build_service
from actor_operator.desired.url import container_url, host_of
from actor_operator.lifecycle.decide import Decision, decide
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.routing import (
    NOTHING,
    Child,
    CreateChild,
    DeleteChild,
    Part,
    PatchChild,
    Refused,
    Routing,
)
from actor_operator.lifecycle.status import summarise
from actor_operator.settings import Settings
from actor_operator.settings_web import NetworkSettings, WebServerSettings

WEB = WebServerSettings.model_validate({"domain": "runs.example", "ingress": {"className": "web"}})
GATEWAY = WebServerSettings.model_validate(
    {
        "domain": "runs.example",
        "mode": "httproute",
        "gateway": {"name": "front", "namespace": "gateways"},
    }
)
URL = container_url(KEY, RUN_UID, WEB)


def settings(web: WebServerSettings = WEB) -> Settings:
    return Settings(web_server=web, network=NetworkSettings(policy=False))


def decided(observed: Observed, now: float = 20, web: WebServerSettings = WEB) -> Decision:
    return decide(observed, at(now), settings(web), KEYRING)


def running(**fields: Any) -> PodView:
    defaults: dict[str, Any] = {"running": 2, "ready": True, "url": URL}
    return a_pod(**(defaults | fields))


def web_object(
    manifest: dict[str, Any], *, deleted: bool = False, status: dict[str, Any] | None = None
) -> WebObject:
    """A manifest as the API server stores it."""
    meta = manifest["metadata"]
    return WebObject(
        metadata=Metadata(
            name=meta["name"],
            namespace=meta["namespace"],
            uid=f"{manifest['kind']}-uid",
            resource_version="1",
            deletion_timestamp=CREATED if deleted else None,
            labels=dict(meta["labels"]),
            annotations=dict(meta["annotations"]),
        ),
        spec=dict(manifest["spec"]),
        status=status or {},
    )


def as_wanted(web: WebServerSettings = WEB, status: dict[str, Any] | None = None) -> Routing:
    """Service and route as they are made."""
    made = decided(observe(), web=web).routing
    manifests = {a.part: a.manifest for a in made if isinstance(a, CreateChild)}
    return Routing(
        Child(web_object(manifests[Part.SERVICE])),
        Child(web_object(manifests[Part.ROUTE], status=status)),
    )


def ready(observed: Observed, web: WebServerSettings = WEB) -> tuple[str, str]:
    finding = decided(observed, web=web).facts.web_server
    return finding.status, finding.reason


# URL


def test_a_new_pod_gets_the_url_that_is_told() -> None:
    decision = decided(observe())

    assert decision.url == URL
    assert decision.resolved is not None
    assert decision.resolved.container_url == URL
    (status,) = summarise(observe(running()), decided(observe(running())), at(20), settings())
    assert (status.phase, status.container_url) == (Phase.RUNNING, URL)


def test_a_committed_url_holds_whatever_keys_and_settings_say() -> None:
    told = "http://old.elsewhere.example/"
    observed = observe(running(), run=a_run(status=a_status(started=2, container_url=told)))

    decision = decide(observed, at(20), settings(), Keyring("k2", {"k2": b"n" * 32}))

    assert decision.url == told
    route = next(a for a in decision.routing if a.part is Part.ROUTE)
    assert isinstance(route, CreateChild)
    assert route.manifest["spec"]["rules"][0]["host"] == host_of(told)


def test_a_pod_of_an_older_key_keeps_its_url_until_it_is_told() -> None:
    both = Keyring("k2", {"k1": KEY, "k2": b"n" * 32})

    assert decide(observe(running()), at(20), settings(), both).url == URL


@pytest.mark.parametrize("url", ["https://evil.example/", "https://bank.runs.example/"])
def test_what_somebody_has_written_on_a_pod_is_not_believed(url: str) -> None:
    assert decided(observe(running(url=url))).url == URL


def test_without_a_domain_there_is_nothing() -> None:
    decision = decided(observe(running(url=None)), web=WebServerSettings())

    assert (decision.url, decision.routing) == (None, ())
    assert decision.facts.web_server.reason is Reason.DISABLED


def test_an_actor_without_a_web_server_has_nothing() -> None:
    decision = decided(observe(running(url=None)))

    assert (decision.url, decision.routing) == (None, ())
    assert decision.facts.web_server.reason is Reason.DISABLED


# Service and route


def test_they_are_made_with_the_pod() -> None:
    made = decided(observe()).routing

    assert [(type(a), a.part) for a in made] == [
        (CreateChild, Part.SERVICE),
        (CreateChild, Part.ROUTE),
    ]


def test_while_a_run_waits_for_its_pod_they_are_not_made() -> None:
    waits = observe(run=a_run(status=a_status(pod_name="x")), actor=None, lingers_until=at(99))

    assert decided(waits).routing == ()


@pytest.mark.parametrize("web", [WEB, GATEWAY])
def test_what_is_as_wanted_is_left_alone(web: WebServerSettings) -> None:
    assert decided(observe(running(), routing=as_wanted(web)), web=web).routing == ()


def test_what_the_api_server_fills_in_is_left_alone() -> None:
    routing = as_wanted()
    assert routing.service is not None
    spec = routing.service.stored.spec | {
        "clusterIP": "10.0.0.1",
        "clusterIPs": ["10.0.0.1"],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    }
    stored = WebObject(routing.service.stored.metadata, spec)

    routing = replace(routing, service=Child(stored))
    assert decided(observe(running(), routing=routing)).routing == ()


def test_what_is_changed_is_mended_and_nothing_else() -> None:
    routing = as_wanted()
    assert routing.service is not None
    spec = routing.service.stored.spec | {"type": "LoadBalancer", "externalIPs": ["203.0.113.9"]}
    stored = WebObject(routing.service.stored.metadata, spec)
    routing = replace(routing, service=Child(stored))

    (action,) = decided(observe(running(), routing=routing)).routing

    assert isinstance(action, PatchChild)
    assert (action.part, action.uid) == (Part.SERVICE, "Service-uid")
    assert action.patch == {"spec": {"type": "ClusterIP", "externalIPs": None}}


def test_a_field_of_a_newer_kubernetes_is_not_fought_over() -> None:
    routing = as_wanted()
    assert routing.service is not None
    stored = WebObject(
        routing.service.stored.metadata, routing.service.stored.spec | {"newDefault": True}
    )

    once = decided(observe(running(), routing=replace(routing, service=Child(stored))))
    left = Child(stored, as_left=True)
    again = decided(observe(running(), routing=replace(routing, service=left)))

    assert [type(action) for action in once.routing] == [PatchChild]
    assert again.routing == ()


def test_one_that_is_being_deleted_is_waited_for() -> None:
    service = web_object(build_service(a_run()), deleted=True)

    routing = replace(as_wanted(), service=Child(service))
    assert decided(observe(running(), routing=routing)).routing == ()


def test_between_two_pods_they_stay() -> None:
    gone = a_pod(deleted=5, grace=1, running=2, url=URL)
    run = a_run(status=a_status(started=2, container_url=URL))
    observed = observe(gone, run=run, gone_since=at(19), routing=as_wanted())

    decision = decided(observed)

    assert decision.facts.verdict is None
    assert decision.routing == ()


def test_at_the_end_the_route_goes_before_its_service() -> None:
    pod = a_pod(ended=ended(0), phase="Succeeded", url=URL)

    decision = decided(observe(pod, routing=as_wanted()))

    assert decision.facts.verdict is not None
    assert [(type(a), a.part) for a in decision.routing] == [
        (DeleteChild, Part.ROUTE),
        (DeleteChild, Part.SERVICE),
    ]
    assert decision.facts.web_server.reason is Reason.TERMINATING


def test_what_was_refused_is_not_tried_before_its_time() -> None:
    refused = Refused("The Ingress was refused: no.", 1, at(25))
    observed = observe(running(), routing=Routing(refused=refused))

    assert decided(observed, 20).routing == ()
    assert decided(observed, 20).wake_at == at(25)
    assert decided(observed, 25).routing != ()


# WebServerReady


@pytest.mark.parametrize("web", [WEB, GATEWAY])
def test_it_is_not_listening_until_the_pod_is_ready(web: WebServerSettings) -> None:
    accepted = {"parents": [parent()]}
    routing = as_wanted(web, accepted)

    assert ready(observe(running(ready=False), routing=routing), web) == ("False", "NotListening")
    assert ready(observe(running(), routing=routing), web) == ("True", "EndpointReady")


@pytest.mark.parametrize(
    ("routing", "says"),
    [
        (NOTHING, "Service and route are being made."),
        (Routing(class_missing=True), 'There is no IngressClass "web".'),
        (Routing(refused=Refused("The Ingress was refused.", 1, at(30))), "was refused"),
    ],
)
def test_a_ready_pod_that_cannot_be_reached_says_why(routing: Routing, says: str) -> None:
    finding = decided(observe(running(), routing=routing)).facts.web_server

    assert (finding.status, finding.reason) == ("False", Reason.NO_INGRESS)
    assert says in finding.message


def test_an_address_is_waited_for_only_where_it_is_required() -> None:
    ingress = WEB.ingress.model_copy(update={"require_address": True})
    strict = WEB.model_copy(update={"ingress": ingress})
    told = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}

    assert ready(observe(running(), routing=as_wanted(strict)), strict)[1] == "NoIngress"
    assert ready(observe(running(), routing=as_wanted(strict, told)), strict)[0] == "True"


def parent(
    name: str = "front", accepted: str = "True", resolved: str = "True", **fields: str
) -> dict[str, Any]:
    """What the controller of a Gateway writes into a route."""
    return {
        "parentRef": {"name": name, "namespace": "gateways"},
        "conditions": [
            {"type": "Accepted", "status": accepted, **fields},
            {"type": "ResolvedRefs", "status": resolved, **fields},
        ],
    }


@pytest.mark.parametrize(
    ("parents", "says"),
    [
        ([], "has not taken the route yet"),
        ([parent("other")], "has not taken the route yet"),
        ([parent(accepted="False", reason="NotAllowed", message="No.")], "NotAllowed: No."),
        ([parent(resolved="False", reason="BackendNotFound")], "BackendNotFound: "),
    ],
)
def test_a_route_that_its_gateway_does_not_take_says_why(
    parents: list[dict[str, Any]], says: str
) -> None:
    routing = as_wanted(GATEWAY, {"parents": parents})

    finding = decided(observe(running(), routing=routing), web=GATEWAY).facts.web_server

    assert (finding.status, finding.reason) == ("False", Reason.NO_INGRESS)
    assert "gateways/front" in finding.message
    assert says in finding.message


@pytest.mark.parametrize(
    "observed",
    [
        observe(running(deleted=5), routing=NOTHING),
        observe(
            running(),
            run=a_run(abort="Graceful", status=a_status(started=2, stop=Reason.ABORT_GRACEFUL)),
        ),
    ],
)
def test_a_pod_that_is_ending_is_not_reached(observed: Observed) -> None:
    assert ready(replace(observed, routing=as_wanted())) == ("False", "Terminating")


def test_a_stop_is_told_with_the_end_of_the_web_server() -> None:
    status = a_status(started=2, container_url=URL)
    observed = observe(running(), run=a_run(abort="Immediate", status=status), routing=as_wanted())

    assert ready(observed) == ("False", "Terminating")


def test_the_next_pod_is_told_with_the_web_server_that_does_not_listen_yet() -> None:
    observed = observe(running(), run=a_run(reboot=RebootRequest(1, 1), status=a_status(started=2)))

    decision = decided(replace(observed, routing=as_wanted()))

    assert decision.facts.next_pod is not None
    assert decision.facts.web_server.reason == Reason.NOT_LISTENING


def test_without_a_domain_a_stop_says_nothing_of_web_servers() -> None:
    web, run = WebServerSettings(), a_run(abort="Immediate", status=a_status(started=2))

    assert ready(observe(running(url=None), run=run), web) == ("False", "Disabled")
