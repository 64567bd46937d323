from typing import Any

import msgspec
import pytest

from actor_operator.services.errors import ApiError
from actor_operator.services.item_schema import compile_item_schema
from actor_operator.services.item_validation import MOST_ITEMS, MOST_MISTAKES, check_items


def refused(fields: dict[str, Any], *items: bytes) -> ApiError:
    """The error about items that do not fit."""
    validator = compile_item_schema(fields)
    assert validator is not None
    with pytest.raises(ApiError) as caught:
        check_items(items, validator)
    return caught.value


def mistakes(fields: dict[str, Any], item: Any) -> list[dict[str, Any]]:
    """What is wrong with one item."""
    error = refused(fields, msgspec.json.encode(item))
    assert error.data is not None
    (found,) = error.data["invalidItems"]
    errors: list[dict[str, Any]] = found["validationErrors"]
    return errors


def test_items_that_fit_pass() -> None:
    validator = compile_item_schema({"required": ["a"]})
    assert validator is not None
    check_items([b'{"a": 1}', b'{"a": null}'], validator)


def test_the_error_names_every_item_that_does_not_fit_and_why() -> None:
    fields = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    error = refused(fields, b'{"a": "x"}', b'{"a": 1}', b'{"a": "y"}', b"{}")
    assert (error.status, error.error_type) == (400, "schema-validation-error")
    assert error.data == {
        "invalidItems": [
            {
                "itemPosition": 1,
                "validationErrors": [
                    {
                        "instancePath": "/a",
                        "schemaPath": "#/properties/a/type",
                        "keyword": "type",
                        "params": {"type": "string"},
                        "message": "must be string",
                    }
                ],
            },
            {
                "itemPosition": 3,
                "validationErrors": [
                    {
                        "instancePath": "",
                        "schemaPath": "#/required",
                        "keyword": "required",
                        "params": {"missingProperty": "a"},
                        "message": "must have required property 'a'",
                    }
                ],
            },
        ]
    }


@pytest.mark.parametrize(
    ("rule", "value", "message", "params"),
    [
        ({"type": ["string", "null"]}, 1, "must be null,string", {"type": ["null", "string"]}),
        ({"enum": [1]}, 3, "must be equal to one of the allowed values", {"allowedValues": [1]}),
        ({"const": 1}, 2, "must be equal to constant", {"allowedValue": 1}),
        ({"minimum": 3}, 2, "must be >= 3", {"comparison": ">=", "limit": 3}),
        ({"maximum": 3}, 4, "must be <= 3", {"comparison": "<=", "limit": 3}),
        ({"exclusiveMinimum": 3}, 3, "must be > 3", {"comparison": ">", "limit": 3}),
        ({"exclusiveMaximum": 3}, 3, "must be < 3", {"comparison": "<", "limit": 3}),
        ({"minLength": 2}, "a", "must NOT have fewer than 2 characters", {"limit": 2}),
        ({"maxLength": 2}, "abc", "must NOT have more than 2 characters", {"limit": 2}),
        ({"minItems": 2}, [1], "must NOT have fewer than 2 items", {"limit": 2}),
        ({"maxItems": 0}, [1], "must NOT have more than 0 items", {"limit": 0}),
        ({"minProperties": 1}, {}, "must NOT have fewer than 1 properties", {"limit": 1}),
        ({"maxProperties": 0}, {"a": 1}, "must NOT have more than 0 properties", {"limit": 0}),
        ({"multipleOf": 3}, 4, "must be multiple of 3", {"multipleOf": 3}),
        ({"pattern": "^a"}, "b", 'must match pattern "^a"', {"pattern": "^a"}),
        ({"uniqueItems": True}, [1, 1], "must NOT have duplicate items", {}),
        (
            {"items": [{}], "additionalItems": False},
            [1, 2],
            "must NOT have more than 1 items",
            {"limit": 1},
        ),
        ({"contains": {"const": 1}}, [2], "must contain a valid item", {}),
        ({"not": {"type": "number"}}, 1, "must NOT be valid", {}),
        ({"anyOf": [{"const": 1}, {"const": 2}]}, 3, "must match a schema in anyOf", {}),
        ({"oneOf": [{"const": 1}, {}]}, 1, "must match exactly one schema in oneOf", {}),
        (
            {"additionalProperties": False},
            {"b/~": 1},
            "must NOT have additional properties",
            {"additionalProperty": "b/~"},
        ),
    ],
)  # fmt: skip
def test_each_rule_is_told_as_ajv_tells_it(
    rule: dict[str, Any], value: Any, message: str, params: dict[str, Any]
) -> None:
    (found,) = mistakes({"properties": {"a": rule}}, {"a": value})
    assert (found["message"], found["params"], found["instancePath"]) == (message, params, "/a")


def test_a_field_that_may_not_be_there_is_told_of() -> None:
    (found,) = mistakes({"properties": {"a": False}}, {"a": 1})
    assert found["message"] == "boolean schema is false"


def test_a_path_is_a_json_pointer() -> None:
    rule = {"properties": {"a/b": {"items": {"type": "string"}}}}
    (found,) = mistakes(rule, {"a/b": ["x", 1]})
    assert found["instancePath"] == "/a~1b/1"


def test_a_number_that_no_program_has_room_for_does_not_fit() -> None:
    assert refused({"type": "object"}, b'{"a": 1e999}').error_type == "schema-validation-error"


def test_an_error_is_short_whatever_the_items_are() -> None:
    wide = {f"{n}" * 1000: n for n in range(2 * MOST_MISTAKES)}
    items = [msgspec.json.encode(wide)] * (2 * MOST_ITEMS)
    error = refused({"additionalProperties": False}, *items)
    assert error.data is not None
    assert len(error.data["invalidItems"]) == MOST_ITEMS
    assert len(error.data["invalidItems"][0]["validationErrors"]) == MOST_MISTAKES
    assert len(msgspec.json.encode(error.data)) < MOST_ITEMS * MOST_MISTAKES * 1000
