"""Find and end the processes of one cluster, also those of a tool that was killed.

Each process that the tool leaves running carries a mark in its environment, so no list on disk
has to be right for a teardown to be complete.
"""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster_tool.child import log_tail
from tests.cluster_tool.errors import ClusterToolError

_STATE_MARK = "ACTOR_OPERATOR_CLUSTER_STATE"
_ROLE_MARK = "ACTOR_OPERATOR_CLUSTER_ROLE"

_KILL_SECONDS = 20.0


@dataclass(frozen=True)
class Member:
    """A running process of a cluster."""

    pid: int
    role: str
    """What it was started as, e.g. `node1/kubelet`; its children share it."""


class Starting:
    """A member that prints `ready` on its output once it can be used."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    def wait_ready(self, advice: str) -> None:
        """Wait for its word.

        Raises
        ------
        ClusterToolError
            It ended without; the message holds the advice and the end of its log.
        """
        if self._process.stdout is None or self._process.stdout.readline() != b"ready\n":
            raise ClusterToolError(f"{advice} {log_tail(self._log)}")

    def reap(self) -> None:
        """Close its output and take leave of it, once it has ended."""
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()


def start(state: Path, role: str, argv: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a process that outlives the tool, marked, with its output in a log file."""
    return _popen(state, role, argv, None)


def start_announcing(state: Path, role: str, argv: Sequence[str]) -> Starting:
    """Start a process that outlives the tool and says when it is ready."""
    return Starting(_popen(state, role, argv, subprocess.PIPE), log_file(state, role))


def log_file(state: Path, role: str) -> Path:
    """Log of a member."""
    return state / "logs" / f"{role.replace('/', '.')}.log"


def _popen(
    state: Path, role: str, argv: Sequence[str], stdout: int | None
) -> subprocess.Popen[bytes]:
    log = log_file(state, role)
    log.parent.mkdir(parents=True, exist_ok=True)
    marks = {_STATE_MARK: str(state), _ROLE_MARK: role}
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            env={**os.environ, **marks},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output if stdout is None else stdout,
            stderr=output,
            # Neither the terminal's Ctrl-C nor its end is for the cluster.
            start_new_session=True,
        )


def find(state: Path) -> list[Member]:
    """All running processes of the cluster with this state folder."""
    wanted = f"{_STATE_MARK}={state}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        variables = _environment(entry)
        if wanted in variables:
            prefix = f"{_ROLE_MARK}=".encode()
            roles = [v.removeprefix(prefix).decode() for v in variables if v.startswith(prefix)]
            found.append(Member(int(entry.name), roles[0] if roles else ""))
    return found


def roles(state: Path) -> set[str]:
    """What of a cluster is running."""
    return {member.role for member in find(state)}


def kill_all(state: Path, role: str | None = None) -> int:
    """End every process of a cluster and wait until none is left; returns how many were found.

    Parameters
    ----------
    role
        Only the processes of this role.

    Raises
    ------
    ClusterToolError
        Some did not end.
    """
    deadline = time.monotonic() + _KILL_SECONDS
    seen: set[int] = set()
    while members := [m for m in find(state) if role in {None, m.role}]:
        for member in members:
            seen.add(member.pid)
            _kill(member.pid, state)
        if time.monotonic() > deadline:
            left = ", ".join(f"{m.pid} ({m.role})" for m in members)
            raise ClusterToolError(f"These processes did not end: {left}. Try `down` again.")
        time.sleep(0.05)
    return len(seen)


def _kill(pid: int, state: Path) -> None:
    """Kill a process, unless its number has meanwhile gone to another one."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if f"{_STATE_MARK}={state}".encode() in _environment(Path(f"/proc/{pid}")):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)


def _environment(entry: Path) -> list[bytes]:
    """Environment of a process; empty when it has ended, is a zombie or is not ours to see."""
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
