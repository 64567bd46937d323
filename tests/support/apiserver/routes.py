"""What a path and a method ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.apiserver.errors import method_not_allowed, no_such_path
from tests.support.apiserver.kinds import Kind, Registry
from tests.support.apiserver.store import Key

SUBRESOURCES_OF_PODS = {"log"}
"""Subresources beside `status` that are served."""

_VERBS_OF_OBJECTS = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_VERBS_OF_COLLECTIONS = {"GET": "list", "POST": "create"}


@dataclass(frozen=True, slots=True)
class Target:
    """One request, as authorisation would name it."""

    verb: str
    """get, list, watch, create, update, patch or delete."""
    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Where the object is stored."""
        return self.namespace, self.name

    @property
    def resource(self) -> str:
        """Plural and subresource, as `pods/status`."""
        plural = self.kind.plural
        return f"{plural}/{self.subresource}" if self.subresource else plural

    def flag(self, name: str) -> bool:
        """Whether the query says yes to something."""
        return self.query.get(name, "").lower() in {"1", "true"}


def parse(registry: Registry, method: str, path: str, query: Mapping[str, str]) -> Target:
    """The target of a request.

    Raises
    ------
    ApiError
        404 or 405, nothing is served there.
    """
    group, version, rest = _split(path)
    namespace = ""
    if len(rest) >= 3 and rest[0] == "namespaces" and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "", "")[:3]
    kind = registry.find(group, version, plural)
    if kind is None or len(rest) > 3 or (kind.namespaced and not namespace and name):
        raise no_such_path()
    if not _serves(kind, subresource):
        raise no_such_path()
    verbs = _VERBS_OF_OBJECTS if name else _VERBS_OF_COLLECTIONS
    verb = verbs.get(method)
    if verb is None or (subresource and verb == "delete"):
        raise method_not_allowed()
    target = Target(verb, kind, namespace, name, subresource, query)
    if verb == "list" and target.flag("watch"):
        return Target("watch", kind, namespace, name, subresource, query)
    return target


def _split(path: str) -> tuple[str, str, list[str]]:
    """Group, version and the segments after them."""
    segments = [segment for segment in path.split("/") if segment]
    match segments:
        case ["api", version, *rest] if rest:
            return "", version, rest
        case ["apis", group, version, *rest] if rest:
            return group, version, rest
        case _:
            raise no_such_path()


def _serves(kind: Kind, subresource: str) -> bool:
    if not subresource:
        return True
    if subresource == "status":
        return kind.has_status
    return kind.plural == "pods" and subresource in SUBRESOURCES_OF_PODS
