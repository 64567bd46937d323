"""What only the machine under a local cluster can do to its nodes and containers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from tests.cluster_tool import members
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.paths import CHECKOUT, state_dir

PRESSURE = {
    "evictionSoft": {"memory.available": "99%"},
    "evictionSoftGracePeriod": {"memory.available": "1s"},
    "evictionMaxPodGracePeriod": 5,
    "evictionPressureTransitionPeriod": "5s",
}
"""A kubelet with this takes its node to be short of memory: it never has so much available."""

START = """
import sys
from pathlib import Path
from tests.cluster_tool.hosts import Host
Host(sys.argv[2], Path(sys.argv[1])).spawn("kubelet", sys.argv[3:])
"""
"""Program that starts a kubelet: arguments are the state folder, the node and its command line."""

BEGIN_SECONDS = 30.0
"""How long a container that was started may take to run its program."""

END_SECONDS = 10.0
"""How long a killed process may take to be gone."""


def kill_container(run_id: str) -> None:
    """Kill the first process of a run's container from outside, as an administrator can.

    Raises
    ------
    AssertionError
        There is no such process.
    """
    wanted = f"ACTOR_RUN_ID={run_id}".encode()
    deadline = time.monotonic() + BEGIN_SECONDS
    while not (found := [p for p in _processes() if wanted in _environment(p)]):
        assert time.monotonic() < deadline, f"no process of run {run_id}"
        time.sleep(0.2)
    os.kill(min(int(process.name) for process in found), signal.SIGKILL)


@contextmanager
def short_of_memory(cluster: str, node: str) -> Iterator[None]:
    """Make a node's kubelet take it to be short of memory, and evict pods one after the other."""
    state = state_dir(cluster)
    file = state / "hosts" / node / "kubelet.yaml"
    before = file.read_text()
    file.write_text(yaml.safe_dump({**yaml.safe_load(before), **PRESSURE}))
    restart_kubelet(state, node)
    try:
        yield
    finally:
        file.write_text(before)
        restart_kubelet(state, node)


@contextmanager
def silent_node(cluster: str, node: str) -> Iterator[None]:
    """Let nobody hear of a node: its kubelet is gone, and its containers go on."""
    state = state_dir(cluster)
    argv = kill_kubelet(state, node)
    try:
        yield
    finally:
        start_kubelet(state, node, argv)


@contextmanager
def cordoned(kubectl: Kubectl, node: str) -> Iterator[None]:
    """Let no new pod come to a node."""
    kubectl.run("cordon", node)
    try:
        yield
    finally:
        kubectl.run("uncordon", node)


def restart_kubelet(state: Path, node: str) -> None:
    """Kill a node's kubelet and start it again; containers go on."""
    start_kubelet(state, node, kill_kubelet(state, node))


def kill_kubelet(state: Path, node: str) -> list[str]:
    """Kill a node's kubelet; returns its command line."""
    role = f"{node}/kubelet"
    mine = [member.pid for member in members.find(state) if member.role == role]
    # What entered the node's namespaces waits outside for the kubelet and has its marks.
    (pid,) = (pid for pid in mine if _words(pid)[0].endswith("kubelet"))
    argv = _words(pid)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + END_SECONDS
    while role in members.roles(state):
        assert time.monotonic() < deadline, f"{role} does not end"
        time.sleep(0.1)
    return argv


def start_kubelet(state: Path, node: str, argv: list[str]) -> None:
    """Start a node's kubelet by its command line."""
    # By a process of its own: what it starts outlives it, and is not this one's child.
    starting = [sys.executable, "-c", START, str(state), node, *argv]
    subprocess.run(starting, check=True, cwd=CHECKOUT)


def _words(pid: int) -> list[str]:
    """Command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")


def _processes() -> list[Path]:
    return [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(process: Path) -> list[bytes]:
    """Environment of a process; empty when it has none for us."""
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
