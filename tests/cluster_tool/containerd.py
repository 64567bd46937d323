"""containerd on one node."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.cluster_tool import debian_programs, network
from tests.cluster_tool.child import log_tail
from tests.cluster_tool.commands import DIE_WITH_PARENT
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.hosts import Host
from tests.cluster_tool.http_probe import wait_until
from tests.cluster_tool.images import catalog
from tests.cluster_tool.progress import say

SOCKET = "/run/containerd/containerd.sock"
"""Where it listens, as seen on the node."""

_OVERLAY_MAGIC = "794c7630"
"""File system type of a container's root, on which no further overlay can be put."""

_CONFIG = """\
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "{snapshotter}"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "{pause}"
[plugins.'io.containerd.cri.v1.runtime']
  disable_apparmor = true
  # Without CAP_SYS_RESOURCE (as in many containers) runc may not lower it, and would fail.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      snapshotter = "{snapshotter}"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "/usr/sbin/runc"
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{network_folder}"
"""


def start(host: Host, number: int) -> None:
    """Start containerd on node `number`, with its pod network."""
    network_folder = host.folder / "cni"
    network_folder.mkdir()
    (network_folder / "10-pods.conflist").write_text(json.dumps(_pod_network(number)))
    config = host.folder / "containerd.toml"
    values = {
        "socket": SOCKET,
        "snapshotter": _snapshotter(host.folder),
        "pause": catalog.PAUSE,
        "network_folder": network_folder,
    }
    config.write_text(_CONFIG.format(**values))
    programs = debian_programs.ensure_containerd()
    # The shim is looked for on PATH.
    path = f"PATH={programs}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    host.spawn("containerd", ["env", path, programs / "containerd", "--config", config])


def wait_ready(host: Host) -> None:
    """Wait until containerd answers."""
    wait_until(
        f"containerd on {host.name}",
        lambda: host.check("containerd") and answers(host),
        seconds=60,
        explain=lambda: log_tail(host.log("containerd")),
    )


class Import:
    """Images on their way into one node; runs beside other steps until `wait`."""

    def __init__(self, host: Host, archives: Sequence[Path]) -> None:
        self._host = host
        words = ["sh", "-ec", _IMPORT_SCRIPT, "sh", str(_ctr()), *map(str, archives)]
        self._process = subprocess.Popen(
            [*DIE_WITH_PARENT, *host.enter(), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Wait until the node has every image.

        Raises
        ------
        ClusterToolError
            An archive could not be loaded.
        """
        _, errors = self._process.communicate()
        if self._process.returncode != 0:
            raise ClusterToolError(
                f"An image could not be loaded into {self._host.name}: {errors.strip()}"
            )


_IMPORT_SCRIPT = f"""\
ctr=$1; shift
for archive; do "$ctr" --address {SOCKET} --namespace k8s.io images import "$archive"; done
"""


def _ctr() -> Path:
    return debian_programs.ensure_containerd() / "ctr"


def answers(host: Host) -> bool:
    """Whether containerd of a node can be asked."""
    # The node's /run is a folder of ours, so its socket can be reached from outside.
    socket = host.folder / "root/run/containerd/containerd.sock"
    argv = [str(_ctr()), "--address", str(socket), "--connect-timeout", "1s", "version"]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def _snapshotter(folder: Path) -> str:
    """`overlayfs`, or the slower `native` where the state folder itself is an overlay."""
    done = subprocess.run(["stat", "-f", "-c", "%t", folder], capture_output=True, check=True)
    if done.stdout.decode().strip() != _OVERLAY_MAGIC:
        return "overlayfs"
    say(
        "  The state folder is on an overlay file system, as in a container: images are copied, "
        "which is slow. Point ACTOR_OPERATOR_STATE to a mounted volume."
    )
    return "native"


def _pod_network(number: int) -> dict[str, object]:
    """CNI configuration: a bridge for the node's pods, and host ports."""
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": network.pod_range(number)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": "/run/cni-addresses",
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": addresses,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, ports]}
