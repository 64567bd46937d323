"""Links and routes between the hosts of a cluster; nothing touches the machine's own network."""

from collections.abc import Sequence

from tests.cluster_tool.hosts import Host

CONTROL_PLANE_ADDRESS = "10.99.0.10"
"""Address of the control plane's host, which also carries the bridge."""

_BRIDGE = "br0"


def node_address(number: int) -> str:
    """Address of node `number`, counted from 1."""
    return f"10.99.0.{10 + number}"


def pod_range(number: int) -> str:
    """Addresses of the pods of node `number`."""
    return f"10.244.{number}.0/24"


def connect(control_plane: Host, nodes: Sequence[Host]) -> None:
    """Join the hosts by a bridge, and route every node's pods."""
    control_plane.ip("link", "add", _BRIDGE, "type", "bridge")
    control_plane.ip("addr", "add", f"{CONTROL_PLANE_ADDRESS}/24", "dev", _BRIDGE)
    control_plane.ip("link", "set", _BRIDGE, "up")
    for number, node in enumerate(nodes, start=1):
        _plug_in(control_plane, node, number)
    for host in (control_plane, *nodes):
        for number, node in enumerate(nodes, start=1):
            if host is not node:
                host.ip("route", "add", pod_range(number), "via", node_address(number))


def _plug_in(control_plane: Host, node: Host, number: int) -> None:
    """One cable from a node to the bridge; it is made inside, so that nothing can be left behind.

    The way to everywhere else leads to the control plane's host, which has none and says so at
    once: a program that looks for the internet fails quickly.
    """
    cable = f"to-{node.name}"
    control_plane.ip(
        "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(node.pid)
    )
    control_plane.ip("link", "set", cable, "master", _BRIDGE, "up")
    node.ip("addr", "add", f"{node_address(number)}/24", "dev", "eth0")
    node.ip("link", "set", "eth0", "up")
    node.ip("route", "add", "default", "via", CONTROL_PLANE_ADDRESS)
