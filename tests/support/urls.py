"""What claims hosts: bodies of Ingresses and of routes of the Gateway API."""

from collections.abc import Sequence
from typing import Any

INGRESSES = "/apis/networking.k8s.io/v1/namespaces/{}/ingresses"
"""Path of the Ingresses of a namespace."""

GATEWAY_API = "/apis/gateway.networking.k8s.io"
"""Path of the API group of routes."""

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
"""Names the class of an Ingress, as it was done before there was a field."""

BACKEND = {"service": {"name": "mine", "port": {"number": 80}}}
"""The target of an Ingress."""


def rule(host: str | None) -> dict[str, Any]:
    """A rule of an Ingress, for one host or for all."""
    paths = {"paths": [{"path": "/", "pathType": "Prefix", "backend": BACKEND}]}
    return {"http": paths} | ({} if host is None else {"host": host})


def ingress(*hosts: str | None, name: str = "mine", **spec: Any) -> dict[str, Any]:
    """An Ingress with a rule for each host, on no class unless the spec names one."""
    rules = {"rules": [rule(host) for host in hosts]} if hosts else {}
    return {"metadata": {"name": name}, "spec": rules | spec}


def annotated(body: dict[str, Any], **annotations: str) -> dict[str, Any]:
    """The same with annotations."""
    return {**body, "metadata": body["metadata"] | {"annotations": annotations}}


def route(
    version: str, kind: str, hosts: Sequence[str] | None, parents: Sequence[dict[str, str]]
) -> dict[str, Any]:
    """A route of the Gateway API; without hosts it has no such field."""
    backends = {"backendRefs": [{"name": "mine", "port": 80}]}
    spec: dict[str, Any] = {"parentRefs": list(parents), "rules": [backends]}
    if hosts is not None:
        spec["hostnames"] = list(hosts)
    api_version = f"gateway.networking.k8s.io/{version}"
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "mine"},
        "spec": spec,
    }
