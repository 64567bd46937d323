"""First process of a host: sets up its namespaces, then waits and reaps.

Started as a script by `unshare`, with the standard library only, so that it is small and needs
nothing of this package. It prints one line, `ready`, when the host can be used.

Arguments: a JSON object {"name", "folder", "private", "keep", "sysctls"}.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any


def mount(*arguments: str) -> None:
    """Call mount(8)."""
    subprocess.run(["mount", *arguments], check=True, stdin=subprocess.DEVNULL)


def make_private(folder: Path, paths: list[str], keep: list[str]) -> None:
    """Give the host its own empty `paths`, while every path of `keep` stays reachable."""
    kept = [(path, os.open(path, os.O_PATH | os.O_DIRECTORY)) for path in keep]
    for path in paths:
        own = folder / "root" / path.lstrip("/")
        own.mkdir(parents=True, exist_ok=True)
        mount("--bind", str(own), path)
    for path, descriptor in kept:
        if not Path(path).exists() or not os.path.samestat(Path(path).stat(), os.fstat(descriptor)):
            Path(path).mkdir(parents=True, exist_ok=True)
            # Not canonicalised: the link leads to the folder behind what now covers it.
            mount("--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{descriptor}", path)
        os.close(descriptor)


def shield_sysctls(folder: Path, paths: list[str]) -> None:
    """Cover settings of the whole machine with plain files: a kubelet changes only those."""
    for path in paths:
        if not Path(path).exists():
            continue
        cover = folder / "sysctls" / path.lstrip("/").replace("/", ".")
        cover.parent.mkdir(parents=True, exist_ok=True)
        cover.write_text(Path(path).read_text())
        mount("--bind", str(cover), path)


def own_resolver(folder: Path) -> None:
    """Name lookups of the host's programs fail at once instead of hanging."""
    own = folder / "resolv.conf"
    own.write_text("nameserver 127.0.0.1\n")
    # On many machines it is a link into /run, which is empty by now.
    target = Path("/etc/resolv.conf").resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    mount("--bind", str(own), str(target))


def set_up(settings: dict[str, Any]) -> None:
    """Everything between the start of the namespaces and their use."""
    folder = Path(settings["folder"])
    mount("--make-rshared", "/")
    make_private(folder, settings["private"], settings["keep"])
    Path("/run/netns").mkdir(exist_ok=True)
    shield_sysctls(folder, settings["sysctls"])
    own_resolver(folder)
    socket.sethostname(settings["name"])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    Path("/proc/sys/net/ipv4/conf/all/route_localnet").write_text("1")


def reap_for_ever() -> None:
    """Take leave of every process whose parent has gone."""
    while True:
        signal.sigwait({signal.SIGCHLD})
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            continue


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    set_up(json.loads(sys.argv[1]))
    os.write(1, b"ready\n")
    # The tool waits for the end of this output only if the start failed.
    os.dup2(2, 1)
    reap_for_ever()
