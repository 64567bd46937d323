"""What every usable cluster has on top: names (CoreDNS), ingress and Gateway API (Traefik)."""

from tests.cluster_tool import gateway_api
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.paths import SOURCE

DEPLOYMENTS = (("kube-system", "coredns"), ("traefik", "traefik"))
"""Namespace and name of what must be available before the cluster counts as ready."""

GATEWAY = ("traefik", "runs")
"""Namespace and name of the Gateway, which must be programmed by then."""

INGRESS_LABEL = "actor-operator.dev/ingress"
"""Label, with the value `true`, of the node that the ingress controller runs on."""


def apply(kubectl: Kubectl, *, with_dns: bool = True) -> None:
    """Create or update the objects of the add-ons; a cluster may bring its own name server."""
    apply_gateway_crds(kubectl)
    names = ("coredns.yaml", "traefik.yaml", "gateway.yaml")
    files = [SOURCE / "manifests" / name for name in (names if with_dns else names[1:])]
    kubectl.apply("\n---\n".join(path.read_text() for path in files))


def apply_gateway_crds(kubectl: Kubectl) -> None:
    """Create or update the definitions of the Gateway API, and wait until they are served."""
    crds = gateway_api.ensure_crds()
    kubectl.apply(crds)
    kubectl.run("wait", "--for=condition=Established", "-f", "-", "--timeout=30s", stdin=crds)
