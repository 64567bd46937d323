"""Simulated nodes: Node objects whose pods kwok moves through their lives."""

import json
from pathlib import Path
from typing import Any

from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.paths import SOURCE

STAGES = SOURCE / "manifests" / "kwok-stages.yaml"
"""What happens to simulated nodes and pods; its head says how a pod asks for its end."""

TAINT = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
"""Keeps real pods off simulated nodes where both kinds exist."""


def node(number: int, *, tainted: bool) -> dict[str, Any]:
    """Node object of one simulated node; kwok fills in its status."""
    name = f"simulated-{number}"
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "type": "kwok",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "spec": {"taints": [TAINT] if tainted else []},
    }


def add_nodes(kubectl: Kubectl, count: int, *, tainted: bool) -> None:
    """Create simulated nodes and wait until they are Ready."""
    nodes = [node(number, tainted=tainted) for number in range(1, count + 1)]
    kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": nodes}))
    kubectl.run("wait", "--for=condition=Ready", "nodes", "-l", "type=kwok", "--timeout=60s")


def stages_file(folder: Path) -> Path:
    """The stages that kwok is to read; a copy, so that the checkout may move while it runs."""
    copy = folder / STAGES.name
    copy.write_text(STAGES.read_text())
    return copy
