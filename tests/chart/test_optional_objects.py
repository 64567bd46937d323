"""What is rendered only when a value asks for it, and what is left out when a value says so."""

from typing import Any

import pytest
from tests.chart.helm import CHART, RELEASE, ROOT, WITHOUT_API, objects, one, template

pytestmark = pytest.mark.chart


def of_kind(kind: str, *arguments: str) -> list[dict[str, Any]]:
    """The objects of one kind."""
    return [found for found in objects(*arguments) if found["kind"] == kind]


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PrometheusRule", "NetworkPolicy"])
def test_by_default_there_is_no(kind: str) -> None:
    assert of_kind(kind) == []


def test_a_service_monitor_finds_the_metrics_service() -> None:
    (monitor,) = of_kind(
        "ServiceMonitor", "--set=serviceMonitor.enabled=true", "--set=serviceMonitor.labels.a=b"
    )
    service = one("Service", f"{RELEASE}-metrics")

    assert (
        monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    )
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    assert monitor["metadata"]["labels"]["a"] == "b"


def test_the_metrics_service_follows_the_port_of_the_settings() -> None:
    service = one("Service", f"{RELEASE}-metrics", "--set=settings.probes.metricsPort=9191")

    assert service["spec"]["ports"] == [{"name": "metrics", "port": 9191, "targetPort": "metrics"}]
    assert service["spec"]["clusterIP"] == "None"


def test_the_network_policy_lets_in_probes_and_metrics_and_out_the_api_and_dns() -> None:
    policy = one(
        "NetworkPolicy",
        RELEASE,
        "--set=networkPolicy.enabled=true",
        '--set-json=networkPolicy.metricsFrom=[{"podSelector":{}}]',
        '--set-json=networkPolicy.apiServerTo=[{"ipBlock":{"cidr":"10.0.0.1/32"}}]',
    )["spec"]
    probes, metrics = policy["ingress"]
    api, dns = policy["egress"]

    assert probes == {"ports": [{"port": "probes"}]}
    assert metrics == {"ports": [{"port": "metrics"}], "from": [{"podSelector": {}}]}
    assert api == {
        "ports": [{"port": 443}, {"port": 6443}],
        "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}],
    }
    assert [port["port"] for port in dns["ports"]] == [53, 53]


def test_an_existing_service_account_is_used_and_not_made() -> None:
    values = ("--set=serviceAccount.create=false", "--set=serviceAccount.name=mine", WITHOUT_API)
    (deployment,) = of_kind("Deployment", *values)
    bindings = of_kind("ClusterRoleBinding", *values) + of_kind("RoleBinding", *values)

    assert of_kind("ServiceAccount", *values) == []
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == "mine"
    assert {subject["name"] for found in bindings for subject in found["subjects"]} == {"mine"}


def test_policies_can_be_left_out() -> None:
    assert of_kind("ValidatingAdmissionPolicy", "--set=admissionPolicies.enabled=false") == []
    assert (
        of_kind("ValidatingAdmissionPolicyBinding", "--set=admissionPolicies.enabled=false") == []
    )


def test_the_charts_crds_are_byte_copies() -> None:
    copies = {path.name: path.read_bytes() for path in (CHART / "files" / "crds").iterdir()}
    sources = {path.name: path.read_bytes() for path in (ROOT / "crds").glob("*.yaml")}

    assert copies == sources
    assert len(sources) == 4


def test_crds_are_rendered_byte_for_byte_and_are_kept_on_uninstall() -> None:
    text = template()

    for path in (ROOT / "crds").glob("*.yaml"):
        assert path.read_text().strip() in text
    for found in of_kind("CustomResourceDefinition"):
        assert found["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_crds_can_be_left_out() -> None:
    assert of_kind("CustomResourceDefinition", "--set=crds.install=false") == []
