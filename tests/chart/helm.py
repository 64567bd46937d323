"""Calls helm; finds the program and says how to get it when it is missing."""

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""

CHART = ROOT / "helm" / "actor-operator"
"""The chart's folder."""

RELEASE = "actor-operator"
"""The name under which docs and manifests install the chart."""

NAMESPACE = "actor-operator-system"
"""The namespace into which docs and manifests install the chart."""

TIMEOUT_SECONDS = 120
"""Longest time that one call of helm may take."""


class HelmError(Exception):
    """helm refused; the text is what it said."""


@functools.cache
def find_helm() -> str | None:
    """Path of helm 4: ``HELM`` of the environment, then PATH; None when there is none."""
    for candidate in (os.environ.get("HELM"), shutil.which("helm")):
        if candidate and _is_version_4(candidate):
            return candidate
    return None


def _is_version_4(path: str) -> bool:
    answer = subprocess.run(
        [path, "version", "--template", "{{.Version}}"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return answer.stdout.startswith("v4.")


def run_helm(*arguments: str) -> str:
    """Run helm and return what it printed.

    Raises
    ------
    HelmError
        With helm's own words when it fails, or when there is no helm.
    """
    helm = find_helm()
    if helm is None:
        raise HelmError("helm 4 is needed: put it on PATH or name it in HELM")
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
