"""Provider `local`: a real Kubernetes in namespaces of this Linux machine."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.cluster_tool import (
    cgroups,
    containerd,
    members,
    network_policies,
    prerequisites,
    state,
)
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.hosts import Host
from tests.cluster_tool.http_probe import wait_until
from tests.cluster_tool.interrupts import deferred
from tests.cluster_tool.local_cluster import LocalCluster, node_names
from tests.cluster_tool.lock import exclusive
from tests.cluster_tool.paths import state_dir
from tests.cluster_tool.ports import preferred_or_free
from tests.cluster_tool.progress import say, step
from tests.cluster_tool.providers.base import Provider, Report, Request
from tests.cluster_tool.readiness import Readiness
from tests.cluster_tool.state import ClusterState
from typing_extensions import override

_READY_SECONDS = 60.0


class LocalProvider(Provider):
    """A cluster whose hosts are namespaces."""

    name = "local"

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._state = state_dir(cluster)

    @override
    def up(self, request: Request) -> None:
        prerequisites.check_machine()
        with exclusive(self._state):
            if self._is_up(request):
                return
            inventory = prerequisites.prepare()
            wanted = self._choose_ports(request)
            try:
                wanted.save(self._state)
                LocalCluster(self._cluster, self._state, wanted, inventory).start()
                replace(wanted, ready=True).save(self._state)
            except BaseException:
                with deferred():
                    say("  The start did not come to its end: removing what there is of it.")
                    self._remove()
                raise

    @override
    def down(self) -> None:
        with exclusive(self._state), deferred():
            if self._exists():
                with step("Removing the cluster"):
                    self._remove()
            else:
                say("  There is no such cluster.")

    @override
    def status(self) -> Report | None:
        known = state.load(self._state)
        if known is None:
            return None
        running = members.roles(self._state)
        expected = LocalCluster.roles(known)
        programs = [(role, "running" if role in running else "NOT RUNNING") for role in expected]
        findings = Readiness(self._state, known).all()
        parts = [(what, "ready" if ok else f"NOT READY: {why}") for what, ok, why in findings]
        ready = known.ready and all(ok for _, ok, _ in findings)
        return Report(ready and set(expected) <= running, (*programs, *parts))

    @override
    def load_images(self, archives: Sequence[Path]) -> None:
        known = state.load(self._state)
        if known is None:
            raise ClusterToolError("There is no such cluster: run `up` first.")
        hosts = [Host(name, self._state) for name in node_names(known.nodes)]
        names = ", ".join(path.name for path in archives)
        with step(f"Loading {names} into {len(hosts)} node(s)"):
            for started in [containerd.Import(host, archives) for host in hosts]:
                started.wait()

    @override
    def enforce_network_policies(self, *, on: bool) -> None:
        known = state.load(self._state)
        if known is None:
            raise ClusterToolError("There is no such cluster: run `up` first.")
        change = network_policies.enforce if on else network_policies.release
        change(self._state, self._cluster, node_names(known.nodes))

    @override
    def kubeconfig(self) -> Path:
        return self._state / "kubeconfig"

    @override
    def http_port(self) -> int | None:
        known = state.load(self._state)
        return known.http_port if known else None

    def _exists(self) -> bool:
        return self._state.exists() or bool(members.find(self._state))

    def _is_up(self, request: Request) -> bool:
        """Whether the wanted cluster runs already; what is left of a broken one is removed.

        Raises
        ------
        ClusterToolError
            A cluster of this name runs with other options.
        """
        known = state.load(self._state) if self._exists() else None
        if known and known.ready:
            asked = (request.nodes, request.simulated_nodes)
            has = (known.nodes, known.simulated_nodes)
            if asked != has:
                raise ClusterToolError(
                    f"Cluster {self._cluster} runs with {has[0]} node(s) and {has[1]} simulated "
                    f"one(s), not {asked[0]} and {asked[1]}. Run `down` first."
                )
            if set(LocalCluster.roles(known)) <= members.roles(self._state):
                self._wait_until_ready(known)
                return True
        if self._exists():
            with step("Removing what is left of an earlier cluster that is not well"):
                self._remove()
        return False

    def _wait_until_ready(self, known: ClusterState) -> None:
        """A cluster whose programs all run is never removed by `up`: it may only be slow.

        Raises
        ------
        ClusterToolError
            It did not become ready.
        """
        readiness = Readiness(self._state, known)
        with step(f"Cluster {self._cluster} runs already: asking whether it is ready"):
            wait_until(
                "The cluster",
                lambda: all(ok for _, ok, _ in readiness.all()),
                seconds=_READY_SECONDS,
                explain=lambda: f"{readiness.explain()} Run `down`, then `up`, for a new one.",
            )

    def _choose_ports(self, request: Request) -> ClusterState:
        api, http = preferred_or_free(request.api_port), preferred_or_free(request.http_port)
        for wanted, chosen in ((request.api_port, api), (request.http_port, http)):
            if wanted != chosen:
                say(f"  Port {wanted} is taken: using {chosen} instead.")
        return ClusterState(self.name, request.nodes, request.simulated_nodes, api, http)

    def _remove(self) -> None:
        """End all processes; mounts and networks end with them; then groups and files."""
        members.kill_all(self._state)
        cgroups.remove(self._cluster)
        shutil.rmtree(self._state, ignore_errors=True)
        if self._state.exists():
            raise ClusterToolError(
                f"{self._state} cannot be removed. Look for what is mounted there."
            )
