"""The kinds of networking that the operator meets: routes, their classes, network policies."""

from tests.support.apiserver.fields import FieldError, Object
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.strategy import Strategy
from typing_extensions import override


class IngressStrategy(Strategy):
    """Ingresses start with an empty status."""

    @override
    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {"loadBalancer": {}}

    @override
    def validate(self, obj: Object) -> list[FieldError]:
        spec = obj.get("spec") or {}
        if not spec.get("rules") and not spec.get("defaultBackend"):
            sentence = "either `defaultBackend` or `rules` must be specified"
            return [FieldError("spec", "Invalid value", f"{{}}: {sentence}")]
        return []

    @override
    def validate_update(self, new: Object, old: Object) -> list[FieldError]:
        return self.validate(new)


class NetworkPolicyStrategy(Strategy):
    """Network policies: what is left out is filled in, what is empty is left out."""

    @override
    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("podSelector", {})
        for direction in ("ingress", "egress"):
            rules = spec.get(direction)
            if not rules:
                spec.pop(direction, None)
            for rule in rules or ():
                for port in rule.get("ports") or ():
                    port.setdefault("protocol", "TCP")
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", *(["Egress"] if "egress" in spec else [])]


class HttpRouteStrategy(Strategy):
    """HTTPRoutes: the defaults that the Gateway API's definition fills in."""

    @override
    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        for parent in spec.get("parentRefs") or ():
            parent.setdefault("group", "gateway.networking.k8s.io")
            parent.setdefault("kind", "Gateway")
        for rule in spec.setdefault("rules", [{}]):
            for match in rule.setdefault("matches", [{"path": {}}]):
                path = match.setdefault("path", {})
                path.setdefault("type", "PathPrefix")
                path.setdefault("value", "/")
            for backend in rule.get("backendRefs") or ():
                backend.setdefault("group", "")
                backend.setdefault("kind", "Service")
                backend.setdefault("weight", 1)


INGRESSES = Kind(
    "networking.k8s.io",
    "v1",
    "ingresses",
    "Ingress",
    has_status=True,
    has_generation=True,
    short_names=("ing",),
    strategy=IngressStrategy(),
)

INGRESS_CLASSES = Kind(
    "networking.k8s.io",
    "v1",
    "ingressclasses",
    "IngressClass",
    namespaced=False,
    has_generation=True,
)

NETWORK_POLICIES = Kind(
    "networking.k8s.io",
    "v1",
    "networkpolicies",
    "NetworkPolicy",
    has_generation=True,
    short_names=("netpol",),
    strategy=NetworkPolicyStrategy(),
)

HTTP_ROUTES = Kind(
    "gateway.networking.k8s.io",
    "v1",
    "httproutes",
    "HTTPRoute",
    has_status=True,
    has_generation=True,
    needs_resource_version=True,
    custom=True,
    strategy=HttpRouteStrategy(),
)
