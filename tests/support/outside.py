"""What lies outside a local cluster: a host that answers at addresses of a test's choice.

Nothing of it touches the machine's own network, or leaves the machine.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.cluster_tool import members
from tests.cluster_tool.hosts import Host
from tests.cluster_tool.local_cluster import CONTROL_PLANE
from tests.cluster_tool.paths import CHECKOUT, state_dir

HOST = "outside"
"""Name of the host."""

NEAR, FAR = "10.99.1.1", "10.99.1.2"
"""Addresses of the cable to it, at the control plane's end and at its own."""

SERVER = """
import socketserver
class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"outside")
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("", 80), Answer).serve_forever()
"""
"""A program that answers at port 80 of all addresses."""


@contextmanager
def answering_at(cluster: str, addresses: Sequence[str]) -> Iterator[None]:
    """Let a host beside the nodes answer at some addresses; pods reach it unless forbidden."""
    state = state_dir(cluster)
    try:
        # A program of its own: what it starts outlives it, and this process has no more children.
        command = [sys.executable, "-m", "tests.support.outside", cluster, *addresses]
        subprocess.run(command, cwd=CHECKOUT, check=True)
        yield
    finally:
        for role in (f"{HOST}/web", f"{HOST}/host"):
            members.kill_all(state, role)
        shutil.rmtree(Host(HOST, state).folder, ignore_errors=True)


def make(cluster: str, addresses: Sequence[str]) -> None:
    """Make the host, connect it with the control plane's, and let it answer.

    The cable is made inside, and goes with the host.
    """
    state = state_dir(cluster)
    inside, outside = Host(CONTROL_PLANE, state), Host(HOST, state)
    outside.start()
    pid = str(outside.pid)
    inside.ip("link", "add", HOST, "type", "veth", "peer", "name", "eth0", "netns", pid)
    inside.ip("addr", "add", f"{NEAR}/30", "dev", HOST)
    inside.ip("link", "set", HOST, "up")
    outside.ip("addr", "add", f"{FAR}/30", "dev", "eth0")
    outside.ip("link", "set", "eth0", "up")
    outside.ip("route", "add", "default", "via", NEAR)
    for address in addresses:
        outside.ip("addr", "add", f"{address}/32", "dev", "lo")
        inside.ip("route", "add", f"{address}/32", "via", FAR)
    outside.spawn("web", [sys.executable, "-I", "-S", "-c", SERVER])


if __name__ == "__main__":
    make(sys.argv[1], sys.argv[2:])
