"""The built-in kinds."""

import base64

from tests.support.apiserver.event_view import CORE_EVENTS, EVENTS
from tests.support.apiserver.fields import FieldError, Object, at
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.network_kinds import (
    HTTP_ROUTES,
    INGRESS_CLASSES,
    INGRESSES,
    NETWORK_POLICIES,
)
from tests.support.apiserver.pod_strategy import PodStrategy
from tests.support.apiserver.strategy import Strategy
from typing_extensions import override

IMMUTABLE = "field is immutable when `immutable` is set"
"""What a change of an immutable Secret or ConfigMap is told."""


class DataStrategy(Strategy):
    """Secrets and ConfigMaps: `stringData`, and `immutable`."""

    @override
    def default(self, obj: Object) -> None:
        for name, text in (obj.pop("stringData", None) or {}).items():
            obj.setdefault("data", {})[name] = base64.b64encode(text.encode()).decode()

    @override
    def validate_update(self, new: Object, old: Object) -> list[FieldError]:
        if not old.get("immutable"):
            return []
        errors = []
        if not new.get("immutable"):
            errors.append(FieldError("immutable", "Forbidden", IMMUTABLE))
        errors += [
            FieldError(name, "Forbidden", IMMUTABLE)
            for name in ("data", "binaryData")
            if new.get(name) != old.get(name)
        ]
        return errors


class SecretStrategy(DataStrategy):
    """Secrets have a type, which never changes."""

    @override
    def default(self, obj: Object) -> None:
        super().default(obj)
        obj.setdefault("type", "Opaque")

    @override
    def validate_update(self, new: Object, old: Object) -> list[FieldError]:
        errors = super().validate_update(new, old)
        if new["type"] != old["type"]:
            detail = f'"{new["type"]}": field is immutable'
            errors.insert(0, FieldError("type", "Invalid value", detail))
        return errors


class ServiceStrategy(Strategy):
    """Services get an address and the usual defaults."""

    longest_name = 63

    def __init__(self) -> None:
        self._addresses = 0

    @override
    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("type", "ClusterIP")
        spec.setdefault("sessionAffinity", "None")
        spec.setdefault("internalTrafficPolicy", "Cluster")
        for port in spec.get("ports") or []:
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port.get("port"))

    @override
    def prepare_create(self, obj: Object) -> None:
        spec = obj["spec"]
        if "clusterIP" not in spec:
            self._addresses += 1
            high, low = divmod(self._addresses, 256)
            spec["clusterIP"] = f"10.96.{high}.{low}"
        spec["clusterIPs"] = [spec["clusterIP"]]
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        obj["status"] = {"loadBalancer": {}}

    @override
    def prepare_update(self, new: Object, old: Object) -> None:
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            new["spec"].setdefault(name, old["spec"][name])

    @override
    def validate(self, obj: Object) -> list[FieldError]:
        ports = obj["spec"].get("ports")
        if not ports and obj["spec"]["clusterIP"] != "None":
            return [FieldError("spec.ports", "Required value")]
        return []

    @override
    def validate_update(self, new: Object, old: Object) -> list[FieldError]:
        address, before = new["spec"]["clusterIP"], old["spec"]["clusterIP"]
        if address != before:
            detail = f'"{address}": may not change once set'
            return [FieldError("spec.clusterIPs[0]", "Invalid value", detail)]
        return self.validate(new)


class NamespaceStrategy(Strategy):
    """Namespaces are Active until they are deleted, then kept by a finalizer of their spec."""

    longest_name = 63

    @override
    def default(self, obj: Object) -> None:
        name = at(obj, "metadata.name")
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name

    @override
    def prepare_create(self, obj: Object) -> None:
        obj["spec"] = {"finalizers": ["kubernetes"]}
        obj["status"] = {"phase": "Active"}

    @override
    def begin_deletion(self, obj: Object) -> bool:
        obj["status"]["phase"] = "Terminating"
        return True


class ResourceQuotaStrategy(Strategy):
    """Quotas start with nothing used."""

    @override
    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {}


class NodeStrategy(Strategy):
    """Nodes start with an empty status."""

    @override
    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {}


POD_FIELDS = {
    name: name
    for name in (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
    )
}
"""What a field selector may ask of pods."""

NAMESPACES = Kind(
    "",
    "v1",
    "namespaces",
    "Namespace",
    namespaced=False,
    has_status=True,
    returned_by_delete=True,
    selectable={"status.phase": "status.phase"},
    short_names=("ns",),
    strategy=NamespaceStrategy(),
)

PODS = Kind(
    "",
    "v1",
    "pods",
    "Pod",
    has_status=True,
    has_generation=True,
    returned_by_delete=True,
    short_names=("po",),
    categories=("all",),
    selectable=POD_FIELDS,
    strategy=PodStrategy(),
)

QUOTAS = Kind(
    "",
    "v1",
    "resourcequotas",
    "ResourceQuota",
    has_status=True,
    returned_by_delete=True,
    short_names=("quota",),
    strategy=ResourceQuotaStrategy(),
)

DEFINITIONS = Kind(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
    has_status=True,
    has_generation=True,
    needs_resource_version=True,
    short_names=("crd", "crds"),
)


NODES = Kind("", "v1", "nodes", "Node", namespaced=False, has_status=True, strategy=NodeStrategy())

SECRETS = Kind(
    "", "v1", "secrets", "Secret", selectable={"type": "type"}, strategy=SecretStrategy()
)

CONFIG_MAPS = Kind("", "v1", "configmaps", "ConfigMap", strategy=DataStrategy())

LEASES = Kind(
    "coordination.k8s.io",
    "v1",
    "leases",
    "Lease",
    needs_resource_version=True,
    created_by_update=True,
)


def built_in_kinds() -> list[Kind]:
    """All of them; Services anew for each server, which counts their addresses."""
    services = Kind(
        "",
        "v1",
        "services",
        "Service",
        has_status=True,
        returned_by_delete=True,
        short_names=("svc",),
        categories=("all",),
        strategy=ServiceStrategy(),
    )
    core = [NAMESPACES, PODS, services, SECRETS, CONFIG_MAPS, QUOTAS, NODES, CORE_EVENTS]
    network = [INGRESSES, INGRESS_CLASSES, NETWORK_POLICIES, HTTP_ROUTES]
    return [*core, EVENTS, LEASES, *network, DEFINITIONS]
