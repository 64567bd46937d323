"""The real API server as a process beside a control plane, with the rights of the chart."""

import base64
import copy
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml
from tests.chart.helm import NAMESPACE, RELEASE
from tests.cluster_tool.child import Child
from tests.cluster_tool.http_probe import wait_until
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.ports import free_ports
from tests.support.operators import READY_SECONDS, Credentials

from actor_operator.constants import KEYS_SECRET

ACCOUNT = f"{RELEASE}-api"
"""Its service account."""


class ApiProcess:
    """The real command with the chart's settings, SQLite and a folder.

    Parameters
    ----------
    credentials
        With which it asks Kubernetes.
    settings
        The whole settings file; what belongs to the machine is chosen here.
    keys
        The keys of the installation, by their names in their Secret.
    folder
        Where its files go.
    """

    def __init__(
        self,
        credentials: Credentials,
        settings: Mapping[str, Any],
        keys: Mapping[str, bytes],
        folder: Path,
    ) -> None:
        port, self._metrics_port = free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        """Its address, without ``/v2``."""
        self.log_file = folder / "api.log"
        """What it wrote."""
        (folder / "keys").mkdir()
        for name, value in keys.items():
            (folder / "keys" / name).write_bytes(value)
        chosen = copy.deepcopy(dict(settings))
        chosen["api"] |= {
            "host": "127.0.0.1",
            "port": port,
            "metricsPort": self._metrics_port,
            "keysFolder": str(folder / "keys"),
        }
        chosen["api"]["storage"]["folder"] = str(folder / "storage")
        file = folder / "api.yaml"
        file.write_text(yaml.safe_dump(chosen))
        self._child = Child(
            "API server",
            [
                "env",
                f"KUBECONFIG={credentials.kubeconfig}",
                sys.executable,
                *("-m", "actor_operator", "server", "--settings", str(file)),
            ],
            self.log_file,
        )

    def wait_ready(self) -> None:
        """Wait until it serves.

        Raises
        ------
        ClusterToolError
            It takes too long, or has ended.
        """
        wait_until(
            "The API server",
            lambda: self._child.check() and self._is_ready(),
            seconds=READY_SECONDS,
            explain=self._child.log_tail,
        )

    def client(self, token: str = "") -> httpx.Client:
        """A plain client."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        self._child.terminate()

    def _is_ready(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self._metrics_port}/readyz"
            return httpx.get(url, timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False


def installed_keys(kubectl: Kubectl, namespace: str = NAMESPACE) -> dict[str, bytes]:
    """The keys that the operator has made, as they are mounted into the API server's pods."""
    found = json.loads(kubectl.run("get", "secret", KEYS_SECRET, f"-n={namespace}", "-o=json"))
    return {name: base64.b64decode(value) for name, value in found["data"].items()}
