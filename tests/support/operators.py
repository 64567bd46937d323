"""The real operator as processes beside a control plane, with the rights of the chart."""

import os
import re
import signal
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from tests.chart.helm import NAMESPACE, RELEASE, WITHOUT_API, objects
from tests.cluster_tool.child import Child
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.ports import free_ports

USER = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
"""The operator, as the API server names it."""

OTHER_NAMESPACE = "other-operator-system"
"""Namespace of another installation of the same name beside it."""

OTHER_USER = f"system:serviceaccount:{OTHER_NAMESPACE}:{RELEASE}"
"""The operator of that installation."""

READY_SECONDS = 60.0
"""How long a replica may take to fill its caches, or the only one to lead."""

LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks the operator's endpoints."""


def install_rights(
    control_plane: ControlPlane,
    *arguments: str,
    namespace: str = NAMESPACE,
    without: frozenset[str] = frozenset(),
) -> None:
    """Apply all that the chart renders but the pods themselves, without the API server.

    Parameters
    ----------
    control_plane
        Where to.
    arguments
        Values of the chart, as helm takes them; ``api.enabled=true`` adds the API server's.
    namespace
        The operator's own.
    without
        Further kinds that are left out.
    """
    left_out = without | {"Deployment", "PodDisruptionBudget"}
    own = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    rendered = objects(WITHOUT_API, *arguments, namespace=namespace)
    wanted = [own, *(found for found in rendered if found["kind"] not in left_out)]
    kubectl = Kubectl(control_plane.kubeconfig)
    kubectl.apply(yaml.safe_dump_all(wanted))
    if "CustomResourceDefinition" not in left_out:
        kubectl.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")


def chart_settings(*arguments: str, namespace: str = NAMESPACE) -> dict[str, Any]:
    """The settings file as the chart renders it, with values as helm takes them.

    Without the API server, unless they say ``api.enabled=true``.
    """
    rendered = objects(WITHOUT_API, *arguments, namespace=namespace)
    (config,) = (found for found in rendered if found["kind"] == "ConfigMap")
    settings: dict[str, Any] = yaml.safe_load(config["data"]["settings.yaml"])
    return settings


