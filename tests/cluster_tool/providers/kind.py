"""Provider `kind`: Kubernetes in Docker, where a Docker engine answers."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from tests.cluster_tool import addons, state
from tests.cluster_tool.commands import run
from tests.cluster_tool.errors import ClusterToolError, MissingError
from tests.cluster_tool.images import catalog
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.lock import exclusive
from tests.cluster_tool.paths import state_dir
from tests.cluster_tool.ports import preferred_or_free
from tests.cluster_tool.progress import say, step
from tests.cluster_tool.providers.base import Provider, Report, Request
from tests.cluster_tool.state import ClusterState
from typing_extensions import override

_ENGINE_SECONDS = 10


def docker_answers() -> bool:
    """Whether a Docker engine can be reached; a `docker` program alone is not one."""
    docker = shutil.which("docker")
    if not docker:
        return False
    argv = [docker, "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(argv, capture_output=True, check=False, timeout=_ENGINE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


class KindProvider(Provider):
    """A cluster whose nodes are Docker containers."""

    name = "kind"

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._state = state_dir(cluster)

    @override
    def up(self, request: Request) -> None:
        if request.simulated_nodes:
            raise ClusterToolError("Simulated nodes come with CLUSTER=local only.")
        kind = _kind()
        with exclusive(self._state):
            if self._exists(kind):
                say(f"  Cluster {self._cluster} is up already.")
                return
            http_port = preferred_or_free(request.http_port)
            if http_port != request.http_port:
                say(f"  Port {request.http_port} is taken: using {http_port} instead.")
            known = ClusterState(self.name, request.nodes, 0, 0, http_port, ready=True)
            known.save(self._state)
            try:
                self._create(kind, request.nodes, http_port)
            except BaseException:
                self._remove(kind)
                raise

    @override
    def down(self) -> None:
        with exclusive(self._state), step("Removing the cluster"):
            self._remove(_kind())

    @override
    def status(self) -> Report | None:
        if not self._exists(_kind()):
            return None
        try:
            nodes = Kubectl(self.kubeconfig()).run("get", "nodes", "--no-headers")
        except ClusterToolError as error:
            return Report(healthy=False, lines=(("API server", f"NOT READY: {error}"),))
        lines = tuple((line.split()[0], line.split()[1]) for line in nodes.splitlines())
        return Report(healthy=all(ready == "Ready" for _, ready in lines), lines=lines)

    @override
    def load_images(self, archives: Sequence[Path]) -> None:
        for archive in archives:
            with step(f"Loading {archive.name}"):
                run([_kind(), "load", "image-archive", archive, "--name", self._cluster])

    @override
    def kubeconfig(self) -> Path:
        return self._state / "kubeconfig"

    @override
    def http_port(self) -> int | None:
        known = state.load(self._state)
        return known.http_port if known else None

    def _exists(self, kind: Path) -> bool:
        return self._cluster in run([kind, "get", "clusters"]).split()

    def _create(self, kind: Path, nodes: int, http_port: int) -> None:
        with step("Creating the kind cluster"):
            argv = [str(kind), "create", "cluster", "--name", self._cluster, "--config", "-"]
            argv += ["--kubeconfig", str(self.kubeconfig()), "--wait", "120s"]
            run(argv, stdin=yaml.safe_dump(_config(nodes, http_port)))
        self.load_images([catalog.archive(image) for image in catalog.CLUSTER_IMAGES])
        with step("Installing Traefik"):
            kubectl = Kubectl(self.kubeconfig())
            addons.apply(kubectl, with_dns=False)
            kubectl.run("-n", "traefik", "rollout", "status", "deployment/traefik", "--timeout=90s")

    def _remove(self, kind: Path) -> None:
        run([kind, "delete", "cluster", "--name", self._cluster])
        shutil.rmtree(self._state, ignore_errors=True)


def _kind() -> Path:
    """The program `kind`, where it can work.

    Raises
    ------
    MissingError
        There is no Docker engine, or no kind.
    """
    if not docker_answers():
        raise MissingError(
            "CLUSTER=kind needs a Docker engine, and none answers (`docker version` shows why). "
            "As root on Linux, CLUSTER=local needs none."
        )
    found = shutil.which("kind")
    if not found:
        raise MissingError("CLUSTER=kind needs the program `kind` on PATH: install it.")
    return Path(found)


def _config(nodes: int, http_port: int) -> dict[str, Any]:
    """kind's configuration: the ingress port on this machine, on 127.0.0.1 only."""
    mapping = {"containerPort": 80, "hostPort": http_port, "listenAddress": "127.0.0.1"}
    first = {
        "role": "control-plane",
        "labels": {addons.INGRESS_LABEL: "true"},
        "extraPortMappings": [mapping],
    }
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [first, *({"role": "worker"} for _ in range(nodes - 1))],
    }
