"""The input of a run: as sent, or checked and completed by the schema of its build. Pure."""

import asyncio
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs

from actor_operator.services.content_types import check_content_type
from actor_operator.services.errors import ApiError, invalid
from actor_operator.services.input_schema import LINEAR, SchemaError, fill_in, translate
from actor_operator.text import cut

JSON = "application/json"

EMPTY = b"{}"

MOST_DEPTH = 64
"""Levels of nesting of an input that is checked."""

MOST_SCHEMA_DEPTH = 3 * MOST_DEPTH
"""Levels of nesting of a schema: each of the input takes two, ``properties`` and the name."""

MOST_MISTAKES = 10
"""Mistakes of an input that are told at once."""

MOST_MISTAKE_BYTES = 500
"""Longest description of one: it may quote the field, which may have megabytes."""

THREAD_BYTES = 65_536
"""A longer input, or one with a longer schema, is read beside the event loop."""

SCHEMAS_KEPT = 256
"""Compiled schemas that are kept, those used last."""


@dataclass(frozen=True, slots=True)
class RunInput:
    """The record INPUT of a run."""

    body: bytes
    content_type: str


def read_input(body: bytes, content_type: str, schema: str | None) -> RunInput:
    """Make the input of what a client sent.

    Parameters
    ----------
    body
        As sent, decoded; empty, or the JSON value null, is an empty object: so clients send "no
        input".
    content_type
        Header of the request; may be empty.
    schema
        The build's input schema as JSON text; None: it has none, and takes anything.

    Raises
    ------
    ApiError
        400 invalid-input that names the field, or invalid-input-schema; 400 for too long a content
        type.
    """
    check_content_type(content_type)
    kind = content_type.partition(";")[0].strip().lower()
    if not body or (kind in {"", JSON} and body.strip() in {b"", b"null"}):
        body, kind, content_type = EMPTY, JSON, f"{JSON}; charset=utf-8"
    if schema is None:
        return RunInput(body, content_type or JSON)
    if kind not in {"", JSON}:
        raise _invalid(f"The input must be JSON: its content type is {kind}, not {JSON}.")
    return RunInput(complete(body, schema), content_type or JSON)


async def read_long_input(body: bytes, content_type: str, schema: str | None) -> RunInput:
    """Do the same beside the event loop, where it takes long.

    Raises
    ------
    ApiError
        As `read_input`.
    """
    if len(body) + len(schema or "") > THREAD_BYTES:
        return await asyncio.to_thread(read_input, body, content_type, schema)
    return read_input(body, content_type, schema)


def complete(body: bytes, schema: str) -> bytes:
    """Check an input by a schema; returns it with the defaults of what it left out.

    Raises
    ------
    ApiError
        400 invalid-input that names the field, or invalid-input-schema.
    """
    compiled = compile_schema(schema)
    value = _read_object(body)
    changed = fill_in(value, compiled.source)
    mistakes = [
        _describe(mistake)
        for mistake, _ in zip(
            compiled.validator.iter_errors(value), range(MOST_MISTAKES), strict=False
        )
    ]
    if mistakes:
        raise _invalid(", ".join(mistakes))
    if not changed:
        return body
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise _invalid("The input has half a surrogate pair, which is no text.") from None


@dataclass(frozen=True, slots=True)
class InputSchema:
    """The input schema of a build, ready for use."""

    source: dict[str, Any]
    validator: jsonschema_rs.Draft7Validator


@lru_cache(maxsize=SCHEMAS_KEPT)
def compile_schema(text: str) -> InputSchema:
    """Make a schema ready; the same text is compiled once.

    Raises
    ------
    ApiError
        400 invalid-input-schema, when it is none.
    """
    try:
        source = json.loads(text)
        if depth(source) > MOST_SCHEMA_DEPTH:
            raise _invalid_schema(f"it is nested more than {MOST_SCHEMA_DEPTH} levels deep")
        translated = translate(source)
        validator = jsonschema_rs.Draft7Validator(
            {"type": "object", **translated}, pattern_options=LINEAR
        )
    except jsonschema_rs.ValidationError as error:
        raise _invalid_schema(error.message) from None
    except (SchemaError, ValueError, RecursionError) as error:
        raise _invalid_schema(str(error)) from None
    return InputSchema(source, validator)


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise _invalid(f"The input must be JSON: {error}") from None
    if not isinstance(value, dict):
        raise _invalid("The input must be a JSON object.")
    if depth(value) > MOST_DEPTH:
        raise _too_deep()
    return value


def depth(value: Any) -> int:
    """Levels of objects and arrays in a JSON value; 1 for a flat one."""
    level, count = [value], 0
    while level := [item for item in level if isinstance(item, dict | list)]:
        count += 1
        level = [
            child for item in level for child in (item.values() if isinstance(item, dict) else item)
        ]
    return count


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _describe(mistake: jsonschema_rs.ValidationError) -> str:
    """A mistake in the form of Apify's validator: ``Field input.x …``."""
    path = ".".join(("input", *(str(part) for part in mistake.instance_path)))
    details = mistake.kind.as_dict()
    match mistake.kind.name:
        case "required":
            return f"Field {path}.{details['property']} is required"
        case "type":
            return f"Field {path} must be {' or '.join(details['types'])}"
        case "additionalProperties":
            names = ", ".join(f"{path}.{name}" for name in details["unexpected"])
            return f"Property {names} is not allowed"
        case _:
            return cut(f"Field {path}: {mistake.message}", MOST_MISTAKE_BYTES)


def _too_deep() -> ApiError:
    return _invalid(f"The input is nested more than {MOST_DEPTH} levels deep.")


def _invalid(message: str) -> ApiError:
    return invalid(message, "invalid-input")


def _invalid_schema(message: str) -> ApiError:
    return invalid(
        f"The input schema of the Actor's build cannot be used: {message}.", "invalid-input-schema"
    )
