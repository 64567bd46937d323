"""Discovery, version and health: the paths that are about the server itself."""

from collections.abc import Iterable
from typing import Any

from tests.support.apiserver.kinds import Kind, Registry
from tests.support.apiserver.routes import SUBRESOURCES_OF_PODS

VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.3",
    "platform": "linux/amd64",
}
"""The Kubernetes version whose behaviour is imitated."""

HEALTH_PATHS = {"/healthz", "/livez", "/readyz"}
"""Answered with `ok`."""

_VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def discover(registry: Registry, path: str) -> dict[str, Any] | None:
    """The answer to a discovery request, None if the path is another."""
    segments = [segment for segment in path.split("/") if segment]
    match segments:
        case ["version"]:
            return dict(VERSION)
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["api", version]:
            return _resources(registry, "", version)
        case ["apis", *rest]:
            return _groups(registry, rest)
        case _:
            return None


def _groups(registry: Registry, segments: list[str]) -> dict[str, Any] | None:
    """What is below /apis."""
    groups = sorted({kind.group for kind in registry if kind.group})
    match segments:
        case []:
            items = [_group(registry, group) for group in groups]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": items}
        case [group] if group in groups:
            return {"apiVersion": "v1"} | _group(registry, group)
        case [group, version]:
            return _resources(registry, group, version)
        case _:
            return None


def _group(registry: Registry, group: str) -> dict[str, Any]:
    versions = sorted({kind.version for kind in registry if kind.group == group})
    entries = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"kind": "APIGroup", "name": group, "versions": entries, "preferredVersion": entries[-1]}


def _resources(registry: Registry, group: str, version: str) -> dict[str, Any] | None:
    kinds = [kind for kind in registry if (kind.group, kind.version) == (group, version)]
    if not kinds:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": kinds[0].api_version,
        "resources": [entry for kind in kinds for entry in _entries(kind)],
    }


def _entries(kind: Kind) -> Iterable[dict[str, Any]]:
    """The resource and its subresources."""
    base = {"singularName": "", "namespaced": kind.namespaced, "kind": kind.kind}
    yield base | {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "verbs": _VERBS,
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
    }
    if kind.has_status:
        yield base | {"name": f"{kind.plural}/status", "verbs": ["get", "patch", "update"]}
    if kind.plural == "pods":
        for name in SUBRESOURCES_OF_PODS:
            yield base | {"name": f"pods/{name}", "verbs": ["get"]}
