"""Kinds that come by a CustomResourceDefinition."""

from functools import cache
from pathlib import Path

import msgspec
import yaml
from tests.support.apiserver.cel_rules import check_rules, compile_rules
from tests.support.apiserver.clock import Clock, timestamp
from tests.support.apiserver.fields import FieldError, Object
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.schema import Schema, StructuralSchema
from tests.support.apiserver.strategy import Strategy
from typing_extensions import override

BLOCKING = {
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
}
"""Refusals after which rules could not be evaluated."""

RULES_NOT_CHECKED = FieldError(
    "<nil>",
    "Invalid value",
    "null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)
"""What is said instead of what rules would say."""


class CustomStrategy(Strategy):
    """Objects held to the definition's schema and rules."""

    def __init__(self, schema: Schema) -> None:
        self._schema = StructuralSchema(schema)
        self._status_schema = StructuralSchema(_only_status(schema))
        self._rules = compile_rules(schema)

    @override
    def default(self, obj: Object) -> None:
        self._schema.prune(obj)
        self._schema.default(obj)

    @override
    def default_status(self, obj: Object) -> None:
        self._status_schema.prune(obj)
        self._status_schema.default(obj)

    @override
    def prepare_create(self, obj: Object) -> None:
        self._status_schema.default(obj)

    @override
    def unknown_fields(self, obj: Object) -> list[str]:
        return self._schema.unknown(obj)

    @override
    def validate(self, obj: Object) -> list[FieldError]:
        return self._with_rules(self._schema.validate(obj), obj, None)

    @override
    def validate_update(self, new: Object, old: Object) -> list[FieldError]:
        return self._with_rules(self._schema.validate(new, old), new, old)

    @override
    def validate_status(self, new: Object, old: Object) -> list[FieldError]:
        return self._with_rules(self._status_schema.validate(new, old, spoken=""), new, old)

    def _with_rules(
        self, errors: list[FieldError], obj: Object, old: Object | None
    ) -> list[FieldError]:
        """All refusals; rules are not looked at where values are not even of their type."""
        if any(error.cause()["reason"] in BLOCKING for error in errors):
            return [*errors, RULES_NOT_CHECKED]
        return errors + (check_rules(self._rules, obj, old) if self._rules else [])


def _only_status(schema: Schema) -> Schema:
    """The part of a schema that a write of the status can break; all else is kept as it is."""
    parts = schema.get("properties") or {}
    status = {name: part for name, part in parts.items() if name == "status"}
    return {"properties": status, "x-kubernetes-preserve-unknown-fields": True}


@cache
def read_definitions(path: Path) -> tuple[Object, ...]:
    """The definitions in a YAML file, which is read once: each test starts a server."""
    documents = yaml.load_all(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return tuple(document for document in documents if document)


def kinds_of(definition: Object) -> list[Kind]:
    """One kind for each served version of a definition."""
    return _kinds(msgspec.json.encode(definition["spec"]))


@cache
def _kinds(encoded: bytes) -> list[Kind]:
    """The kinds of a definition's spec, made once: to compile their rules takes a while."""
    spec: Object = msgspec.json.decode(encoded)
    return [_kind(spec, version) for version in spec["versions"] if version["served"]]


def _kind(spec: Object, version: Object) -> Kind:
    names = spec["names"]
    selectable = [entry["jsonPath"].lstrip(".") for entry in version.get("selectableFields") or []]
    return Kind(
        group=spec["group"],
        version=version["name"],
        plural=names["plural"],
        kind=names["kind"],
        namespaced=spec["scope"] == "Namespaced",
        has_status="status" in (version.get("subresources") or {}),
        has_generation=True,
        needs_resource_version=True,
        custom=True,
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        selectable={path: path for path in selectable},
        strategy=CustomStrategy(version["schema"]["openAPIV3Schema"]),
    )


def established(definition: Object, clock: Clock) -> Object:
    """The status of a definition whose kinds are served."""
    now = timestamp(clock())
    conditions = [
        {"type": name, "status": "True", "lastTransitionTime": now, "reason": reason, "message": ""}
        for name, reason in (
            ("NamesAccepted", "NoConflicts"),
            ("Established", "InitialNamesAccepted"),
        )
    ]
    spec = definition["spec"]
    stored = [version["name"] for version in spec["versions"] if version.get("storage")]
    return {"conditions": conditions, "acceptedNames": spec["names"], "storedVersions": stored}
