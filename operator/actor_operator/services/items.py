"""Items of datasets as they come in: each a JSON object, kept as the text that was sent."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from actor_operator.services.errors import ApiError, invalid
from actor_operator.services.json_values import mend

HIDDEN = "#"
"""How names of hidden fields begin (Apify)."""

MAX_FIELD_LENGTH = 200
"""Longest name of a field that a dataset remembers: that of a column (Apify)."""

MAX_DEPTH = 100
"""Deepest nesting of an item: that of the database behind Apify's datasets. Decoders have limits
that depend on who calls them; below this one they all work."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")


@dataclass(frozen=True, slots=True)
class Push:
    """Items that somebody appends.

    Parameters
    ----------
    lines
        The text of each, without line breaks.
    clean
        How many of them are not empty without their hidden fields.
    fields
        Names of their fields, in the order in which they first come.
    """

    lines: Sequence[bytes]
    clean: int
    fields: tuple[str, ...]


def read_push(body: bytes) -> Push:
    """Read an item, or an array of items.

    Raises
    ------
    ApiError
        400 when it is no JSON, or one of them is no object.
    """
    texts = _texts(body)
    lines, fields, clean = [], dict[str, None](), 0
    for position, text in enumerate(texts):
        names = _names(text, position)
        clean += any(not name.startswith(HIDDEN) for name in names)
        fields.update(dict.fromkeys(names))
        # A line break in JSON is a space between its parts: in a string it would be escaped.
        lines.append(text.translate(_LINE_BREAKS) if b"\n" in text or b"\r" in text else text)
    kept = (name for name in fields if len(name) <= MAX_FIELD_LENGTH)
    return Push(lines, clean, tuple(kept))


def _texts(body: bytes) -> list[bytes]:
    body = mend(body).strip()
    try:
        body.decode()  # what is skipped by the decoder is not looked at for this
        if not body.startswith(b"["):
            return [body]
        return [bytes(raw) for raw in _LIST.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"The body must be a JSON object or an array of them: {error}") from None


def _names(text: bytes, position: int) -> Iterable[str]:
    if not text.startswith(b"{"):
        raise ApiError(
            "invalid-value",
            f"Every item must be a JSON object; the one at position {position} is none.",
            data={"invalidItems": [{"itemPosition": position}]},
        )
    if _is_deep(text):
        raise invalid(f"The item at position {position} is nested more than {MAX_DEPTH} deep.")
    try:
        return _OBJECT.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise invalid(f"The item at position {position} is no valid JSON: {error}") from None


def _is_deep(text: bytes) -> bool:
    """Whether an object is nested more deeply than is allowed."""
    if text.count(b"{") + text.count(b"[") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", text).translate(None, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):  # the innermost ones go, again and again
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if not brackets:
            return False
    return True
