"""Pydantic model → structural schema, the form of OpenAPI 3.0 that Kubernetes takes for CRDs.

What pydantic emits and Kubernetes refuses is rewritten (references, nullable unions, titles,
``additionalProperties: false``); what is left over and not understood is an error here, not at
installation.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import override

from actor_operator.api.fields import NO_DEFAULT_KEY, RULES_KEY

Schema = dict[str, Any]
"""A node of a schema."""

KEYWORDS = (
    "description",
    "type",
    "format",
    "default",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "maxProperties",
    "items",
    "additionalProperties",
    "properties",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    RULES_KEY,
)
"""The keywords that a schema may have, in the order in which they are written."""

RULE_KEYWORDS = ("rule", "message", "fieldPath", "reason", "optionalOldSelf")
"""The keywords of a CEL rule, in the order in which they are written."""


class SchemaError(Exception):
    """A model uses something that a structural schema cannot say."""


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, less what a structural schema does not have."""

    @override
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """``X | None`` is X: absent and null are the same to us."""
        return self.generate_inner(schema["schema"])

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        """No titles: they repeat the name."""
        return False


def structural_properties(model: type[BaseModel], *names: str) -> dict[str, Schema]:
    """The structural schemas of some fields of a model, by their names in JSON.

    Raises
    ------
    SchemaError
        If a field uses something that Kubernetes would refuse; the message has the path.
    """
    document = model.model_json_schema(schema_generator=_Generator)
    converter = _Converter(document.get("$defs", {}))
    return {
        name: converter.convert(document["properties"][name], path=f"{model.__name__}.{name}")
        for name in names
    }


class _Converter:
    """Rewrites schema nodes; knows the definitions that references point to."""

    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions

    def convert(self, node: Schema, *, path: str, parents: tuple[str, ...] = ()) -> Schema:
        """The node without references and without what Kubernetes refuses.

        Parameters
        ----------
        node
            A node as pydantic made it.
        path
            Where it is, for error messages.
        parents
            The definitions that it is in, to find recursion.
        """
        node, parents = self._resolve(node, path, parents)
        node.pop("title", None)
        if node.get("additionalProperties") is True:
            raise SchemaError(f"{path}: any content is for PreservedObject only")
        if node.get("additionalProperties") is False:
            del node["additionalProperties"]  # the API server prunes unknown fields
        if "const" in node:
            node["enum"] = [node.pop("const")]
        self._convert_children(node, path, parents)
        _describe(node)
        _keep_default(node)
        _order_rules(node)
        _check(node, path)
        return {key: node[key] for key in KEYWORDS if key in node}

    def _resolve(
        self, node: Schema, path: str, parents: tuple[str, ...]
    ) -> tuple[Schema, tuple[str, ...]]:
        node = dict(node)
        while "$ref" in node:
            name = node.pop("$ref").removeprefix("#/$defs/")
            if name in parents:
                raise SchemaError(f"{path}: {name} contains itself")
            parents = (*parents, name)
            target = self._definitions[name]
            rules = target.get(RULES_KEY, []) + node.get(RULES_KEY, [])
            node = target | node | ({RULES_KEY: rules} if rules else {})
        return node, parents

    def _convert_children(self, node: Schema, path: str, parents: tuple[str, ...]) -> None:
        for key in ("items", "additionalProperties"):
            if isinstance(node.get(key), dict):
                node[key] = self.convert(node[key], path=f"{path}[]", parents=parents)
        if "properties" in node:
            node["properties"] = {
                name: self.convert(child, path=f"{path}.{name}", parents=parents)
                for name, child in node["properties"].items()
            }


def _describe(node: Schema) -> None:
    if description := node.pop("description", ""):
        node["description"] = " ".join(description.split())


def _keep_default(node: Schema) -> None:
    """Keep a default that says something; that of an object is made of its fields' defaults."""
    default = node.pop("default", None)
    if isinstance(default, dict):
        fields = node.get("properties", {})
        default = {name: fields[name]["default"] for name in fields if "default" in fields[name]}
    if default not in (None, [], {}) and not node.pop(NO_DEFAULT_KEY, False):
        node["default"] = default


def _order_rules(node: Schema) -> None:
    if RULES_KEY in node:
        node[RULES_KEY] = [
            {key: rule[key] for key in RULE_KEYWORDS if key in rule} for rule in node[RULES_KEY]
        ]


def _check(node: Schema, path: str) -> None:
    unknown = sorted(set(node) - set(KEYWORDS))
    if unknown:
        raise SchemaError(f"{path}: a structural schema has no {', '.join(unknown)}")
    if "type" not in node:
        raise SchemaError(f"{path}: a structural schema needs a type")