class Credentials:
    """A kubeconfig with a token of a service account of the chart.

    The token is bound to a Secret: when that is deleted, the API server refuses the token.

    Parameters
    ----------
    control_plane
        Whose API server.
    name
        Name of the file.
    folder
        Where it is.
    server
        Another address of the API server, for instance a relay's.
    namespace
        The operator's own.
    account
        The service account: the operator's, unless said otherwise.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        name: str,
        folder: Path,
        *,
        server: str = "",
        namespace: str = NAMESPACE,
        account: str = RELEASE,
    ) -> None:
        self._account = account
        self._here = f"--namespace={namespace}"
        self._kubectl = Kubectl(control_plane.kubeconfig)
        self._name = name
        self._count = 0
        self._token = ""
        self._cluster = {
            "server": server or control_plane.url,
            "certificate-authority": str(control_plane.ca),
        }
        self.kubeconfig = folder / f"{name}.kubeconfig"
        """Path of the kubeconfig."""
        self.rotate()

    @property
    def id(self) -> str:
        """Id of the current token, as the audit log has it."""
        claims = msgspec.json.decode(_base64(self._token.split(".")[1]))
        return f"JTI={claims['jti']}"

    def rotate(self) -> None:
        """Write a new token into the kubeconfig."""
        self._count += 1
        secret = f"{self._name}-{self._count}"
        self._kubectl.run("create", "secret", "generic", secret, self._here)
        bound = ("--bound-object-kind=Secret", f"--bound-object-name={secret}")
        self._token = self._kubectl.run(
            "create", "token", self._account, self._here, *bound
        ).strip()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "it", "cluster": self._cluster}],
            "users": [{"name": "it", "user": {"token": self._token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "current-context": "it",
        }
        self.kubeconfig.write_text(yaml.safe_dump(config))

    def revoke(self) -> None:
        """Make the API server refuse the current token (it remembers old answers for 10 s)."""
        secret = f"{self._name}-{self._count}"
        self._kubectl.run("delete", "secret", secret, self._here)


class OperatorProcess:
    """One replica: the real command with the chart's settings.

    Parameters
    ----------
    name
        Name of its files.
    credentials
        With which it asks the API server.
    settings
        The whole settings file; ports are chosen here.
    folder
        Where its log goes.
    """

    def __init__(
        self, name: str, credentials: Credentials, settings: Mapping[str, Any], folder: Path
    ) -> None:
        self.name = name
        self.credentials = credentials
        self._probes_port, self._metrics_port = free_ports(2)
        ports = {
            "host": "127.0.0.1",
            "probesPort": self._probes_port,
            "metricsPort": self._metrics_port,
        }
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump({**settings, "probes": ports}))
        self.log_file = folder / f"{name}.log"
        """What it wrote."""
        self._child = Child(
            f"operator {name}",
            [
                "env",
                f"KUBECONFIG={credentials.kubeconfig}",
                sys.executable,
                *("-m", "actor_operator", "operator", "--settings", str(file)),
            ],
            self.log_file,
        )
        self.running = True
        """False once it was ended here."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def check(self) -> None:
        """Do nothing while it runs.

        Raises
        ------
        ClusterToolError
            It has ended by itself.
        """
        self._child.check()

    def kill(self) -> None:
        """SIGKILL."""
        self.running = False
        self._child.kill()

    def stop(self) -> tuple[int, float]:
        """SIGTERM; returns its exit code and how many seconds it took."""
        self.running = False
        begun = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        code = self._child.wait()
        return code, time.monotonic() - begun

    def freeze(self) -> None:
        """SIGSTOP."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def wait_serving(self) -> None:
        """Wait until it runs, whether it reaches the API server or not; raises as `wait_ready`."""
        self._wait(lambda: bool(self.metrics), "does not serve")

    def wait_ready(self) -> None:
        """Wait until its caches are filled.

        Raises
        ------
        TimeoutError
            It takes too long.
        ClusterToolError
            It has ended.
        """
        self._wait(lambda: self._get(self._metrics_port, "/readyz") is not None, "is not ready")

    def wait_leading(self) -> None:
        """Wait until it leads; raises as `wait_ready`."""
        self._wait(lambda: self.leads, "does not lead")

    @property
    def leads(self) -> bool:
        """Whether it says that it leads."""
        return self.metric("actor_operator_leader") == 1

    @property
    def healthy(self) -> bool:
        """Whether its liveness probe would pass."""
        return self._get(self._probes_port, "/healthz") is not None

    def metric(self, line: str) -> float:
        """The value of a metric by the begin of its line; lines with several labels are added."""
        pattern = rf"^{re.escape(line)}.* ([0-9.e+-]+)$"
        return sum(float(value) for value in re.findall(pattern, self.metrics, re.MULTILINE))

    @property
    def metrics_address(self) -> str:
        """Host and port of its metrics."""
        return f"127.0.0.1:{self._metrics_port}"

    @property
    def metrics(self) -> str:
        """All of its metrics as text, empty when it does not answer."""
        return self._get(self._metrics_port, "/metrics") or ""

    def said(self, text: str = "") -> list[dict[str, Any]]:
        """Its log lines whose event holds a text."""
        lines = (msgspec.json.decode(line) for line in self.log_file.read_bytes().splitlines())
        return [line for line in lines if text in line["event"]]

    @property
    def raised(self) -> list[str]:
        """The tracebacks in its log: what it did not expect."""
        lines = self.said()
        return [f"{self.name} raised: {line['exception']}" for line in lines if "exception" in line]

    @property
    def memory_mbytes(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found.group(1)) / 1024 if found else 0.0

    @property
    def cpu_seconds(self) -> float:
        """Processor time since its start."""
        return cpu_seconds(self.pid)

    def _wait(self, done: Any, what: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not done():
            self.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} {what}. {self._child.log_tail()}")
            time.sleep(0.1)

    @staticmethod
    def _get(port: int, path: str) -> str | None:
        try:
            with LOCAL.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return None


def cpu_seconds(pid: int) -> float:
    """Processor time of a process since its start."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _base64(text: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
