"""Hosts: namespaces that look like machines of their own to what runs in them.

A host's first process is `host_init.py`; when it ends, the kernel ends everything in the host,
shims and pods included, and no mount or network interface stays.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.cluster_tool import members
from tests.cluster_tool.child import log_tail
from tests.cluster_tool.commands import run
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.paths import SOURCE, cache_dir

PRIVATE = ("/run", "/var/lib", "/var/log")
"""Folders that programs of a node fill; each host has its own, in the state folder."""

SHIELDED_SYSCTLS = (
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/panic_on_oom",
    "/proc/sys/kernel/panic",
    "/proc/sys/kernel/panic_on_oops",
    "/proc/sys/kernel/keys/root_maxkeys",
    "/proc/sys/kernel/keys/root_maxbytes",
)
"""Settings of the whole machine that a kubelet writes."""

_NAMESPACES = ("--pid", "--mount", "--net", "--uts", "--ipc")


class Host:
    """One host of a cluster.

    Parameters
    ----------
    state
        The cluster's state folder; the host's own is beneath.
    """

    def __init__(self, name: str, state: Path) -> None:
        self.name = name
        self.folder = state / "hosts" / name
        self._state = state
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def pid(self) -> int:
        """Process id, seen from outside, of the host's first process.

        Raises
        ------
        ClusterToolError
            The host does not run.
        """
        for member in members.find(self._state):
            # `unshare`, which waits outside, has the same role.
            if member.role == f"{self.name}/host" and _is_first_process(member.pid):
                return member.pid
        raise ClusterToolError(f"Host {self.name} does not run. Run `down`, then `up`.")

    def start(self) -> None:
        """Make the namespaces and set them up.

        Raises
        ------
        ClusterToolError
            They could not be made; the message says why.
        """
        self.folder.mkdir(parents=True)
        settings = {
            "name": self.name,
            "folder": str(self.folder),
            "private": PRIVATE,
            "keep": [str(self._state), str(cache_dir())],
            "sysctls": SHIELDED_SYSCTLS,
        }
        argv = ["unshare", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
        argv += [*_NAMESPACES, sys.executable, "-I", "-S", str(SOURCE / "host_init.py")]
        starting = members.start_announcing(
            self._state, f"{self.name}/host", [*argv, json.dumps(settings)]
        )
        starting.wait_ready(
            f"Host {self.name} could not be made. Namespaces need root and a kernel that allows "
            "them."
        )

    def enter(self, *namespaces: str) -> list[str]:
        """Words before a command that runs it inside, in all namespaces or only in some."""
        return ["nsenter", "-t", str(self.pid), *(namespaces or _NAMESPACES), "--"]

    def run(self, *argv: str | Path) -> str:
        """Run a command inside to its end."""
        return run([*self.enter(), *argv])

    def ip(self, *arguments: str) -> None:
        """Run ip(8) in the host's network, with process ids as they are outside."""
        run([*self.enter("--net"), "ip", *arguments])

    def spawn(self, program: str, argv: Sequence[str | Path]) -> None:
        """Start a program inside that outlives the tool."""
        self._started[program] = members.start(
            self._state, f"{self.name}/{program}", [*self.enter(), *map(str, argv)]
        )

    def check(self, program: str) -> bool:
        """True while a program that was started by this object runs.

        Raises
        ------
        ClusterToolError
            It has ended; the message holds the end of its log.
        """
        code = self._started[program].poll()
        if code is not None:
            raise ClusterToolError(
                f"{program} on {self.name} ended with code {code}. {log_tail(self.log(program))}"
            )
        return True

    def log(self, program: str) -> Path:
        """Log file of a program on this host."""
        return members.log_file(self._state, f"{self.name}/{program}")


def _is_first_process(pid: int) -> bool:
    """Whether a process is number 1 in its innermost pid namespace."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    numbers = [line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")]
    return bool(numbers) and numbers[0][-1] == "1"
