"""etcd, containerd and what they need, and Prometheus for tests, from Debian's packages."""

import os
from pathlib import Path

from tests.cluster_tool import debian

SUITE = "forky"
"""Debian suite with containerd 2, etcd 3.5 and Prometheus 3; they run on Debian 12 as they are."""

NODE_TOOLS = {
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "iptables": "iptables",
    "nft": "nftables",
    "ip": "iproute2",
    "conntrack": "conntrack",
    "socat": "socat",
    "ethtool": "ethtool",
    "busybox": "busybox-static",
}
"""Programs that a node calls, and the Debian package of each."""


def ensure_etcd() -> Path:
    """etcd, from the folder `KUBEBUILDER_ASSETS` if it is there."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (given := Path(assets) / "etcd").is_file():
        return given
    return debian.unpacked(SUITE, ["etcd-server"]) / "usr/bin/etcd"


def ensure_containerd() -> Path:
    """Folder with containerd, its shim and ctr."""
    return debian.unpacked(SUITE, ["containerd"]) / "usr/bin"


def ensure_prometheus() -> Path:
    """Folder with prometheus and promtool."""
    return debian.unpacked(SUITE, ["prometheus", "promtool"]) / "usr/bin"
