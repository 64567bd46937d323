"""kubelet and kube-proxy on one node."""

import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.cluster_tool import addons, argv, containerd, kubeconfig, network
from tests.cluster_tool.hosts import Host
from tests.cluster_tool.pki import Authority, Identity


@dataclass(frozen=True)
class Node:
    """What one node is made of."""

    host: Host
    number: int
    """Counted from 1; addresses follow from it."""
    cgroup: str
    """Group that holds everything the node runs in pods."""
    api_url: str
    """The API server, as the node reaches it."""


def start(node: Node, programs: dict[str, Path], authority: Authority, cluster: str) -> None:
    """Start kubelet and kube-proxy, each with the rights it has in any cluster."""
    name, folder = node.host.name, node.host.folder
    user = Identity(f"system:node:{name}", ("system:nodes",))
    kubelet_user = kubeconfig.write(
        folder / "kubelet.kubeconfig",
        server=node.api_url,
        ca=authority.pair.certificate,
        client=authority.issue(f"{name}-kubelet", user),
        name=cluster,
    )
    proxy_user = kubeconfig.write(
        folder / "kube-proxy.kubeconfig",
        server=node.api_url,
        ca=authority.pair.certificate,
        client=authority.issue(f"{name}-proxy", Identity("system:kube-proxy")),
        name=cluster,
    )
    kubelet_file = _write(folder / "kubelet.yaml", _kubelet(node, authority))
    proxy_file = _write(folder / "kube-proxy.yaml", _proxy(node, proxy_user))
    node.host.spawn(
        "kubelet",
        [
            programs["kubelet"],
            f"--config={kubelet_file}",
            f"--kubeconfig={kubelet_user}",
            f"--hostname-override={name}",
            f"--node-ip={network.node_address(node.number)}",
            # The relay leads to the first node.
            *([f"--node-labels={addons.INGRESS_LABEL}=true"] if node.number == 1 else []),
        ],
    )
    node.host.spawn("kube-proxy", [programs["kube-proxy"], f"--config={proxy_file}"])


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def _kubelet(node: Node, authority: Authority) -> dict[str, Any]:
    """Configuration of the kubelet: a usual node, on a machine that it must share."""
    name = node.host.name
    address = network.node_address(node.number)
    server = Identity(f"system:node:{name}", ("system:nodes",), (address,))
    serving = authority.issue(f"{name}-serving", server)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        # Kubernetes 1.35 and newer refuse the old control groups unless told otherwise.
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": node.cgroup,
        "containerRuntimeEndpoint": f"unix://{containerd.SOCKET}",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "resolvConf": "/etc/resolv.conf",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(authority.pair.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(serving.certificate),
        "tlsPrivateKeyFile": str(serving.key),
        "clusterDNS": [argv.DNS_SERVICE_ADDRESS],
        "clusterDomain": "cluster.local",
        # The machine is shared with tests and with the control plane.
        "systemReserved": {"cpu": "200m", "memory": "1Gi"},
        "podPidsLimit": 1024,
        # Where CAP_SYS_RESOURCE is missing, neither can be better than what we have.
        "oomScoreAdj": 0,
        "maxOpenFiles": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        # Percentages of a big shared disk: the defaults would evict on a disk that has plenty.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
            "imagefs.inodesFree": "1%",
        },
        # Images cannot be pulled again: never collect one.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "nodeStatusUpdateFrequency": "4s",
    }


def _proxy(node: Node, user: Path) -> dict[str, Any]:
    """Configuration of kube-proxy."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(user)},
        "mode": "iptables",
        "clusterCIDR": argv.POD_RANGE,
        "hostnameOverride": node.host.name,
        "oomScoreAdj": 0,
        # These settings are the whole machine's, and cannot be changed from a namespace.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
