"""What a local cluster needs from the machine, brought here if it can be."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.cluster_tool import compiled, debian, debian_programs, gateway_api, toolchain
from tests.cluster_tool.errors import MissingError
from tests.cluster_tool.images import catalog
from tests.cluster_tool.progress import step


@dataclass(frozen=True)
class Inventory:
    """Everything a start needs, by path."""

    programs: dict[str, Path]
    images: list[Path]


def check_machine() -> None:
    """Refuse at once where a local cluster cannot be.

    Raises
    ------
    MissingError
        This is not Linux, or we are not root.
    """
    other = "Use CLUSTER=kind with a Docker engine, or CLUSTER=existing with your own KUBECONFIG."
    if sys.platform != "linux":
        raise MissingError(f"The local cluster needs Linux. {other}")
    if os.geteuid() != 0:
        raise MissingError(f"The local cluster needs root, for namespaces. {other}")


def prepare() -> Inventory:
    """Install, download, compile and build what is not there yet."""
    with step("Looking for system programs"):
        installed = debian.install_missing(debian_programs.NODE_TOOLS)
    if installed:
        with step(f"Installed {', '.join(installed)}"):
            pass
    with step("Looking for Kubernetes' programs"):
        found = compiled.ensure()
    with step("Looking for etcd, containerd, kubectl, helm and Traefik"):
        found["etcd"] = debian_programs.ensure_etcd()
        debian_programs.ensure_containerd()
        toolchain.ensure_kubectl()
        toolchain.ensure_helm()
        gateway_api.ensure_crds()
    with step("Looking for the cluster's images"):
        images = catalog.cluster_archives()
    return Inventory(found, images)
