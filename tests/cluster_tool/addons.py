"""What every usable cluster has on top: names (CoreDNS) and ingress (Traefik)."""

from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.paths import SOURCE

DEPLOYMENTS = (("kube-system", "coredns"), ("traefik", "traefik"))
"""Namespace and name of what must be available before the cluster counts as ready."""


INGRESS_LABEL = "actor-operator.dev/ingress"
"""Label, with the value `true`, of the node that the ingress controller runs on."""


def apply(kubectl: Kubectl, *, with_dns: bool = True) -> None:
    """Create or update the objects of the add-ons; a cluster may bring its own name server."""
    names = ("coredns.yaml", "traefik.yaml") if with_dns else ("traefik.yaml",)
    files = [SOURCE / "manifests" / name for name in names]
    kubectl.apply("\n---\n".join(path.read_text() for path in files))
