"""Settings of web servers and of the network: mistakes are told before anything starts."""

from typing import Any

import pytest
from pydantic import ValidationError

from actor_operator.settings import Settings
from actor_operator.settings_web import WebServerSettings

INGRESS = {"domain": "runs.example", "ingress": {"className": "web"}}
FROM = {"webServerFrom": ["ingress"]}


def settings(**fields: Any) -> Settings:
    return Settings(**fields)


def mistakes(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        settings(**fields)
    return str(caught.value)


def test_without_a_domain_runs_have_no_urls() -> None:
    assert not Settings().web_server.enabled
    assert not settings(webServer={**INGRESS, "mode": "none"}, network=FROM).web_server.enabled
    assert settings(webServer=INGRESS, network=FROM).web_server.enabled


@pytest.mark.parametrize(
    ("web", "says"),
    [
        ({"domain": "runs.example"}, "ingress.className must name the IngressClass"),
        (
            {"domain": "runs.example", "mode": "httproute", "gateway": {"name": "x"}},
            "gateway.name and gateway.namespace must name",
        ),
        ({"domain": "Runs.example"}, "String should match pattern"),
        ({"domain": "*.runs.example"}, "String should match pattern"),
        ({"domain": "runs.example."}, "String should match pattern"),
        ({"domain": "x" * 64}, "String should match pattern"),
        ({"domain": ".".join(["x" * 30] * 8)}, "at most 226 characters"),
        ({**INGRESS, "port": 0}, "greater than or equal to 1"),
        ({**INGRESS, "scheme": "ftp"}, "'http' or 'https'"),
        (
            {"ingress": {"tls": {"secretName": "a", "clusterIssuer": "b"}}},
            "name either secretName or clusterIssuer",
        ),
        ({"ingress": {"annotations": {"no key": "x"}}}, "String should match pattern"),
    ],
)
def test_a_mistake_is_told(web: dict[str, Any], says: str) -> None:
    assert says in mistakes(webServer=web, network=FROM)


def test_who_may_reach_the_runs_must_be_said_when_they_have_urls() -> None:
    assert "network.webServerFrom must name the namespace" in mistakes(webServer=INGRESS)
    assert settings(webServer=INGRESS, network={"policy": False}).web_server.enabled


def test_the_longest_domain_leaves_room_for_the_label_of_a_run() -> None:
    longest = ".".join(["x" * 30] * 7 + ["y" * 9])
    web = WebServerSettings.model_validate({**INGRESS, "domain": longest})

    assert len(f"{'l' * 26}.{web.domain}") == 253
