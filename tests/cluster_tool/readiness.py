"""Is a cluster ready: its API server, its nodes, its add-ons, the way in from the machine."""

import json
from pathlib import Path
from typing import Any

from tests.cluster_tool import addons, http_probe
from tests.cluster_tool.pki import KeyPair
from tests.cluster_tool.state import ClusterState

Finding = tuple[str, bool, str]
"""What was looked at, whether it is ready, and why not."""


class Readiness:
    """Looks at a local cluster as its administrator, through the relay."""

    def __init__(self, folder: Path, wanted: ClusterState) -> None:
        self._folder = folder
        self._wanted = wanted
        self._api = f"https://127.0.0.1:{wanted.api_port}"

    def api_server(self) -> bool:
        """Whether the API server says that it is ready."""
        return self._get("/readyz")[0] == 200

    def all(self) -> list[Finding]:
        """Every finding, in the order in which things become ready."""
        status, body = self._get("/readyz")
        if status != 200:
            return [("API server", False, body or f"HTTP {status}")]
        findings: list[Finding] = [("API server", True, ""), self._nodes()]
        findings += [self._deployment(*name) for name in addons.DEPLOYMENTS]
        return [*findings, self._gateway(), self._ingress()]

    def explain(self) -> str:
        """One sentence for each part that is not ready."""
        return " ".join(f"{what}: {why}." for what, ok, why in self.all() if not ok)

    def _nodes(self) -> Finding:
        expected = self._wanted.nodes + self._wanted.simulated_nodes
        items = self._json("/api/v1/nodes").get("items", [])
        ready = [item["metadata"]["name"] for item in items if _is_true(item, "Ready")]
        ok = len(ready) == expected
        return ("nodes", ok, "" if ok else f"{len(ready)} of {expected} are ready")

    def _deployment(self, namespace: str, name: str) -> Finding:
        content = self._json(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
        ok = _is_true(content, "Available")
        return (name, ok, "" if ok else "its Deployment is not available")

    def _gateway(self) -> Finding:
        namespace, name = addons.GATEWAY
        path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/gateways/{name}"
        ok = _is_true(self._json(path), "Programmed")
        return ("gateway", ok, "" if ok else "it is not programmed")

    def _ingress(self) -> Finding:
        """The ingress controller answers 404 for a host that nothing serves."""
        url = f"http://127.0.0.1:{self._wanted.http_port}/"
        status, body = http_probe.get(url, host="nothing-here.localhost")
        ok = status == 404
        return (f"port {self._wanted.http_port}", ok, "" if ok else f"answers {status} {body}")

    def _json(self, path: str) -> dict[str, Any]:
        status, body = self._get(path)
        content: dict[str, Any] = json.loads(body) if status == 200 else {}
        return content

    def _get(self, path: str) -> tuple[int, str]:
        keys = self._folder / "pki"
        ca, client = keys / "ca.crt", KeyPair(keys / "admin.crt", keys / "admin.key")
        if not ca.is_file() or not client.key.is_file():
            return 0, "its keys are not there"
        return http_probe.get(self._api + path, http_probe.tls_context(ca, client))


def _is_true(content: dict[str, Any], condition: str) -> bool:
    conditions = content.get("status", {}).get("conditions", [])
    return any(c["type"] == condition and c["status"] == "True" for c in conditions)
