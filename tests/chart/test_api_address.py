"""Where the API server is: its settings, its Ingress, and what its NetworkPolicies let through."""

from pathlib import Path
from typing import Any

import pytest
from tests.chart.helm import (
    API_INGRESS,
    BUCKET,
    DATABASE,
    INGRESS,
    RELEASE,
    WITHOUT_API,
    HelmError,
    objects,
    one,
)
from tests.chart.test_api_pods import API, EVENTS, deployment

from actor_operator.constants import LABEL_NAME, LABEL_RUN_UID, SERVER_NAME
from actor_operator.settings import Settings, load_settings

pytestmark = pytest.mark.chart

POLICIES = "--set=networkPolicy.enabled=true"


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    """Read the settings that the chart writes."""

    def read(*arguments: str, **options: Any) -> Settings:
        release = options.get("release", RELEASE)
        name = release if RELEASE in release else f"{release}-{RELEASE}"
        file = tmp_path / "settings.yaml"
        file.write_text(one("ConfigMap", name, *arguments, **options)["data"]["settings.yaml"])
        return load_settings(file)

    return read


def test_runs_are_told_the_services_of_this_release(settings: Any) -> None:
    api = settings(release="runs", namespace="ours").api

    assert api.enabled
    assert api.internal_url == "http://runs-actor-operator-api.ours.svc"
    assert api.events_url == "http://runs-actor-operator-events.ours.svc"
    assert api.base_url == api.internal_url


def test_another_port_of_the_services_is_in_their_addresses(settings: Any) -> None:
    api = settings("--set=api.service.port=8080").api

    assert api.internal_url == "http://actor-operator-api.actor-operator-system.svc:8080"
    assert api.events_url == "http://actor-operator-events.actor-operator-system.svc:8080"


def test_without_the_api_server_the_operator_knows_of_none(settings: Any) -> None:
    assert settings(WITHOUT_API, *API_INGRESS).api == Settings().api


def test_the_server_is_told_where_its_mounted_files_are(settings: Any) -> None:
    api = settings(
        DATABASE,
        "--set=api.database.existingSecret.key=uri",
        "--set=api.kubeletCA.configMap=kubelets",
        "--set=api.kubeletCA.key=ca.pem",
    ).api

    assert api.storage.database_url_file == Path("/etc/actor-operator-database/uri")
    assert api.kubelet_ca_file == Path("/etc/actor-operator-kubelet-ca/ca.pem")


def test_without_a_database_and_a_ca_there_are_no_such_files(settings: Any) -> None:
    api = settings().api

    assert api.storage.database_url_file is None
    assert api.kubelet_ca_file is None


def test_settings_of_the_api_reach_the_server_beside_what_the_chart_knows(settings: Any) -> None:
    storage = settings(DATABASE, *BUCKET, "--set=settings.api.storage.bucket.prefix=a/").api.storage

    assert (storage.objects, storage.bucket.name, storage.bucket.prefix) == ("s3", "runs", "a/")
    assert storage.database_url_file is not None


@pytest.mark.parametrize(
    ("values", "url"),
    [
        (API_INGRESS, "https://api.example.com"),
        ((*API_INGRESS, "--set=api.ingress.tls.enabled=false"), "http://api.example.com"),
        ((*API_INGRESS, "--set=settings.api.publicUrl=https://x:8443/a"), "https://x:8443/a"),
        (("--set=settings.api.publicUrl=https://x",), "https://x"),
    ],
    ids=["its Ingress", "an Ingress without TLS", "what is set", "what is set without an Ingress"],
)
def test_the_address_for_the_world_is(values: tuple[str, ...], url: str, settings: Any) -> None:
    assert settings(*values).api.public_url == url


def test_by_default_there_is_no_ingress() -> None:
    assert not [o for o in objects() if o["kind"] == "Ingress"]


def test_the_ingress_leads_its_host_to_the_api() -> None:
    found = one(
        "Ingress",
        API,
        *API_INGRESS,
        "--set=api.ingress.className=web",
        "--set=api.ingress.tls.secretName=certificate",
        "--set=api.ingress.annotations.a=b",
    )

    assert found["metadata"]["annotations"] == {"a": "b"}
    assert found["spec"] == {
        "ingressClassName": "web",
        "tls": [{"hosts": ["api.example.com"], "secretName": "certificate"}],
        "rules": [
            {
                "host": "api.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": API, "port": {"name": "http"}}},
                        }
                    ]
                },
            }
        ],
    }


