"""Where the operator's processor time goes: py-spy looks at it a hundred times a second."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster_tool.commands import DIE_WITH_PARENT

PROGRAM = Path(sys.executable).parent / "py-spy"
"""Of the same environment."""

PARTS = {
    "pure core (lifecycle, desired)": ("actor_operator/lifecycle", "actor_operator/desired"),
    "HTTP client": ("aiohttp", "yarl", "multidict"),
    "TLS": ("ssl.py",),
    "calls (kube)": ("actor_operator/kube",),
    "informers, stores, queue (engine)": ("actor_operator/engine",),
    "reconciling (reconcile)": ("actor_operator/reconcile",),
    "metrics": ("prometheus_client",),
    "models of pods (pydantic)": ("pydantic", "kubernetes/client"),
}
"""What frames belong to; of a stack the innermost frame that belongs to something counts."""

REST = "event loop, sockets, TLS in C"
"""What is left: uvloop has no frames of its own here."""


@contextmanager
def profiled(pid: int, path: Path) -> Iterator[None]:
    """Look at a program while the body runs; the stacks are written to a file.

    Nothing is written where the kernel does not let us look (see kernel.yama.ptrace_scope).
    """
    options = ("--rate=100", "--format=raw", "--nonblocking", f"--output={path}")
    command = [*DIE_WITH_PARENT, str(PROGRAM), "record", f"--pid={pid}", *options]
    with path.with_suffix(".log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.send_signal(2)  # as Ctrl-C: it writes what it has
        child.wait(timeout=60)


def shares(path: Path) -> dict[str, float]:
    """Which share of its processor time each part took, the largest first."""
    found: Counter[str] = Counter()
    for line in path.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        found[_part(stack.split(";"))] += int(count)
    return {part: count / found.total() for part, count in found.most_common()}


def _part(frames: list[str]) -> str:
    for frame in reversed(frames):
        for part, marks in PARTS.items():
            if any(mark in frame for mark in marks):
                return part
    return REST
