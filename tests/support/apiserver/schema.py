"""A CRD's structural schema: pruning, defaults, and checks with the server's sentences."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
from jsonschema_rs import Draft202012Validator, RegexOptions
from tests.support.apiserver.fields import FieldError, Object
from tests.support.apiserver.schema_errors import field_errors

Schema = dict[str, Any]

ROOT_FIELDS = ("apiVersion", "kind", "metadata")
"""What every object has, whatever its schema says."""


class StructuralSchema:
    """The schema of one version of a custom kind."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        parts = schema.get("properties") or {}
        self._validators = {
            name: Draft202012Validator(
                _converted(part), validate_formats=True, pattern_options=RegexOptions()
            )
            for name, part in parts.items()
            if name not in ROOT_FIELDS
        }
        self._required: list[str] = schema.get("required") or []

    def prune(self, obj: Object) -> None:
        """Remove unknown fields, in place."""
        for container, name, _ in list(_unknown(self._schema, obj, "", is_root=True)):
            del container[name]

    def unknown(self, obj: Object) -> list[str]:
        """Paths of the fields that pruning would remove."""
        return [path for _, _, path in _unknown(self._schema, obj, "", is_root=True)]

    def default(self, obj: Object) -> None:
        """Fill in defaults, in place."""
        _fill(self._schema, obj)

    def validate(
        self, obj: Object, old: Object | None = None, *, spoken: str | None = None
    ) -> list[FieldError]:
        """What is wrong with an object; parts that are as they were are not looked at again.

        Sentences call each part by its name, or by `spoken` where that is given.
        """
        errors = [FieldError(name, "Required value") for name in self._required if name not in obj]
        changed = [
            name
            for name in sorted(self._validators)
            if name in obj and (old is None or obj[name] != old.get(name))
        ]
        for name in changed:
            found = self._validators[name].iter_errors(obj[name])
            errors += field_errors(found, name, name if spoken is None else spoken)
        for name in changed:
            errors += _duplicates(self._schema["properties"][name], obj[name], name)
        return errors


def _unknown(
    schema: Schema, value: Any, path: str, *, is_root: bool = False
) -> Iterator[tuple[Object, str, str]]:
    """(the dict, the name in it, the path) of each field that the schema does not know."""
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _unknown(schema["items"], item, f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    known = schema.get("properties") or {}
    others = schema.get("additionalProperties")
    keep = schema.get("x-kubernetes-preserve-unknown-fields") or others is True
    for name, item in value.items():
        child = f"{path}.{name}" if path else name
        if is_root and name in ROOT_FIELDS:
            continue
        if name in known:
            yield from _unknown(known[name], item, child)
        elif isinstance(others, dict):
            yield from _unknown(others, item, child)
        elif not keep:
            yield value, name, child


def _fill(schema: Schema, value: Any) -> None:
    """Remove nulls that may not be, set defaults of what is absent."""
    if isinstance(value, list):
        for item in value:
            _fill(schema.get("items") or {}, item)
    elif isinstance(value, dict):
        known = schema.get("properties") or {}
        for name, child in known.items():
            _fill_field(child, value, name)
        others = schema.get("additionalProperties")
        if isinstance(others, dict):
            for name in value.keys() - known.keys():
                _fill(others, value[name])


def _fill_field(schema: Schema, container: Object, name: str) -> None:
    if name in container and container[name] is None and not schema.get("nullable"):
        del container[name]
    if "default" in schema and name not in container:
        container[name] = msgspec.json.decode(msgspec.json.encode(schema["default"]))
    if name in container:
        _fill(schema, container[name])


def _converted(schema: Schema) -> Schema:
    """The schema in JSON Schema's own words."""
    result = {name: value for name, value in schema.items() if name in _KEPT_KEYWORDS}
    if schema.get("x-kubernetes-int-or-string"):
        result["type"] = ["integer", "string"]
    if "properties" in schema:
        parts = sorted(schema["properties"].items())
        result["properties"] = {name: _converted(part) for name, part in parts}
    for name in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(name), dict):
            result[name] = _converted(schema[name])
    for name in ("allOf", "anyOf", "oneOf"):
        if name in schema:
            result[name] = [_converted(value) for value in schema[name]]
    if schema.get("nullable"):
        if "type" in result:
            result["type"] = [*_as_list(result["type"]), "null"]
        if "enum" in result:
            result["enum"] = [*result["enum"], None]
    return result


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


_KEPT_KEYWORDS = {
    "type",
    "format",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "required",
}
"""Keywords that mean the same in both."""


def _duplicates(schema: Schema, value: Any, path: str) -> list[FieldError]:
    """Items of set and map lists that are there twice."""
    errors: list[FieldError] = []
    if isinstance(value, list):
        errors += _list_duplicates(schema, value, path)
        for index, item in enumerate(value):
            errors += _duplicates(schema.get("items") or {}, item, f"{path}[{index}]")
    elif isinstance(value, dict):
        known = schema.get("properties") or {}
        for name in value.keys() & known.keys():
            if isinstance(value[name], dict | list):
                errors += _duplicates(known[name], value[name], f"{path}.{name}")
    return errors


def _list_duplicates(schema: Schema, items: list[Any], path: str) -> list[FieldError]:
    kind = schema.get("x-kubernetes-list-type")
    if kind not in {"set", "map"}:
        return []
    keys = schema.get("x-kubernetes-list-map-keys") or []
    seen: dict[bytes, int] = defaultdict(int)
    errors = []
    for index, item in enumerate(items):
        identity = {key: item.get(key) for key in keys} if kind == "map" else item
        encoded = msgspec.json.encode(identity)
        seen[encoded] += 1
        if seen[encoded] == 2:
            errors.append(FieldError(f"{path}[{index}]", "Duplicate value", encoded.decode()))
    return errors
