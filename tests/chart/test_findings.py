"""What scanners say of the rendered chart: nothing that is not explained here."""

import json
from pathlib import Path

import pytest
from tests.chart.helm import API_INGRESS, BUCKET, DATABASE, HTTP_ROUTE, INGRESS, template
from tests.cluster_tool.toolchain import run_module

pytestmark = pytest.mark.chart

EVERYTHING = (*BUCKET, *API_INGRESS, DATABASE, "--set=networkPolicy.enabled=true")
"""Values with which the chart renders all that it has, beside the ways to routes."""

ACCEPTED = {
    "CKV_K8S_11": "a limit of processor time would slow the operator in a burst, when it is needed",
    "CKV_K8S_15": "the default tag is a version that never moves; image.pullPolicy sets another",
    "CKV_K8S_38": "each of these pods works by asking the API server, as its own account",
    "CKV_K8S_43": "who builds the image knows its digest, not the chart; image.digest takes it",
}
"""Findings of checkov that stay, and why."""

OLDEST, NEWEST = "1.32", "1.37"
"""The versions of Kubernetes between which the chart may be installed."""


@pytest.fixture(scope="module", params=[INGRESS, HTTP_ROUTE], ids=["ingresses", "httproutes"])
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the rendered chart."""
    folder = tmp_path_factory.mktemp("chart")
    (folder / "chart.yaml").write_text(template(*EVERYTHING, *request.param))
    return folder


def test_checkov_finds_only_what_is_explained(rendered: Path) -> None:
    done = run_module(
        "checks.txt",
        "checkov.main",
        f"--directory={rendered}",
        "--framework=kubernetes",
        "--skip-download",
        "--compact",
        "--quiet",
        "--output=json",
    )
    found = json.loads(done.stdout)

    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["passed"] > 200
    failed = {check["check_id"]: check["resource"] for check in found["results"]["failed_checks"]}
    assert {check: where for check, where in failed.items() if check not in ACCEPTED} == {}
    assert ACCEPTED.keys() - failed.keys() == set(), "explained, but found no more"


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_field_is_known_to_kubernetes(rendered: Path, version: str) -> None:
    options = ("--strict", "--no-warn", f"--kubernetes-version={version}")
    done = run_module("checks.txt", "kubernetes_validate", *options, str(rendered / "chart.yaml"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "deployment/actor-operator-api" in done.stdout + done.stderr
