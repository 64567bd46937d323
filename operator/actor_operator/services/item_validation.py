"""Whether items fit the schema of their dataset, told in the words of Apify's validator, AJV. Pure.

Each part of an error is short, whatever the item and the schema have.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs
import msgspec

from actor_operator.services.errors import ApiError
from actor_operator.services.item_schema import Validator
from actor_operator.text import cut

MOST_ITEMS = 100
"""Items that are told of at once."""

MOST_MISTAKES = 20
"""Mistakes of an item that are told of."""

MOST_BYTES = 500
"""Longest part of an error: names and patterns may have megabytes too."""

Told = tuple[str, dict[str, Any]]
"""A message, and its parts for programs."""


def _limit(sign: str) -> Callable[[dict[str, Any]], Told]:
    return lambda said: (
        f"must be {sign} {said['limit']}",
        {"comparison": sign, "limit": said["limit"]},
    )


def _amount(amount: str, things: str) -> Callable[[dict[str, Any]], Told]:
    return lambda said: (
        f"must NOT have {amount} than {said['limit']} {things}",
        {"limit": said["limit"]},
    )


def _kinds(said: dict[str, Any]) -> Told:
    kinds = said["types"]
    return f"must be {','.join(kinds)}", {"type": kinds[0] if len(kinds) == 1 else kinds}


TOLD: dict[str, Callable[[dict[str, Any]], Told]] = {
    "additionalItems": lambda said: (f"must NOT have more than {said['limit']} items", said),
    "anyOf": lambda _: ("must match a schema in anyOf", {}),
    "const": lambda said: ("must be equal to constant", {"allowedValue": said["expected_value"]}),
    "contains": lambda _: ("must contain a valid item", {}),
    "enum": lambda said: (
        "must be equal to one of the allowed values",
        {"allowedValues": said["options"]},
    ),
    "exclusiveMaximum": _limit("<"),
    "exclusiveMinimum": _limit(">"),
    "falseSchema": lambda _: ("boolean schema is false", {}),
    "maxItems": _amount("more", "items"),
    "maxLength": _amount("more", "characters"),
    "maxProperties": _amount("more", "properties"),
    "maximum": _limit("<="),
    "minItems": _amount("fewer", "items"),
    "minLength": _amount("fewer", "characters"),
    "minProperties": _amount("fewer", "properties"),
    "minimum": _limit(">="),
    "multipleOf": lambda said: (
        f"must be multiple of {said['multiple_of']}",
        {"multipleOf": said["multiple_of"]},
    ),
    "not": lambda _: ("must NOT be valid", {}),
    "oneOf": lambda _: ("must match exactly one schema in oneOf", {}),
    "pattern": lambda said: (f'must match pattern "{said["pattern"]}"', said),
    "propertyNames": lambda _: ("property name must be valid", {}),
    "required": lambda said: (
        f"must have required property '{said['property']}'",
        {"missingProperty": said["property"]},
    ),
    "type": _kinds,
    "uniqueItems": lambda _: ("must NOT have duplicate items", {}),
}
"""What AJV says of each word (its docs: validation errors), from what our validator does."""


def check_items(lines: Sequence[bytes], validator: Validator) -> None:
    """Look at items before they are appended.

    Parameters
    ----------
    lines
        The JSON of each.
    validator
        What they must pass.

    Raises
    ------
    ApiError
        400 schema-validation-error, with the first items that do not and why.
    """
    found = list(islice(_invalid_items(lines, validator), MOST_ITEMS))
    if found:
        raise ApiError(
            "schema-validation-error",
            f"Schema validation failed: item {found[0]['itemPosition']}"
            f" {found[0]['validationErrors'][0]['message']}. Nothing was stored.",
            data={"invalidItems": found},
        )


def _invalid_items(lines: Sequence[bytes], validator: Validator) -> Iterator[dict[str, Any]]:
    for position, line in enumerate(lines):
        item = _decode(line)
        if item is None:
            mistake = _mistake((), (), "type", "has a number that is too large to check", {})
            yield {"itemPosition": position, "validationErrors": [mistake]}
        elif not validator.is_valid(item):
            mistakes = (one for error in validator.iter_errors(item) for one in _mistakes(error))
            errors = list(islice(mistakes, MOST_MISTAKES))
            yield {"itemPosition": position, "validationErrors": errors}


def _decode(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except msgspec.MsgspecError:  # a number like 1e999: all else was looked at before
        return None


def _mistakes(error: jsonschema_rs.ValidationError) -> Iterator[dict[str, Any]]:
    word, details = error.kind.name, error.kind.as_dict()
    if word == "additionalProperties":  # AJV tells of each
        for name in details["unexpected"]:
            yield _mistake(
                error.instance_path,
                error.schema_path,
                word,
                "must NOT have additional properties",
                {"additionalProperty": name},
            )
    else:
        message, params = TOLD.get(word, _anything(word))(details)
        yield _mistake(error.instance_path, error.schema_path, word, message, params)


def _anything(word: str) -> Callable[[dict[str, Any]], Told]:
    return lambda _: (f'must pass "{word}" keyword validation', {})


def _mistake(
    where: Sequence[str | int],
    rule: Sequence[str | int],
    word: str,
    message: str,
    params: dict[str, Any],
) -> dict[str, Any]:
    """An error in AJV's form."""
    return {
        "instancePath": cut(_pointer(where), MOST_BYTES),
        "schemaPath": cut(f"#{_pointer(rule)}", MOST_BYTES),
        "keyword": word,
        "params": params if len(msgspec.json.encode(params)) <= MOST_BYTES else {},
        "message": cut(message, MOST_BYTES),
    }


def _pointer(path: Sequence[str | int]) -> str:
    """A path as JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
