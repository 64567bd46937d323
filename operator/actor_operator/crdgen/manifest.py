"""A kind → its CustomResourceDefinition."""

import inspect
from typing import Any

from actor_operator.api.base import Column, CustomResource
from actor_operator.api.fields import RULES_KEY, CelRule
from actor_operator.constants import GROUP, VERSION
from actor_operator.crdgen.schema import Schema, structural_properties

ROOT_PROPERTIES = {
    "apiVersion": {
        "description": "Group and version of this kind.",
        "type": "string",
    },
    "kind": {
        "description": "Name of this kind.",
        "type": "string",
    },
}
"""Properties that every kind has."""

METADATA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 253}}}
"""The schema of ``metadata``: it names the name because the rule on it points there."""


def crd_name(kind: type[CustomResource]) -> str:
    """Name of the CRD of a kind: ``actorruns.actor-operator.dev``."""
    return f"{kind.definition.plural}.{GROUP}"


def custom_resource_definition(kind: type[CustomResource]) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind.

    Raises
    ------
    SchemaError
        If the kind's model uses something that Kubernetes would refuse.
    """
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": crd_name(kind),
            # Uninstalling the chart must not delete the users' runs.
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "group": GROUP,
            "names": _names(kind),
            "scope": str(kind.definition.scope),
            "versions": [_version(kind)],
        },
    }


def root_schema(kind: type[CustomResource]) -> Schema:
    """The schema of a whole object of a kind."""
    return {
        "description": " ".join((inspect.getdoc(kind) or "").split()),
        "type": "object",
        "required": ["spec"],
        "properties": {
            **ROOT_PROPERTIES,
            "metadata": METADATA,
            **structural_properties(kind, *parts_of(kind)),
        },
        RULES_KEY: [rule.as_schema() for rule in (_name_rule(kind), *kind.definition.rules)],
    }


def parts_of(kind: type[CustomResource]) -> tuple[str, ...]:
    """``spec``, and ``status`` where a kind has one."""
    return tuple(part for part in ("spec", "status") if part in kind.model_fields)


def _name_rule(kind: type[CustomResource]) -> CelRule:
    name = kind.definition.name
    return CelRule(
        rule=f"self.metadata.name.size() <= {name.max_length}"
        f" && self.metadata.name.matches('^{name.pattern}$')",
        message=name.message,
        field_path=".metadata.name",
    )


def _names(kind: type[CustomResource]) -> dict[str, Any]:
    definition = kind.definition
    names: dict[str, Any] = {
        "kind": kind.__name__,
        "listKind": f"{kind.__name__}List",
        "plural": definition.plural,
        "singular": kind.__name__.lower(),
    }
    if definition.short_names:
        names["shortNames"] = list(definition.short_names)
    if definition.categories:
        names["categories"] = list(definition.categories)
    return names


def _version(kind: type[CustomResource]) -> dict[str, Any]:
    definition = kind.definition
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        **({"subresources": {"status": {}}} if "status" in parts_of(kind) else {}),
        "additionalPrinterColumns": [_column(column) for column in definition.columns],
    }
    if definition.selectable_fields:
        version["selectableFields"] = [{"jsonPath": path} for path in definition.selectable_fields]
    version["schema"] = {"openAPIV3Schema": root_schema(kind)}
    return version


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": f"{column.description}.",
        **({"priority": 1} if column.wide else {}),
    }
