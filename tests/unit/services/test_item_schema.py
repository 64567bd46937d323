from typing import Any

import pytest

from actor_operator.services.item_schema import (
    MOST_PARTS,
    MOST_PATTERNS,
    ItemSchemaError,
    compile_item_schema,
)


def fits(schema: dict[str, Any], item: Any) -> bool:
    """Whether an item passes a schema."""
    validator = compile_item_schema(schema)
    return validator is None or validator.is_valid(item)


@pytest.mark.parametrize("schema", [{}, {"title": "A page", "description": "Anything."}])
def test_a_schema_that_says_nothing_checks_nothing(schema: dict[str, Any]) -> None:
    assert compile_item_schema(schema) is None


def test_a_field_may_be_null_where_that_is_said() -> None:
    schema = {"properties": {"a": {"type": "string", "nullable": True}, "b": {"type": "string"}}}
    assert fits(schema, {"a": None})
    assert not fits(schema, {"a": 1})
    assert not fits(schema, {"b": None})


def test_formats_are_for_readers() -> None:
    assert fits({"properties": {"a": {"type": "string", "format": "uri"}}}, {"a": "no uri"})


def test_a_reference_within_the_schema_stands_for_what_it_means() -> None:
    schema = {
        "properties": {"price": {"$ref": "#/definitions/a~1b"}, "title": {"type": "string"}},
        "definitions": {"a/b": {"type": "number", "minimum": 0}},
    }
    assert fits(schema, {"price": 1})
    assert not fits(schema, {"price": -1})


def test_what_stands_beside_a_reference_holds_too() -> None:
    schema = {
        "properties": {"a": {"$ref": "#/$defs/n", "maximum": 5}},
        "$defs": {"n": {"type": "number"}},
    }
    assert fits(schema, {"a": 5})
    assert not fits(schema, {"a": 6})
    assert not fits(schema, {"a": "x"})


def test_both_drafts_are_known() -> None:
    tuples = {"properties": {"a": {"type": "array", "prefixItems": [{"type": "string"}]}}}
    new = {"$schema": "https://json-schema.org/draft/2020-12/schema", **tuples}
    old = {"$schema": "http://json-schema.org/draft-07/schema#", **tuples}
    assert not fits(new, {"a": [1]})
    assert fits(old, {"a": [1]})  # a word that draft 7 does not know


def many_doublings() -> dict[str, Any]:
    """A short schema that is very long once its references are written out."""
    levels = {
        f"d{n}": {"allOf": [{"$ref": f"#/definitions/d{n + 1}"}] * 2} for n in range(MOST_PARTS)
    }
    return {"allOf": [{"$ref": "#/definitions/d0"}], "definitions": levels}


def deep() -> dict[str, Any]:
    """A schema with many levels."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(300):
        schema = {"properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ([], "an object"),
        ({"type": "array"}, "a single item"),
        ({"type": ["null", "string"]}, "a single item"),
        ({"type": "objekt"}, "objekt"),
        ({"type": 3}, "3"),
        ({"properties": 3}, "every part"),
        ({"required": "a"}, "array"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, r"\$schema"),
        ({"$schema": 7}, r"\$schema"),
        ({"$ref": "#"}, "#/"),
        ({"properties": {"a": {"$ref": "http://127.0.0.1/a.json"}}}, "#/"),
        ({"properties": {"a": {"$ref": "#/properties/b"}}}, "nothing at"),
        ({"properties": {"a": {"items": {"$ref": "#/properties/a"}}}}, "to itself"),
        ({"properties": {"a": {"$dynamicRef": "#a"}}}, "not supported"),
        ({"properties": {"a": {"pattern": "(?=a)"}}}, "linear"),
        ({"patternProperties": {"(a)\\1": {}}}, "linear"),
        ({"properties": {"a": {"pattern": "(a{1000}){1000}"}}}, "linear"),
        ({"properties": {f"p{n}": {"pattern": "a"} for n in range(MOST_PATTERNS + 1)}}, "patterns"),
        (many_doublings(), "parts"),
        (deep(), "levels"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_the_reason(schema: Any, word: str) -> None:
    with pytest.raises(ItemSchemaError, match=word):
        compile_item_schema(schema)
