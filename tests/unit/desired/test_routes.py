"""Whole Services, Ingresses and HTTPRoutes, as files: see ``golden/``."""

from typing import Any

import pytest
from tests.support.builders import a_run
from tests.support.golden import Golden

from actor_operator.constants import WEB_PORT_NAME
from actor_operator.desired.http_route import build_http_route
from actor_operator.desired.ingress import build_ingress
from actor_operator.desired.service import build_service
from actor_operator.settings_web import GatewaySettings, WebServerSettings

HOST = "abcdefghijklmnopqrstuvwxyz.runs.example"


def ingress(scheme: str = "https", **fields: Any) -> dict[str, Any]:
    web = {"domain": "runs.example", "scheme": scheme, "ingress": {"className": "web", **fields}}
    return build_ingress(a_run(), HOST, WebServerSettings.model_validate(web))


def test_a_service(golden: Golden) -> None:
    golden.check("service", build_service(a_run()))


def test_an_ingress(golden: Golden) -> None:
    golden.check("ingress", ingress("http"))


def test_an_ingress_with_everything_set(golden: Golden) -> None:
    found = ingress(
        annotations={"nginx.ingress.kubernetes.io/proxy-body-size": "0"},
        pathType="ImplementationSpecific",
        tls={"clusterIssuer": "letsencrypt"},
    )

    golden.check("ingress-everything", found)


def test_a_route(golden: Golden) -> None:
    gateway = GatewaySettings(name="front", namespace="gateways")

    golden.check("http-route", build_http_route(a_run(), HOST, gateway))


def test_a_route_may_name_one_listener() -> None:
    gateway = GatewaySettings(name="front", namespace="gateways", section_name="https")
    (parent,) = build_http_route(a_run(), HOST, gateway)["spec"]["parentRefs"]

    assert parent["sectionName"] == "https"


@pytest.mark.parametrize(
    ("tls", "wanted"),
    [
        ({}, [{"hosts": [HOST]}]),
        ({"secretName": "wildcard"}, [{"hosts": [HOST], "secretName": "wildcard"}]),
        ({"enabled": False}, None),
    ],
)
def test_https_asks_for_a_certificate(tls: dict[str, Any], wanted: object) -> None:
    assert ingress(tls=tls)["spec"].get("tls") == wanted


def test_route_and_service_fit_together() -> None:
    run, gateway = a_run(), GatewaySettings(name="front", namespace="gateways")
    service = build_service(run)
    (port,) = service["spec"]["ports"]
    (path,) = ingress()["spec"]["rules"][0]["http"]["paths"]
    (backend,) = build_http_route(run, HOST, gateway)["spec"]["rules"][0]["backendRefs"]

    assert path["backend"]["service"] == {
        "name": service["metadata"]["name"],
        "port": {"name": port["name"]},
    }
    assert (backend["name"], backend["port"]) == (service["metadata"]["name"], port["port"])
    assert port["targetPort"] == WEB_PORT_NAME
