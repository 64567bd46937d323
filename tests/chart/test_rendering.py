"""The chart renders, always the same, to objects that Kubernetes knows."""

import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes.client
import pytest
import yaml
from tests.chart.generate import GENERATED
from tests.chart.helm import (
    API_INGRESS,
    BUCKET,
    CHART,
    DATABASE,
    HTTP_ROUTE,
    INGRESS,
    NAMESPACE,
    ROOT,
    objects,
    run_helm,
    template,
)
from tests.cluster_tool.toolchain import ensure_kubectl

pytestmark = pytest.mark.chart

EVERYTHING = (
    "--set=serviceMonitor.enabled=true",
    "--set=prometheusRule.enabled=true",
    "--set=dashboard.enabled=true",
    "--set=networkPolicy.enabled=true",
    "--set=settings.api.kubernetesIdentities=true",
    "--set=api.kubeletCA.configMap=kubelets",
    "--set=api.bucket.existingSecret=keys",
    DATABASE,
    *API_INGRESS,
    *HTTP_ROUTE,
)
"""Values that render every template."""

MANY = (DATABASE, *BUCKET, "--set=api.replicas=3")
"""Values with several replicas of the API."""

FOLDER_OF_NODE = ("--set=api.storage.persistence.hostPath=/srv/actors",)
"""Values with which the API keeps everything in a folder of the node."""

SOME_NAMESPACES = ('--set-json=settings.namespaces=["team-a","team-b"]', *EVERYTHING)
"""Everything, for some namespaces."""

LABEL_OF_A_SERIES = re.compile(r"\{\{ ?(?:\$labels\.)?[a-z]+ ?\}\}")
"""What Prometheus and Grafana fill in, in sentences of alerts and legends of the dashboard."""

KINDS_OF_OTHERS = {"CustomResourceDefinition", "ServiceMonitor", "PrometheusRule"}
"""Kinds that the kubernetes package has no strict model of."""


def key(found: dict[str, Any]) -> tuple[str, str, str]:
    """What tells an object of the chart from the others."""
    metadata = found["metadata"]
    return found["kind"], metadata.get("namespace", ""), metadata["name"]


def require_valid(found: dict[str, Any]) -> None:
    """Refuse what the strict model of its kind does not take: unknown fields, numbers as names."""
    if found["kind"] not in KINDS_OF_OTHERS:
        version = found["apiVersion"].rpartition("/")[2].capitalize()
        getattr(kubernetes.client, f"{version}{found['kind']}").model_validate(found)


def test_helm_lint_finds_nothing() -> None:
    run_helm("lint", "--strict", "--quiet", str(CHART))


def test_two_renderings_are_identical() -> None:
    assert template(*EVERYTHING) == template(*EVERYTHING)


@pytest.mark.parametrize(
    "arguments",
    [(), INGRESS, EVERYTHING, MANY, FOLDER_OF_NODE, SOME_NAMESPACES],
    ids=["defaults", "ingress", "everything", "many", "folder of a node", "some namespaces"],
)
def test_every_object_is_valid_in_its_kinds_strict_model(arguments: tuple[str, ...]) -> None:
    for found in objects(*arguments):
        require_valid(found)


def test_names_that_look_like_numbers_stay_text() -> None:
    values = {"serviceAccount.name": "12e4", "priorityClassName": "9", "imagePullSecrets": ["77"]}

    for found in objects(*EVERYTHING, release="1234", namespace="5678", values=values):
        require_valid(found)
        assert found["metadata"].get("namespace", "5678") == "5678"


def test_no_template_renders_one_object_twice() -> None:
    keys = [key(found) for found in objects(*EVERYTHING)]

    assert len(keys) == len(set(keys))


def test_each_template_is_one_object() -> None:
    for path in sorted((CHART / "templates").glob("*.yaml")):
        if path.stem != "crds":
            assert path.read_text().count("\nkind: ") == 1, path.name


def test_objects_carry_the_common_labels_and_the_releases_namespace() -> None:
    for found in objects(*EVERYTHING, namespace="elsewhere"):
        if found["kind"] == "CustomResourceDefinition":
            continue
        labels = found["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "actor-operator"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert found["metadata"].get("namespace", "elsewhere") == "elsewhere"


@pytest.mark.parametrize(("one", "two"), [("one", "two"), ("actor-operator", "actor-operator-2")])
def test_two_releases_share_no_object(one: str, two: str) -> None:
    without_crds = (*EVERYTHING, "--set=crds.install=false")
    first = {key(found) for found in objects(*without_crds, release=one)}
    second = {key(found) for found in objects(*without_crds, release=two)}

    assert first.isdisjoint(second)


@pytest.mark.parametrize("release", ["a", "actor-operator", "a" * 53])
def test_names_stay_short_whatever_the_release_is_called(release: str) -> None:
    for found in objects(*EVERYTHING, release=release):
        if found["kind"] != "CustomResourceDefinition":
            assert len(found["metadata"]["name"]) <= 63
            assert "actor-operator" in found["metadata"]["name"]


def test_the_output_holds_no_secret_and_no_key() -> None:
    assert not [found for found in objects(*EVERYTHING) if found["kind"] == "Secret"]


def test_no_name_of_a_template_function_is_left_in_the_output() -> None:
    rendered = template(*EVERYTHING, "--set=crds.install=false")
    text = LABEL_OF_A_SERIES.sub("", rendered)

    assert "{{" not in text
    assert "<no value>" not in text


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_a_generated_file_is_up_to_date(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert GENERATED[path](text) == text, "run: make crds"


def test_kustomize_builds_the_same_objects_as_the_install_manifest() -> None:
    manifests = ROOT / "manifests"
    built = subprocess.run(
        [str(ensure_kubectl()), "kustomize", str(manifests)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout

    installed = [o for o in yaml.safe_load_all((manifests / "install.yaml").read_text()) if o]
    assert sorted(key(o) for o in yaml.safe_load_all(built)) == sorted(key(o) for o in installed)
    assert ("Namespace", "", NAMESPACE) in [key(o) for o in installed]
