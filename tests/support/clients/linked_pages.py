"""A small web site inside the cluster, for crawlers."""

import json
from typing import Any

from tests.cluster_tool.images.catalog import BUSYBOX
from tests.cluster_tool.kubectl import Kubectl

NAME = "site"
"""Name of the pod, of its Service and of the pages."""

PORT = 8080


def serve(kubectl: Kubectl, namespace: str, pages: int) -> str:
    """Serve pages that link to each other; returns the URL of the first when the site answers.

    Page n links to 2n and 2n + 1, and all of them to the first.
    """
    metadata: dict[str, Any] = {"name": NAME, "namespace": namespace, "labels": {"app": NAME}}
    for manifest in (_pages(metadata, pages), _service(metadata), _pod(metadata)):
        kubectl.run("apply", "-f", "-", stdin=json.dumps(manifest))
    kubectl.run("-n", namespace, "wait", f"pod/{NAME}", "--for=condition=Ready", "--timeout=60s")
    return f"http://{NAME}.{namespace}:{PORT}/1.html"


def page(number: int, pages: int) -> str:
    """One page."""
    links = [1, *(n for n in (2 * number, 2 * number + 1) if n <= pages)]
    anchors = "".join(f'<a href="/{n}.html">to {n}</a> ' for n in links)
    return f"<!doctype html><title>Page {number}</title><p>{anchors}</p>\n"


def _pages(metadata: dict[str, Any], pages: int) -> dict[str, Any]:
    data = {f"{n}.html": page(n, pages) for n in range(1, pages + 1)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _service(metadata: dict[str, Any]) -> dict[str, Any]:
    spec = {"selector": {"app": NAME}, "ports": [{"port": PORT}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _pod(metadata: dict[str, Any]) -> dict[str, Any]:
    container = {
        "name": NAME,
        "image": BUSYBOX,
        "imagePullPolicy": "Never",
        "command": ["httpd", "-f", "-p", str(PORT), "-h", "/pages"],
        "volumeMounts": [{"name": "pages", "mountPath": "/pages"}],
        "readinessProbe": {"httpGet": {"path": "/1.html", "port": PORT}, "periodSeconds": 1},
    }
    spec = {
        "containers": [container],
        "volumes": [{"name": "pages", "configMap": {"name": NAME}}],
        "terminationGracePeriodSeconds": 0,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
