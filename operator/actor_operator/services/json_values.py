"""JSON whose parts are looked at only where that is needed: the rest stays the text it was.

A value is the text of JSON (`msgspec.Raw`), or an object or array of such values.
"""

import re
from typing import Any, TypeAlias

import msgspec

Value: TypeAlias = msgspec.Raw | dict[str, Any] | list[Any]
"""A value of which nothing, or something, has been read."""

Item: TypeAlias = dict[str, Value]
"""An item of a dataset, read one level deep."""

_BRACE, _BRACKET, _QUOTE = b'{["'
_NESTED = b"{["
_OBJECT: msgspec.json.Decoder[Item] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY: msgspec.json.Decoder[list[Value]] = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def mend(body: bytes) -> bytes:
    """Replace halves of surrogate pairs, which JavaScript writes where it has cut a text.

    No decoder takes them, and nobody could read them back.
    """
    # Most texts have no escapes, and one byte is found far faster than two.
    if b"\\" not in body or (b"\\ud" not in body and b"\\uD" not in body):
        return body
    return _ESCAPES.sub(lambda found: rb"\ufffd" if found["lone"] else found[0], body)


def read_item(line: bytes) -> Item:
    """Read an item one level deep."""
    return _OBJECT.decode(line)


def is_nested(value: Value) -> bool:
    """Whether a value is an object or an array: the quick question before the two below."""
    return not isinstance(value, msgspec.Raw) or memoryview(value)[0] in _NESTED


def as_object(value: Value) -> dict[str, Value] | None:
    """The fields of an object; None: the value is none."""
    if isinstance(value, msgspec.Raw):
        return _OBJECT.decode(value) if memoryview(value)[0] == _BRACE else None
    return value if isinstance(value, dict) else None


def as_array(value: Value) -> list[Value] | None:
    """The elements of an array; None: the value is none."""
    if isinstance(value, msgspec.Raw):
        return _ARRAY.decode(value) if memoryview(value)[0] == _BRACKET else None
    return value if isinstance(value, list) else None


def as_text(value: Value) -> str | None:
    """The text of a string; None: the value is none."""
    if isinstance(value, msgspec.Raw) and memoryview(value)[0] == _QUOTE:
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
