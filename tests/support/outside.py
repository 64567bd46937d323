"""What lies outside a local cluster: a host that answers at addresses of a test's choice.

Nothing of it touches the machine's own network, or leaves the machine.
"""

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.cluster_tool import members
from tests.cluster_tool.hosts import Host
from tests.cluster_tool.local_cluster import CONTROL_PLANE
from tests.cluster_tool.paths import state_dir

HOST = "outside"
"""Name of the host."""

NEAR, FAR = "10.99.1.1/30", "10.99.1.2/30"
"""Addresses of the cable to it, at the control plane's end and at its own."""

ANSWER = b"outside\n"
"""What it answers."""

SERVER = f"""
import socketserver
class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(4096)
        self.request.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + {ANSWER!r})
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("0.0.0.0", 80), Answer).serve_forever()
"""
"""A web server, at port 80 of all addresses."""


@contextmanager
def answering_at(cluster: str, addresses: Sequence[str]) -> Iterator[None]:
    """Let a host beside the nodes answer at some addresses; pods reach it unless forbidden."""
    state = state_dir(cluster)
    inside, outside = Host(CONTROL_PLANE, state), Host(HOST, state)
    outside.start()
    try:
        _connect(inside, outside, addresses)
        outside.spawn("web", [sys.executable, "-I", "-S", "-c", SERVER])
        yield
    finally:
        for role in (f"{HOST}/web", f"{HOST}/host"):
            members.kill_all(state, role)
        shutil.rmtree(outside.folder)


def _connect(inside: Host, outside: Host, addresses: Sequence[str]) -> None:
    """One cable, made inside: it goes with the host."""
    pid = str(outside.pid)
    inside.ip("link", "add", HOST, "type", "veth", "peer", "name", "eth0", "netns", pid)
    inside.ip("addr", "add", NEAR, "dev", HOST)
    inside.ip("link", "set", HOST, "up")
    outside.ip("addr", "add", FAR, "dev", "eth0")
    outside.ip("link", "set", "eth0", "up")
    outside.ip("route", "add", "default", "via", NEAR.partition("/")[0])
    for address in addresses:
        outside.ip("addr", "add", f"{address}/32", "dev", "lo")
        inside.ip("route", "add", f"{address}/32", "via", FAR.partition("/")[0])
