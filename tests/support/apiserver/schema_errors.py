"""The sentences with which the server says that a value breaks a custom kind's schema."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from jsonschema_rs import ValidationError
from tests.support.apiserver.fields import FieldError

Sentence = Callable[[ValidationError, str], str]
"""From the library's error and the field's path to the sentence behind the problem's name."""


def field_errors(
    errors: Iterable[ValidationError], root: str, spoken_root: str
) -> list[FieldError]:
    """Errors of the library as the server says them: of each value's sizes only the first.

    Parameters
    ----------
    root
        Field of the object in which the errors are: `spec` or `status`.
    spoken_root
        How sentences call that field: of a status write they leave `status` out.
    """
    found: list[FieldError] = []
    told: set[str] = set()
    for error in sorted(errors, key=_rank):
        path = _path(error, root)
        if error.kind.name in _SIZES:
            if path in told:
                continue
            told.add(path)
        found.append(_field_error(error, path, _path(error, spoken_root).lstrip(".")))
    return found


def _rank(error: ValidationError) -> tuple[list[str], int]:
    """By path, then in the order in which the server looks at the keywords."""
    keyword = error.kind.name
    rank = list(_SENTENCES).index(keyword) if keyword in _SENTENCES else len(_SENTENCES)
    return [str(part) for part in error.instance_path], rank


def _path(error: ValidationError, root: str) -> str:
    parts = error.instance_path
    return root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _field_error(error: ValidationError, path: str, spoken: str) -> FieldError:
    keyword = error.kind.name
    if keyword == "required":
        return FieldError(f"{path}.{error.kind.value}", "Required value")
    if keyword not in _SENTENCES:
        return FieldError(path, "Invalid value", error.message)
    problem, sentence = _SENTENCES[keyword]
    reason = "FieldValueTypeInvalid" if keyword in {"type", "format"} else None
    return FieldError(path, problem, sentence(error, spoken), reason)


def _quoted(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _type_sentence(error: ValidationError, path: str) -> str:
    wanted = [name for name in error.kind.value if name != "null"]
    found = _TYPE_NAMES.get(type(error.instance), "null")
    return f'"{found}": {path} in body must be of type {",".join(wanted)}: "{found}"'


def _format_sentence(error: ValidationError, path: str) -> str:
    value = _quoted(error.instance)
    return f"{value}: {path} in body must be of type {error.kind.value}: {value}"


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
    "format": ("Invalid value", _format_sentence),
    "maxLength": ("Too long", _length_sentence),
    "minLength": ("Invalid value", _should("be at least {} chars long")),
    "pattern": ("Invalid value", _should("match '{}'")),
    "maximum": ("Invalid value", _should("be less than or equal to {}")),
    "minimum": ("Invalid value", _should("be greater than or equal to {}")),
    "multipleOf": ("Invalid value", _should("be a multiple of {}")),
    "maxItems": ("Too many", _count_sentence),
    "minItems": ("Invalid value", _should("have at least {} items")),
    "maxProperties": ("Too many", _count_sentence),
    "minProperties": ("Invalid value", _should("have at least {} properties")),
    "enum": ("Unsupported value", _enum_sentence),
}
"""Keyword of the schema -> the problem's name and its sentence, in the server's order."""

_SIZES = {"maxLength", "minLength", "pattern", "maximum", "minimum", "multipleOf"}
"""Keywords of which the server tells only the first that is broken."""
