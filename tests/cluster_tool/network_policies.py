"""Enforces NetworkPolicies on the nodes of a local cluster, whose own pod network does not.

The program is kube-router's controller for them, of a pinned Go module, and nothing else of it. It
is compiled when it is first wanted.
"""

import hashlib
import os
from pathlib import Path

from tests.cluster_tool import argv, debian, kubeconfig, members, network, toolchain
from tests.cluster_tool.cache import made_once
from tests.cluster_tool.commands import run
from tests.cluster_tool.hosts import Host
from tests.cluster_tool.http_probe import wait_until
from tests.cluster_tool.paths import SOURCE, cache_dir
from tests.cluster_tool.pki import KeyPair
from tests.cluster_tool.progress import say, step

MODULE = SOURCE / "network-policies"
"""Folder of the Go module with the program."""

ROLE = "network-policies"
"""What the program is called on each node."""

TOOLS = {"ipset": "ipset", "iptables": "iptables"}
"""Programs that it calls, and the Debian package of each."""

READY_LINE = b"Starting network policy controller full sync goroutine"
"""What it writes when it has begun."""


def enforce(state: Path, cluster: str, nodes: list[str]) -> None:
    """Enforce NetworkPolicies on every node from now on.

    Parameters
    ----------
    state
        The cluster's state folder.
    cluster
        Its name.
    nodes
        Names of its nodes.

    Raises
    ------
    ClusterToolError
        The program cannot be had, or has ended.
    """
    with step("Looking for what enforces NetworkPolicies"):
        debian.install_missing(TOOLS)
        program = _ensure_program()
    running = members.roles(state)
    with step(f"Enforcing NetworkPolicies on {len(nodes)} node(s)"):
        for host in (Host(name, state) for name in nodes):
            if f"{host.name}/{ROLE}" not in running:
                host.spawn(ROLE, _command(program, host, state, cluster))
                _wait(host)


def release(state: Path, cluster: str, nodes: list[str]) -> None:
    """Enforce nothing any more, and take the rules away.

    Raises
    ------
    ClusterToolError
        They could not be taken away.
    """
    with step("Removing the rules of NetworkPolicies"):
        for host in (Host(name, state) for name in nodes):
            members.kill_all(state, f"{host.name}/{ROLE}")
            host.run(*_command(_ensure_program(), host, state, cluster), "-remove")


def _command(program: Path, host: Host, state: Path, cluster: str) -> list[str | Path]:
    keys = state / "pki"
    user = kubeconfig.write(
        host.folder / f"{ROLE}.kubeconfig",
        server=f"https://{network.CONTROL_PLANE_ADDRESS}:6443",
        ca=keys / "ca.crt",
        client=KeyPair(keys / "admin.crt", keys / "admin.key"),
        name=cluster,
    )
    path = f"PATH={os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    options = [f"-kubeconfig={user}", f"-node={host.name}", f"-services={argv.SERVICE_RANGE}"]
    return ["env", path, program, *options]


def _wait(host: Host) -> None:
    log = host.log(ROLE)
    wait_until(
        f"{ROLE} on {host.name}",
        lambda: host.check(ROLE) and READY_LINE in log.read_bytes(),
        seconds=30,
        explain=lambda: f"Its log is {log}.",
    )


def _ensure_program() -> Path:
    digest = hashlib.sha256(os.uname().machine.encode())
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((MODULE / name).read_bytes())
    name = f"{ROLE}-{digest.hexdigest()[:16]}"
    return made_once(cache_dir() / "programs" / name, _compile)


def _compile(program: Path) -> None:
    say("  Compiling what enforces NetworkPolicies: once, about two minutes on two cores.")
    environment = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    words = ["nice", str(toolchain.ensure_go()), "build", "-trimpath", "-ldflags", "-s -w", "-o"]
    advice = "The Go module proxy must be reachable; `go env GOPROXY` names it."
    run([*words, program, "."], env=environment, cwd=MODULE, advice=advice)
