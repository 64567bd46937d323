"""The sentences with which the server says that a value breaks a custom kind's schema."""

from collections.abc import Callable
from typing import Any

import msgspec
from jsonschema_rs import ValidationError
from tests.support.apiserver.fields import FieldError

Sentence = Callable[[ValidationError, str], str]
"""From the library's error and the field's path to the sentence behind the problem's name."""


def field_error(error: ValidationError, root: str) -> FieldError:
    """One error of the library as the server says it."""
    path = root + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path
    )
    keyword = error.kind.name
    if keyword == "required":
        return FieldError(f"{path}.{error.kind.value}", "Required value")
    if keyword not in _SENTENCES:
        return FieldError(path, "Invalid value", error.message)
    problem, sentence = _SENTENCES[keyword]
    return FieldError(path, problem, sentence(error, path))


def _quoted(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _type_sentence(error: ValidationError, path: str) -> str:
    wanted = [name for name in error.kind.value if name != "null"]
    found = _TYPE_NAMES.get(type(error.instance), "null")
    return f'"{found}": {path} in body must be of type {wanted[0]}: "{found}"'


def _enum_sentence(error: ValidationError, _path: str) -> str:
    allowed = ", ".join(f'"{value}"' for value in error.kind.value if value is not None)
    return f"{_quoted(error.instance)}: supported values: {allowed}"


def _length_sentence(error: ValidationError, _path: str) -> str:
    return f"may not be more than {error.kind.value} bytes"


def _count_sentence(error: ValidationError, _path: str) -> str:
    return f"{_size(error.instance)}: must have at most {error.kind.value} items"


def _should(words: str) -> Sentence:
    """A sentence `<value>: <path> in body should <words>`."""

    def sentence(error: ValidationError, path: str) -> str:
        return f"{_size(error.instance)}: {path} in body should {words.format(error.kind.value)}"

    return sentence


def _size(value: Any) -> str:
    """A value as sentences name it: of lists and maps the number of entries."""
    return str(len(value)) if isinstance(value, list | dict) else _quoted(value)


_TYPE_NAMES: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
"""What the server calls the types of values."""

_SENTENCES: dict[str, tuple[str, Sentence]] = {
    "type": ("Invalid value", _type_sentence),
    "enum": ("Unsupported value", _enum_sentence),
    "pattern": ("Invalid value", _should("match '{}'")),
    "minimum": ("Invalid value", _should("be greater than or equal to {}")),
    "maximum": ("Invalid value", _should("be less than or equal to {}")),
    "multipleOf": ("Invalid value", _should("be a multiple of {}")),
    "minLength": ("Invalid value", _should("be at least {} chars long")),
    "maxLength": ("Too long", _length_sentence),
    "minItems": ("Invalid value", _should("have at least {} items")),
    "maxItems": ("Too many", _count_sentence),
    "minProperties": ("Invalid value", _should("have at least {} properties")),
    "maxProperties": ("Too many", _count_sentence),
    "format": ("Invalid value", _should("be of type {}")),
}
"""Keyword of the schema -> the problem's name and its sentence."""
