"""What every kind has in common: base model, metadata, conditions, and how it is declared."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import override

from actor_operator.api.fields import NO_DEFAULT, RULES_KEY, CelRule
from actor_operator.api.scalars import Message, Timestamp, Word


class ApiModel(BaseModel):
    """A part of one of our kinds: lowerCamelCase outside, frozen, unknown fields refused.

    The string under each field becomes its description in the CRD.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    rules: ClassVar[tuple[CelRule, ...]] = ()
    """CEL rules on this object, evaluated by the API server."""

    @override
    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        if cls.rules:
            target = handler.resolve_ref_schema(schema)
            target[RULES_KEY] = [rule.as_schema() for rule in cls.rules]
        return schema


class ObjectMeta(ApiModel):
    """What a manifest says in ``metadata``."""

    name: str = ""
    """Name, unique among the objects of the kind in the namespace."""
    generate_name: str | None = None
    """Prefix from which the server makes a name."""
    namespace: str | None = None
    """Namespace; absent for cluster-scoped objects."""
    labels: dict[str, str] = {}
    """Labels."""
    annotations: dict[str, str] = {}
    """Annotations."""


class ConditionStatus(StrEnum):
    """The status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(ApiModel):
    """One fact about an object, for machines and people (`metav1.Condition`)."""

    type: Word
    """What it is about, a CamelCase word."""
    status: ConditionStatus
    """Whether it is so."""
    observed_generation: Annotated[int, Field(ge=-1)] | None = None
    """The `metadata.generation` that it was judged for."""
    last_transition_time: Timestamp
    """When `status` last changed."""
    reason: Word
    """Why, as a CamelCase word for machines."""
    message: Annotated[Message, NO_DEFAULT] = ""
    """Why, as a sentence for people."""


class Scope(StrEnum):
    """Where the objects of a kind live."""

    NAMESPACED = "Namespaced"
    CLUSTER = "Cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of ``kubectl get``."""

    name: str
    """Heading."""
    path: str
    """JSONPath of the value."""
    description: str
    """What it shows."""
    type: str = "string"
    """OpenAPI type of the value."""
    wide: bool = False
    """Shown by ``-o wide`` only."""


AGE = Column(
    name="Age", path=".metadata.creationTimestamp", description="Time since creation", type="date"
)
"""The column that every kind has."""

CATEGORY = "actor-operator"
"""Name under which ``kubectl get`` lists Actors and ActorRuns together.

It must not be the plural of a kind: kubectl looks for categories first, and with a category
``actors`` it would take ``kubectl get actors NAME`` for a question about several kinds.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRule:
    """What ``metadata.name`` may be."""

    pattern: str
    """Regular expression that the whole name must match."""
    max_length: int
    """Longest name, in characters."""
    message: str
    """What the user reads if the name is another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a CustomResourceDefinition says beside the schema."""

    plural: str
    """Name in URLs and of the CRD."""
    short_names: tuple[str, ...] = ()
    """Short names for ``kubectl``."""
    scope: Scope = Scope.NAMESPACED
    """Where the objects live."""
    categories: tuple[str, ...] = ()
    """Names under which ``kubectl get`` lists several kinds."""
    name: NameRule
    """What ``metadata.name`` may be."""
    columns: tuple[Column, ...]
    """Columns of ``kubectl get``."""
    selectable_fields: tuple[str, ...] = ()
    """JSONPaths that field selectors may use."""
    rules: tuple[CelRule, ...] = ()
    """CEL rules on the whole object."""


class CustomResource(ApiModel):
    """An object of one of our kinds, as a manifest says it.

    What the operator reads of a live object are the views, in ``actor_operator.api.views``.
    """

    definition: ClassVar[Definition]
    """What the CRD says beside the schema."""

    api_version: Literal["actor-operator.dev/v1alpha1"] = "actor-operator.dev/v1alpha1"
    """Group and version."""
    metadata: ObjectMeta
    """Standard metadata."""
