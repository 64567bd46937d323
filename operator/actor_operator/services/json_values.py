"""JSON whose parts are looked at only where that is needed: the rest stays the text it was.

A value is the text of JSON (`msgspec.Raw`), or an object or array of such values.
"""

from typing import Any, TypeAlias

import msgspec

Value: TypeAlias = msgspec.Raw | dict[str, Any] | list[Any]
"""A value of which nothing, or something, has been read."""

Item: TypeAlias = dict[str, Value]
"""An item of a dataset, read one level deep."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


def read_item(line: bytes) -> Item:
    """Read an item one level deep."""
    return dict(_OBJECT.decode(line))


def as_object(value: Value) -> dict[str, Value] | None:
    """The fields of an object; None: the value is none."""
    if isinstance(value, msgspec.Raw):
        return dict(_OBJECT.decode(value)) if _begins(value, b"{") else None
    return value if isinstance(value, dict) else None


def as_array(value: Value) -> list[Value] | None:
    """The elements of an array; None: the value is none."""
    if isinstance(value, msgspec.Raw):
        return list(_ARRAY.decode(value)) if _begins(value, b"[") else None
    return value if isinstance(value, list) else None


def as_text(value: Value) -> str | None:
    """The text of a string; None: the value is none."""
    if isinstance(value, msgspec.Raw) and _begins(value, b'"'):
        return _TEXT.decode(value)
    return None


def json_of(value: Value) -> str:
    """A value as JSON: what was not looked at is as it was sent."""
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    return msgspec.json.encode(value).decode()


def plain(value: Value) -> str:
    """A value as text for people: a string without quotes, nothing for null."""
    text = as_text(value)
    if text is not None:
        return text
    written = json_of(value)
    return "" if written == "null" else written


def _begins(value: msgspec.Raw, symbol: bytes) -> bool:
    return bytes(memoryview(value)[:1]) == symbol
