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
from tests.cluster_tool import containerd, members
from tests.cluster_tool.hosts import Host
from tests.cluster_tool.http_probe import wait_until
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
from tests.cluster_tool.http_probe import wait_until
Host(sys.argv[2], Path(sys.argv[1])).spawn(sys.argv[3], sys.argv[4:])
"""
"""Program that starts one of a node: arguments are the state folder, the node, the program's name
and its command line."""

PROGRAMS = ("containerd", "kubelet", "kube-proxy")
"""What runs on a node, in the order of its start."""

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
    os.kill(first_process(run_id), signal.SIGKILL)


@contextmanager
def frozen_shim(run_id: str) -> Iterator[None]:
    """Let the container runtime not reach a run's container, so that it cannot be stopped."""
    fields = Path(f"/proc/{first_process(run_id)}/stat").read_text().rpartition(")")[2].split()
    shim = int(fields[1])
    assert "shim" in _words(shim)[0], _words(shim)
    os.kill(shim, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(shim, signal.SIGCONT)


def first_process(run_id: str) -> int:
    """The process id of a run's container.

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
    return min(int(process.name) for process in found)


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
def smaller_node(cluster: str, node: str, mebibytes: int) -> Iterator[None]:
    """Let a node come back with less room for pods than it had; in the body it is away.

    It stays so until `restored_node`.
    """
    state = state_dir(cluster)
    file = state / "hosts" / node / "kubelet.yaml"
    settings = yaml.safe_load(file.read_text())
    with silent_node(cluster, node):
        yield
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
        reserved = {**settings["systemReserved"], "memory": f"{total - mebibytes}Mi"}
        file.with_suffix(".before").write_text(file.read_text())
        file.write_text(yaml.safe_dump({**settings, "systemReserved": reserved}))


def restore_node(cluster: str, node: str) -> None:
    """Undo `smaller_node`."""
    state = state_dir(cluster)
    file = state / "hosts" / node / "kubelet.yaml"
    file.with_suffix(".before").replace(file)
    restart_kubelet(state, node)


def cut_power(cluster: str, node: str) -> None:
    """Kill everything on a node at once, and start it again as after a reboot."""
    state = state_dir(cluster)
    started = {program: _started(state, node, program) for program in PROGRAMS}
    host = Host(node, state)
    # Kills all that this process may, but the first one of the host and itself.
    subprocess.run([*host.enter(), "kill", "-KILL", "-1"], check=False)
    for program, argv in started.items():
        _wait_gone(state, f"{node}/{program}")
        start_program(state, node, program, argv)
        if program == "containerd":  # without it a kubelet ends, and nobody starts it again here
            wait_until("containerd", lambda: containerd.answers(host), seconds=60, explain=str)


def _started(state: Path, node: str, program: str) -> list[str]:
    """Command line by which a program of a node was started, with its PATH."""
    mine = [m.pid for m in members.find(state) if m.role == f"{node}/{program}"]
    # What it has started, and what waits outside of the node for it, have its mark as well.
    (pid,) = (pid for pid in mine if Path(_words(pid)[0]).name == program)
    path = next(v for v in _environment(Path(f"/proc/{pid}")) if v.startswith(b"PATH="))
    return ["env", path.decode(), *_words(pid)]


@contextmanager
def frozen_runtime(cluster: str, node: str) -> Iterator[None]:
    """Let containerd of a node not answer."""
    state = state_dir(cluster)
    mine = [m.pid for m in members.find(state) if m.role == f"{node}/containerd"]
    (pid,) = (pid for pid in mine if Path(_words(pid)[0]).name == "containerd")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def silent_node(cluster: str, node: str) -> Iterator[None]:
    """Let nobody hear of a node: its kubelet is gone, and its containers go on."""
    state = state_dir(cluster)
    argv = kill_kubelet(state, node)
    try:
        yield
    finally:
        start_program(state, node, "kubelet", argv)


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
    start_program(state, node, "kubelet", kill_kubelet(state, node))


def kill_kubelet(state: Path, node: str) -> list[str]:
    """Kill a node's kubelet; returns its command line."""
    role = f"{node}/kubelet"
    mine = [member.pid for member in members.find(state) if member.role == role]
    # What entered the node's namespaces waits outside for the kubelet and has its marks.
    (pid,) = (pid for pid in mine if _words(pid)[0].endswith("kubelet"))
    argv = _words(pid)
    os.kill(pid, signal.SIGKILL)
    _wait_gone(state, role)
    return argv


def _wait_gone(state: Path, role: str) -> None:
    deadline = time.monotonic() + END_SECONDS
    while role in members.roles(state):
        assert time.monotonic() < deadline, f"{role} does not end"
        time.sleep(0.1)


def start_program(state: Path, node: str, program: str, argv: list[str]) -> None:
    """Start a program of a node by its command line."""
    # By a process of its own: what it starts outlives it, and is not this one's child.
    starting = [sys.executable, "-c", START, str(state), node, program, *argv]
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
