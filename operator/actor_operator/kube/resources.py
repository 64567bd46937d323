"""A kind of the Kubernetes API and the paths under which it is served."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind in one version.

    Parameters
    ----------
    group
        API group; empty for the core group.
    version
        Version of the group, e.g. ``v1``.
    plural
        Name in paths, e.g. ``pods``.
    kind
        Name in objects, e.g. ``Pod``.
    namespaced
        Whether objects live in namespaces.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """``apiVersion`` of the objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def collection(self, namespace: str | None = None) -> str:
        """Path of all objects, or of those of one namespace.

        Raises
        ------
        ValueError
            When a namespace is given for a kind that has none.
        """
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        if namespace is None:
            return f"{root}/{self.plural}"
        if not self.namespaced:
            raise ValueError(f"{self.kind} is not namespaced")
        return f"{root}/namespaces/{quote(namespace, safe='')}/{self.plural}"

    def item(self, namespace: str | None, name: str, subresource: str = "") -> str:
        """Path of one object, or of a subresource of it such as ``status`` or ``log``.

        Raises
        ------
        ValueError
            When the namespace is missing for a kind that has one or given for one that has none,
            or when the name is empty (that would be the path of the collection).
        """
        if self.namespaced and namespace is None:
            raise ValueError(f"a {self.kind} needs a namespace")
        if not name:
            raise ValueError(f"a {self.kind} needs a name")
        path = f"{self.collection(namespace)}/{quote(name, safe='')}"
        return f"{path}/{subresource}" if subresource else path
