"""Items of datasets as they come in: each a JSON object, kept as the text that was sent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

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
_ONE = msgspec.json.Decoder(msgspec.Raw)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")

_PORTION = 1000
"""Items of which the fields are read at once: with all of them, a body that is allowed would take
gigabytes."""


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
    lines = _lines(body)
    fields, clean = dict[str, None](), 0
    for first in range(0, len(lines), _PORTION):
        items = _objects(lines[first : first + _PORTION], first)
        names = dict.fromkeys(chain.from_iterable(items))
        hidden = {name for name in names if name.startswith(HIDDEN)}
        clean += len(items) - sum(map(hidden.issuperset, items))
        fields.update(names)
    kept = (name for name in fields if len(name) <= MAX_FIELD_LENGTH)
    return Push(lines, clean, tuple(kept))


def _lines(body: bytes) -> list[bytes]:
    """The text of each value, of which nothing but that it is JSON is known."""
    body = mend(body).strip()
    try:
        body.decode()  # what is skipped by the decoder is not looked at for this
        raws = _LIST.decode(body) if body.startswith(b"[") else [_ONE.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"The body must be a JSON object or an array of them: {error}") from None
    if b"\n" in body or b"\r" in body:
        # A line break in JSON is a space between its parts: in a string it would be escaped.
        return [bytes(raw).translate(_LINE_BREAKS) for raw in raws]
    return list(map(bytes, raws))


def _objects(lines: Sequence[bytes], first: int) -> list[dict[str, msgspec.Raw]]:
    """The items of some lines, read one level deep; the first line has a position."""
    text = b"\n".join(lines)
    # As many brackets as that, besides one for each item, are needed to nest an item too deeply.
    if text.count(b"{") + text.count(b"[") - len(lines) >= MAX_DEPTH:
        for position, line in enumerate(lines, first):
            if _is_deep(line):
                message = f"The item at position {position} is nested more than {MAX_DEPTH} deep."
                raise invalid(message)
    try:
        return _OBJECTS.decode_lines(text)
    except msgspec.ValidationError:
        others = (at for at, line in enumerate(lines, first) if not line.startswith(b"{"))
        position = next(others)
        raise ApiError(
            "invalid-value",
            f"Every item must be a JSON object; the one at position {position} is none.",
            data={"invalidItems": [{"itemPosition": position}]},
        ) from None


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
