"""JSON Schema of items as users write it → one that is safe to check with. Pure.

What is left over knows no references, so nothing is fetched, and checking an item takes time in
proportion to its size and that of the schema. Annotations and unknown words are left out; formats
too, which Apify's validator does not check either (Apify docs: dataset validation).
"""

from collections.abc import Callable
from typing import Any

import jsonschema_rs

from actor_operator.text import cut

JsonSchema = dict[str, Any]
Validator = jsonschema_rs.Draft7Validator | jsonschema_rs.Draft202012Validator

DIALECTS: dict[str, Callable[..., Validator]] = {
    "http://json-schema.org/draft-07/schema": jsonschema_rs.Draft7Validator,
    "https://json-schema.org/draft/2020-12/schema": jsonschema_rs.Draft202012Validator,
}
"""What ``$schema`` may name (Apify docs: dataset schema); without it, the first one."""

MOST_PARTS = 10_000
"""Schemas within a schema, once its references are written out."""

MOST_PATTERNS = 100
"""Patterns within a schema."""

LINEAR = jsonschema_rs.RegexOptions(size_limit=1_048_576)
"""The engine without backtracking, with room for each pattern: a token that may write is enough to
give a schema, and must be enough neither to stop us nor to fill our memory."""

MOST_DEPTH = 200
"""Levels of schemas within schemas: items have half as many."""

VALUES = frozenset(
    {
        "type",
        "enum",
        "const",
        "multipleOf",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "pattern",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minContains",
        "maxContains",
        "minProperties",
        "maxProperties",
        "required",
        "dependentRequired",
    }
)
"""Words whose values are no schemas."""

ONE = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "contains",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
"""Words with a schema; ``items`` of draft 7 may have a list."""

LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
"""Words with a list of schemas."""

MAPS = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
"""Words with schemas by name; ``dependencies`` may have lists of names instead."""

DYNAMIC = frozenset({"$dynamicRef", "$recursiveRef"})
"""References whose meaning depends on who refers."""


class ItemSchemaError(ValueError):
    """The schema cannot be used; says why."""


def compile_item_schema(schema: Any) -> Validator | None:
    """Make a schema of items ready to check with.

    Returns
    -------
    Validator | None
        None: everything is valid.

    Raises
    ------
    ItemSchemaError
        When it is none, or not one that can be used.
    """
    if not isinstance(schema, dict):
        raise ItemSchemaError("it must be an object")
    dialect = schema.get("$schema", next(iter(DIALECTS)))
    make = DIALECTS.get(dialect.removesuffix("#")) if isinstance(dialect, str) else None
    if make is None:
        raise ItemSchemaError(f"$schema must be one of {', '.join(DIALECTS)}")
    translated = _Translation(schema).translate(schema, 0, ())
    if not translated:
        return None
    try:
        validator = make(translated, pattern_options=LINEAR, offline=True)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        message = getattr(error, "message", str(error))
        raise ItemSchemaError(cut(message, 500)) from None
    if "object" not in translated.get("type", "object"):
        raise ItemSchemaError("it must describe a single item, and so an object")
    return validator


class _Translation:
    """Of one schema, with its references."""

    def __init__(self, root: JsonSchema) -> None:
        self._root = root
        self._parts = 0
        self._patterns = 0

    def translate(self, schema: Any, depth: int, inside: tuple[str, ...]) -> Any:
        """A schema within the schema; `inside` are the references that led to it."""
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, dict):
            raise ItemSchemaError("every part of it must be an object, true or false")
        self._parts += 1
        if self._parts > MOST_PARTS or depth > MOST_DEPTH:
            raise ItemSchemaError(
                f"with its references it has more than {MOST_PARTS} parts, or more than"
                f" {MOST_DEPTH} levels"
            )
        if DYNAMIC & schema.keys():
            raise ItemSchemaError("$dynamicRef and $recursiveRef are not supported")
        if "$ref" in schema:
            return self._referred(schema, depth, inside)
        answer = {word: value for word, value in schema.items() if word in VALUES}
        self._check_pattern(answer.get("pattern"))
        for word, value in schema.items():
            if word in ONE | LISTS | MAPS:
                answer[word] = self._within(word, value, depth + 1, inside)
        if answer.get("additionalProperties") is False:
            # Without this the validator would not say which ones were too many.
            answer.setdefault("properties", {})
        if schema.get("nullable") is True and isinstance(answer.get("type"), str):
            answer["type"] = [answer["type"], "null"]
        return answer

    def _within(self, word: str, value: Any, depth: int, inside: tuple[str, ...]) -> Any:
        if word in MAPS and isinstance(value, dict):
            if word == "patternProperties":
                for pattern in value:
                    self._check_pattern(pattern)
            return {
                name: part if isinstance(part, list) else self.translate(part, depth, inside)
                for name, part in value.items()
            }
        if isinstance(value, list) and (word in LISTS or word == "items"):
            return [self.translate(part, depth, inside) for part in value]
        return self.translate(value, depth, inside)

    def _referred(self, schema: JsonSchema, depth: int, inside: tuple[str, ...]) -> Any:
        """What stands in the place of a reference."""
        reference = schema["$ref"]
        if reference in inside:
            raise ItemSchemaError("it refers to itself, which is not supported")
        found = self._at(reference)
        target = self.translate(found, depth + 1, (*inside, reference))
        rest = {word: value for word, value in schema.items() if word != "$ref"}
        beside = self.translate(rest, depth + 1, inside)
        # Draft 7 ignores what stands beside a reference, whose authors meant it all the same.
        return {"allOf": [target, beside]} if beside else target

    def _at(self, reference: Any) -> Any:
        """What a reference within the schema means (RFC 6901, without percent signs)."""
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise ItemSchemaError("$ref must refer to a part of the schema itself, by #/…")
        found: Any = self._root
        for step in reference.removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                raise ItemSchemaError(cut(f"there is nothing at {reference}", 200))
            found = found[name]
        return found

    def _check_pattern(self, pattern: Any) -> None:
        if not isinstance(pattern, str):
            return
        self._patterns += 1
        if self._patterns > MOST_PATTERNS:
            raise ItemSchemaError(f"it has more than {MOST_PATTERNS} patterns")
        try:
            jsonschema_rs.Draft7Validator({"pattern": pattern}, pattern_options=LINEAR)
        except (ValueError, jsonschema_rs.ValidationError):
            raise ItemSchemaError(
                cut(f"it has a pattern that cannot be checked in linear time: {pattern}", 300)
            ) from None
