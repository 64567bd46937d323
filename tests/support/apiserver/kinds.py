"""What the server knows of each kind: names, scope, subresources, behaviour."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
from tests.support.apiserver.fields import Object
from tests.support.apiserver.strategy import Strategy

NAME_FIELDS = {"metadata.name": "metadata.name", "metadata.namespace": "metadata.namespace"}
"""What a field selector may ask of every kind."""


@dataclass(frozen=True, slots=True)
class View:
    """A kind that shows the objects of another kind with other field names."""

    of: "Kind"
    """The kind whose objects they are."""
    shown: Callable[[Object], Object]
    """From the stored form to this one."""
    stored: Callable[[Object], Object]
    """From this form to the stored one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource of the API."""

    group: str
    """API group, empty for the core."""
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    has_status: bool = False
    """Whether /status is a resource of its own."""
    has_generation: bool = False
    """Whether metadata.generation counts the changes of what is neither metadata nor status."""
    needs_resource_version: bool = False
    """Whether an update without resourceVersion is refused."""
    created_by_update: bool = False
    """Whether a PUT of an absent object creates it."""
    returned_by_delete: bool = False
    """Whether DELETE answers with the object and not with a Status."""
    custom: bool = False
    """Whether the kind came by a CustomResourceDefinition."""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    selectable: dict[str, str] = field(default_factory=dict)
    """Field selector label -> path in the object, beside the names."""
    strategy: Strategy = field(default_factory=Strategy)
    view: View | None = None
    """Set where the objects are another kind's."""

    @property
    def api_version(self) -> str:
        """Group and version as objects name them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """Plural and group as messages name them."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified(self) -> str:
        """Kind and group as messages about invalid objects name them."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def storage(self) -> str:
        """The key under which the objects are kept."""
        return self.view.of.resource if self.view else self.resource

    @property
    def prefix(self) -> bytes:
        """The first bytes of each object's JSON, up to the comma."""
        api_version, kind = msgspec.json.encode(self.api_version), msgspec.json.encode(self.kind)
        return b'{"apiVersion":' + api_version + b',"kind":' + kind + b","

    def typed(self, obj: Object) -> Object:
        """The object with apiVersion and kind in front."""
        head = {"apiVersion": self.api_version, "kind": self.kind}
        return head | {name: value for name, value in obj.items() if name not in head}

    def selectable_path(self, label: str) -> str | None:
        """Path in the object of a field selector's label, None if the kind has no such label."""
        return NAME_FIELDS.get(label) or self.selectable.get(label)


class Registry:
    """The kinds that are served."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}

    def add(self, kind: Kind) -> None:
        """Serve a kind, or serve it anew under a changed definition."""
        self._kinds[kind.group, kind.version, kind.plural] = kind

    def remove(self, kind: Kind) -> None:
        """Serve the kind no longer."""
        self._kinds.pop((kind.group, kind.version, kind.plural), None)

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind at a path, None if there is none."""
        return self._kinds.get((group, version, plural))

    def named(self, plural: str) -> Kind:
        """The kind of a plural or of `plural.group`, as tests name it.

        Raises
        ------
        KeyError
            There is no such kind.
        """
        for kind in self._kinds.values():
            if plural in {kind.plural, kind.resource} and not kind.view:
                return kind
        raise KeyError(plural)

    def __iter__(self) -> Iterator[Kind]:
        return iter(list(self._kinds.values()))
