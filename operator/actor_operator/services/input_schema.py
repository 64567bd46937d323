"""Apify's input schemas: their translation to JSON Schema, and their defaults. Pure.

Apify's own words for forms (editor, title, prefill …) say nothing of what is valid. Its schema is
described in the documentation of the platform (actor definition, input schema).
"""

import copy
from typing import Any

import jsonschema_rs

JsonSchema = dict[str, Any]

KEPT = (
    "enum",
    "minimum",
    "maximum",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
)
"""Keywords that mean the same in both."""

LINEAR = jsonschema_rs.RegexOptions()
"""The engine without backtracking: whoever writes an Actor could else stop us with one pattern."""


class SchemaError(ValueError):
    """The input schema of a build cannot be used; says why."""


def translate(schema: Any) -> JsonSchema:
    """Translate an input schema, or the part of it that describes one field.

    Raises
    ------
    SchemaError
        When it is none.
    """
    if not isinstance(schema, dict):
        raise SchemaError("a schema must be an object")
    answer = {key: schema[key] for key in KEPT if key in schema}
    _keep_linear(answer)
    if "type" in schema:
        answer["type"] = schema["type"]
    if "properties" in schema:
        answer["properties"] = _properties(schema)
    if "additionalProperties" in schema:
        extra = schema["additionalProperties"]
        answer["additionalProperties"] = extra if isinstance(extra, bool) else translate(extra)
    if "items" in schema:
        answer["items"] = translate(schema["items"])
    _add_patterns(answer, schema)
    return _nullable(answer) if schema.get("nullable") is True else answer


def fill_in(value: dict[str, Any], schema: JsonSchema) -> bool:
    """Put the defaults of Apify's schema where fields are missing, also within fields.

    Returns
    -------
    bool
        Whether there was anything to put.
    """
    changed = False
    properties = schema.get("properties")
    for name, field in properties.items() if isinstance(properties, dict) else ():
        if not isinstance(field, dict):
            continue
        if name not in value:
            if "default" in field:
                value[name] = copy.deepcopy(field["default"])
                changed = True
        elif isinstance(value[name], dict):
            changed = fill_in(value[name], field) or changed
    return changed


def _properties(schema: JsonSchema) -> JsonSchema:
    fields = schema["properties"]
    if not isinstance(fields, dict):
        raise SchemaError("properties must be an object")
    answer = {name: translate(field) for name, field in fields.items()}
    required = schema.get("required", ())
    for name in required if isinstance(required, list) else ():
        # On Apify a required array needs an item.
        if answer.get(name, {}).get("type") == "array":
            answer[name]["minItems"] = max(1, answer[name].get("minItems", 1))
    return answer


def _add_patterns(answer: JsonSchema, schema: JsonSchema) -> None:
    """``patternKey`` and ``patternValue``: of objects, and of lists of texts or of pairs."""
    key, value = schema.get("patternKey"), schema.get("patternValue")
    key = key if isinstance(key, str) and is_linear(key) else None
    value = value if isinstance(value, str) and is_linear(value) else None
    if answer.get("type") == "object":
        if key is not None:
            answer["propertyNames"] = {"pattern": key}
        if value is not None:
            answer["patternProperties"] = {"": {"type": "string", "pattern": value}}
    elif answer.get("type") == "array" and (key is not None or value is not None):
        texts: JsonSchema = {"pattern": value} if value is not None else {}
        names: JsonSchema = {"pattern": key} if key is not None else {}
        rules = {**texts, "properties": {"key": names, "value": texts}}
        answer["items"] = {"allOf": [answer.get("items", {}), rules]}


def _keep_linear(answer: JsonSchema) -> None:
    """Leave out a pattern that the engine without backtracking does not have (look-around)."""
    pattern = answer.get("pattern")
    if isinstance(pattern, str) and not is_linear(pattern):
        del answer["pattern"]


def is_linear(pattern: str) -> bool:
    """Whether a pattern is one that can be checked in linear time."""
    try:
        jsonschema_rs.Draft7Validator({"pattern": pattern}, pattern_options=LINEAR)
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True


def _nullable(answer: JsonSchema) -> JsonSchema:
    kinds = answer.get("type")
    if isinstance(kinds, str):
        answer["type"] = [kinds, "null"]
    if isinstance(answer.get("enum"), list):
        answer["enum"] = [*answer["enum"], None]
    return answer
