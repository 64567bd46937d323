"""XML by Apify's rules: arrays are repeated elements, ``@`` holds attributes and ``#`` the text.

The rules are in Apify's OpenAPI document, at the items of a dataset ("XML format extension").
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from typing_extensions import override

from actor_operator.services.errors import invalid
from actor_operator.services.exports.export import TextExport
from actor_operator.services.json_values import Item, Value, as_array, as_object, is_nested, plain

ATTRIBUTES = "@"
CONTENT = "#"

MAX_DEPTH = 64
"""Deeper values are text, with JSON in it."""

_FIRST = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e"
    "\u0391-\u03a1\u03a3-\u03ce\u0401-\u040c\u040e-\u044f\u0451-\u045c\u045e-\u0481"
    "\u05d0-\u05ea\u0621-\u063a\u0905-\u0939\u0e01-\u0e2e"
    "\u3041-\u3094\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3"
)
"""Symbols with which a name may begin by every edition of XML 1.0: many parsers know the names of
the first four only. The colon of namespaces is not among them."""

_NAME = re.compile(f"[{_FIRST}][{_FIRST}0-9.-]*")
_NOT_IN_NAME = re.compile(f"[^{_FIRST}0-9.-]")
_NO_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What no XML document may have, not even escaped (XML 1.0, 2.2)."""

_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\r": "&#13;",
        "\n": "&#10;",
        "\t": "&#9;",
    }
)


class XmlExport(TextExport):
    """A document of items.

    Parameters
    ----------
    root
        Name of the outermost element.
    row
        Name of the element of an item.

    Raises
    ------
    ApiError
        400 when these are no names.
    """

    def __init__(self, root: str = "items", row: str = "item") -> None:
        for parameter, name in (("xmlRoot", root), ("xmlRow", row)):
            if not _NAME.fullmatch(name):
                raise invalid(f"{parameter} must be the name of an XML element.", "invalid-value")
        self._root = root
        self._row = row

    @override
    def begin(self) -> bytes:
        """The beginning of the document."""
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<{self._root}>\n'.encode()

    def rows(self, items: Iterable[Item]) -> bytes:
        """Some more items."""
        return "".join(f"{element(self._row, item)}\n" for item in items).encode()

    @override
    def end(self) -> Iterator[bytes]:
        """The end of the document."""
        yield f"</{self._root}>\n".encode()


def element(name: str, value: Value, depth: int = 0) -> str:
    """A value as an element, or as several for an array.

    Parameters
    ----------
    name
        Name of the element; what no name may have becomes ``_``.
    value
        Its content.
    depth
        How deep it is in the item.
    """
    name = _as_name(name)
    if depth == MAX_DEPTH or not is_nested(value):
        return _whole(name, "", text(plain(value)))
    fields = as_object(value)
    if fields is None:
        return "".join(element(name, one, depth + 1) for one in as_array(value) or ())
    fields = dict(fields)
    attributes = ""
    if ATTRIBUTES in fields:
        given = as_object(fields.pop(ATTRIBUTES)) or {}
        attributes = "".join(_attribute(key, plain(one)) for key, one in given.items())
    content = fields.pop(CONTENT, None)
    inner = "".join(element(key, one, depth + 1) for key, one in fields.items())
    if not inner and content is not None:
        inner = text(plain(content))
    return _whole(name, attributes, inner)


def text(content: str) -> str:
    """Text between elements."""
    return _NO_CHARACTERS.sub("\ufffd", content).translate(_TEXT)


def _whole(name: str, attributes: str, inner: str) -> str:
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"


def _attribute(name: str, content: str) -> str:
    escaped = _NO_CHARACTERS.sub("\ufffd", content).translate(_ATTRIBUTE)
    return f' {_as_name(name)}="{escaped}"'


@lru_cache(maxsize=4096)  # items have the same few
def _as_name(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    name = _NOT_IN_NAME.sub("_", name)
    return name if _NAME.fullmatch(name) else f"_{name}"
