"""Command lines of the control plane's programs, for every way of running them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster_tool.pki import KeyPair

SERVICE_RANGE = "10.96.0.0/16"
"""Addresses of Services."""

API_SERVICE_ADDRESS = "10.96.0.1"
"""Address of the Service `kubernetes`: the first of the range."""

DNS_SERVICE_ADDRESS = "10.96.0.10"
"""Address of the cluster's DNS Service."""

POD_RANGE = "10.244.0.0/16"
"""Addresses of pods; node k has 10.244.k.0/24."""


@dataclass(frozen=True)
class Ports:
    """Ports of one control plane."""

    api: int = 6443
    etcd_client: int = 2379
    etcd_peer: int = 2380
    controller_manager: int = 10257
    scheduler: int = 10259


@dataclass(frozen=True)
class Keys:
    """Keys and certificates that the control plane's programs use."""

    ca: KeyPair
    server: KeyPair
    kubelet_client: KeyPair
    service_account: Path


@dataclass(frozen=True)
class Layout:
    """Where everything of one control plane is."""

    programs: Mapping[str, Path]
    data: Path
    ports: Ports
    keys: Keys
    bind_address: str
    advertise_address: str
    controller_manager_kubeconfig: Path
    scheduler_kubeconfig: Path
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Flags added to a program, by its name. A later flag wins over an earlier one."""


def etcd(layout: Layout) -> list[str]:
    """etcd on loopback; it does not wait for the disk, because nothing outlives the cluster."""
    client = f"http://127.0.0.1:{layout.ports.etcd_client}"
    peer = f"http://127.0.0.1:{layout.ports.etcd_peer}"
    return [
        str(layout.programs["etcd"]),
        f"--data-dir={layout.data / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
        *layout.extra.get("etcd", ()),
    ]


def api_server(layout: Layout) -> list[str]:
    """kube-apiserver with the authorization and admission of a usual cluster."""
    keys = layout.keys
    return [
        str(layout.programs["kube-apiserver"]),
        f"--etcd-servers=http://127.0.0.1:{layout.ports.etcd_client}",
        f"--bind-address={layout.bind_address}",
        f"--advertise-address={layout.advertise_address}",
        f"--secure-port={layout.ports.api}",
        f"--cert-dir={layout.data}",
        f"--client-ca-file={keys.ca.certificate}",
        f"--tls-cert-file={keys.server.certificate}",
        f"--tls-private-key-file={keys.server.key}",
        f"--kubelet-certificate-authority={keys.ca.certificate}",
        f"--kubelet-client-certificate={keys.kubelet_client.certificate}",
        f"--kubelet-client-key={keys.kubelet_client.key}",
        # Nodes' names are unknown to any name server here.
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys.service_account}",
        f"--service-account-signing-key-file={keys.service_account}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        # Webhooks and aggregated APIs are reached at their pods: no kube-proxy runs beside us.
        "--enable-aggregator-routing=true",
        "--allow-privileged=true",
        *layout.extra.get("kube-apiserver", ()),
    ]


def controller_manager(layout: Layout) -> list[str]:
    """kube-controller-manager, alone, so without leader election."""
    return [
        str(layout.programs["kube-controller-manager"]),
        f"--kubeconfig={layout.controller_manager_kubeconfig}",
        f"--bind-address={layout.bind_address}",
        f"--secure-port={layout.ports.controller_manager}",
        f"--cert-dir={layout.data}",
        f"--root-ca-file={layout.keys.ca.certificate}",
        f"--service-account-private-key-file={layout.keys.service_account}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        *layout.extra.get("kube-controller-manager", ()),
    ]


def scheduler(layout: Layout) -> list[str]:
    """kube-scheduler, alone, so without leader election."""
    return [
        str(layout.programs["kube-scheduler"]),
        f"--kubeconfig={layout.scheduler_kubeconfig}",
        f"--bind-address={layout.bind_address}",
        f"--secure-port={layout.ports.scheduler}",
        f"--cert-dir={layout.data}",
        "--leader-elect=false",
        *layout.extra.get("kube-scheduler", ()),
    ]


def kwok(program: Path, *, kubeconfig: Path, stages: Path, extra: Sequence[str] = ()) -> list[str]:
    """kwok, which plays the kubelet of simulated nodes."""
    return [
        str(program),
        f"--config={stages}",
        f"--kubeconfig={kubeconfig}",
        "--v=WARN",
        *extra,
    ]
