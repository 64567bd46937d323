"""Values: what they do, and that mistakes are refused before anything reaches the cluster."""

import itertools
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.helm import (
    CHART,
    HTTP_ROUTE,
    INGRESS,
    NAMESPACE,
    RELEASE,
    ROOT,
    WITHOUT_API,
    HelmError,
    one,
    run_helm,
    template,
)

from actor_operator.settings import Settings, load_settings

pytestmark = pytest.mark.chart

REFUSED = {
    "an unknown value": ("--set=replica=3", "additional properties 'replica' not allowed"),
    "a replica count of none": ("--set=replicas=0", "at '/replicas': minimum: got 0, want 1"),
    "a replica count that is text": (
        "--set-string=replicas=two",
        "at '/replicas': got string, want integer",
    ),
    "a tag inside the repository": (
        "--set=image.repository=registry/operator:1@sha256",
        "at '/image/repository': 'registry/operator:1@sha256' does not match pattern",
    ),
    "a digest without its algorithm": (
        "--set=image.digest=abc",
        "at '/image/digest': 'abc' does not match pattern",
    ),
    "a pull policy that does not exist": (
        "--set=image.pullPolicy=Sometimes",
        "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
    ),
    "an unknown part of the image": (
        "--set=image.registry=x",
        "at '/image': additional properties 'registry' not allowed",
    ),
    "memory without a known unit": (
        "--set=resources.limits.memory=1GB",
        "at '/resources/limits/memory': '1GB' does not match pattern",
    ),
    "an unknown resource list": (
        "--set=resources.limit.memory=1Gi",
        "at '/resources': additional properties 'limit' not allowed",
    ),
    "a label that is not text": (
        "--set=podLabels.a=1",
        "at '/podLabels/a': got number, want string",
    ),
    "a scrape interval without its unit": (
        "--set-string=serviceMonitor.interval=30",
        "at '/serviceMonitor/interval': '30' does not match pattern",
    ),
    "a port that no machine has": (
        "--set-json=networkPolicy.apiServerPorts=[70000]",
        "at '/networkPolicy/apiServerPorts/0': maximum: got 70,000, want 65,535",
    ),
    "a name of the service account in capitals": (
        "--set=serviceAccount.name=Operator",
        "at '/serviceAccount/name': 'Operator' does not match pattern",
    ),
    "an unknown group of settings": (
        "--set=settings.leases.name=x",
        "at '/settings': additional properties 'leases' not allowed",
    ),
    "an unknown setting": (
        "--set=settings.lease.durationSecs=5",
        "at '/settings/lease': additional properties 'durationSecs' not allowed",
    ),
    "a setting in snake case": (
        "--set=settings.pod.host_users=false",
        "at '/settings/pod': additional properties 'host_users' not allowed",
    ),
    "a security profile that does not exist": (
        "--set=settings.pod.securityProfile=privileged",
        "at '/settings/pod/securityProfile': value must be one of 'baseline', 'restricted'",
    ),
    "a fraction above the whole": (
        "--set=settings.pod.cpuRequestFraction=2",
        "at '/settings/pod/cpuRequestFraction': maximum: got 2, want 1",
    ),
    "memory that is no step": (
        "--set=settings.defaults.memoryMbytes=1000",
        "at '/settings/defaults/memoryMbytes': value must be one of 128, 256, 512, 1024",
    ),
    "the namespace, which is the release's": (
        "--set=settings.namespace=other",
        "at '/settings': additional properties 'namespace' not allowed",
    ),
}
"""Mistakes, and a part of the sentence that the user sees."""


def settings_file(*arguments: str, **options: Any) -> str:
    """The settings file in the ConfigMap."""
    config = one("ConfigMap", RELEASE, *arguments, **options)
    text: str = config["data"]["settings.yaml"]
    return text


def checksum(*arguments: str) -> str:
    """The annotation that makes new pods of new settings."""
    template = one("Deployment", RELEASE, *arguments)["spec"]["template"]
    value: str = template["metadata"]["annotations"]["checksum/settings"]
    return value


@pytest.mark.parametrize(("argument", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_a_mistake_is_refused_with_its_place(argument: str, sentence: str) -> None:
    with pytest.raises(HelmError) as refused:
        template(argument)

    assert sentence in str(refused.value)


def test_a_parent_chart_may_hand_down_global_values() -> None:
    template("--set=global.anything=1")


def test_the_default_settings_file_is_what_the_operator_takes_without_one(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(settings_file(WITHOUT_API))

    assert load_settings(path) == Settings()


def test_settings_reach_the_operator_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(
        settings_file(
            "--set=settings.lease.durationSeconds=30",
            "--set=settings.pod.nodeSelector.disk=fast",
            '--set-json=settings.pod.tolerations=[{"key": "runs", "operator": "Exists"}]',
            "--set=settings.pod.runtimeClassName=gvisor",
            namespace="elsewhere",
        )
    )

    settings = load_settings(path)

    assert settings.namespace == "elsewhere"
    assert settings.lease.duration_seconds == 30
    assert settings.pod.node_selector == {"disk": "fast"}
    assert settings.pod.tolerations[0].key == "runs"
    assert settings.pod.runtime_class_name == "gvisor"


def test_a_changed_setting_makes_new_pods_and_nothing_else_does() -> None:
    assert checksum("--set=settings.engine.workers=8") != checksum()
    assert checksum("--set=replicas=1") == checksum()


def test_every_value_of_the_file_has_a_comment() -> None:
    lines = (CHART / "values.yaml").read_text().splitlines()
    for above, line in itertools.pairwise(lines):
        name, colon, value = line.strip().partition(":")
        if colon and value and not name.startswith("#"):
            assert above.strip().startswith("#"), f"{name} has no comment"


def test_the_chart_has_the_programs_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert chart["version"] == chart["appVersion"] == project["version"]


def notes(*arguments: str) -> str:
    """What helm says after an installation."""
    install = ("install", "x", str(CHART), "--dry-run=client", f"--namespace={NAMESPACE}")
    return run_helm(*install, *arguments).partition("NOTES:")[2]


def test_notes_name_the_deployment_to_wait_for() -> None:
    text = notes()

    assert f"kubectl -n {NAMESPACE} rollout status deployment/x-actor-operator" in text
    assert "--take-ownership" in text


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((), "Mind: runs have no URLs until settings.webServer.domain is set."),
        (INGRESS, "*.runs.example.com must lead to the controller of the IngressClass web."),
        (HTTP_ROUTE, "*.runs.example.com must lead to the Gateway edge/web."),
        (
            (*INGRESS, "--set=settings.webServer.port=8443"),
            "https://<label>.runs.example.com:8443/ (status.containerUrl of the run).",
        ),
    ],
    ids=["without a domain", "by Ingresses", "by HTTPRoutes", "on another port"],
)
def test_notes_say_where_runs_are_reached(values: tuple[str, ...], sentence: str) -> None:
    assert sentence in notes(*values)


def test_notes_say_nothing_of_urls_that_nobody_wants() -> None:
    assert "URL" not in notes("--set=settings.webServer.mode=none")