def test_what_is_not_said_of_the_ingress_is_left_to_the_cluster() -> None:
    spec = one("Ingress", API, *API_INGRESS)["spec"]

    assert "ingressClassName" not in spec
    assert spec["tls"] == [{"hosts": ["api.example.com"]}]
    assert (
        "tls"
        not in one("Ingress", API, *API_INGRESS, "--set=api.ingress.tls.enabled=false")["spec"]
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (("--set=api.ingress.enabled=true",), "api.ingress.host must name the host of the API"),
        (
            ("--set=api.ingress.host=https://x", "--set=api.ingress.enabled=true"),
            "at '/api/ingress/host': 'https://x' does not match pattern",
        ),
        (
            (*API_INGRESS, *INGRESS, "--set=api.ingress.host=api.runs.example.com"),
            "api.ingress.host must not be runs.example.com (settings.webServer.domain) or below it",
        ),
        (
            (*API_INGRESS, *INGRESS, "--set=api.ingress.host=runs.example.com"),
            "api.ingress.host must not be runs.example.com",
        ),
        (
            ("--set=settings.api.publicUrl=api.example.com",),
            "at '/settings/api/publicUrl': 'api.example.com' does not match pattern",
        ),
        (
            ("--set=settings.api.publicUrl=https://api.example.com/",),
            "at '/settings/api/publicUrl'",
        ),
        (
            ("--set=settings.api.publicUrl=https://api.example.com/v2",),
            "settings.api.publicUrl must not end in /v2",
        ),
        (
            ("--set=settings.api.internalUrl=http://x",),
            "at '/settings/api': additional properties 'internalUrl' not allowed",
        ),
        (
            ("--set=settings.api.enabled=true",),
            "at '/settings/api': additional properties 'enabled' not allowed",
        ),
    ],
    ids=[
        "an Ingress without a host",
        "a host that is an address",
        "a host below the domain of runs",
        "the domain of runs",
        "a public address without a scheme",
        "a public address with a slash at its end",
        "a public address with the version",
        "an address that the chart knows",
        "the switch at the wrong place",
    ],
)
def test_a_mistake_is_refused(values: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(HelmError) as refused:
        objects(*values)

    assert sentence in str(refused.value)


def test_a_host_that_only_ends_like_the_domain_of_runs_is_another_one() -> None:
    objects(*API_INGRESS, *INGRESS, "--set=api.ingress.host=otherruns.example.com")


def policy(name: str, *arguments: str) -> dict[str, Any]:
    """The NetworkPolicy of a part."""
    spec: dict[str, Any] = one("NetworkPolicy", name, POLICIES, *arguments)["spec"]
    return spec


RUNS = {
    "namespaceSelector": {},
    "podSelector": {"matchExpressions": [{"key": LABEL_RUN_UID, "operator": "Exists"}]},
}
"""The peer that pods of runs are."""

DATABASE_AT = '--set-json=api.networkPolicy.storageTo=[{"ipBlock":{"cidr":"10.0.0.1/32"}}]'


@pytest.mark.parametrize("name", [API, EVENTS])
def test_a_policy_holds_for_the_pods_of_its_part(name: str) -> None:
    assert policy(name)["podSelector"] == deployment(name)["selector"]
    assert policy(name)["policyTypes"] == ["Ingress", "Egress"]


def test_everybody_reaches_the_api_unless_it_is_said_who_does_beside_runs() -> None:
    edge = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}}
    said = (
        "--set-json=api.networkPolicy.from="
        '[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"edge"}}}]'
    )

    assert policy(API)["ingress"][0] == {"ports": [{"port": "http"}]}
    assert policy(API, said)["ingress"][0] == {"ports": [{"port": "http"}], "from": [RUNS, edge]}


def test_runs_alone_reach_the_events() -> None:
    assert policy(EVENTS)["ingress"][0] == {"ports": [{"port": "http"}], "from": [RUNS]}


@pytest.mark.parametrize("name", [API, EVENTS])
def test_metrics_and_the_kubernetes_api_are_as_with_the_operator(name: str) -> None:
    values = (
        '--set-json=networkPolicy.metricsFrom=[{"podSelector":{}}]',
        '--set-json=networkPolicy.apiServerTo=[{"ipBlock":{"cidr":"10.0.0.1/32"}}]',
    )

    assert policy(name, *values)["ingress"][1] == policy(RELEASE, *values)["ingress"][1]
    assert policy(name, *values)["egress"][:2] == policy(RELEASE, *values)["egress"]


def test_the_api_reaches_a_database_and_a_bucket_where_it_has_them() -> None:
    anywhere: dict[str, Any] = {}

    assert len(policy(API)["egress"]) == 2
    assert policy(API, DATABASE)["egress"][2:] == [anywhere]
    assert policy(API, *BUCKET)["egress"][2:] == [anywhere]
    assert policy(API, DATABASE, DATABASE_AT)["egress"][2:] == [
        {"to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]}
    ]


@pytest.mark.parametrize("name", [API, EVENTS])
def test_the_policy_of_runs_lets_them_reach_the_pods(name: str) -> None:
    labels = deployment(name)["template"]["metadata"]["labels"]

    assert labels[LABEL_NAME] == SERVER_NAME


def test_the_events_reach_the_kubelets() -> None:
    assert policy(EVENTS)["egress"][2:] == [{"ports": [{"port": 10250}]}]
