"""Texts in the forms that the API server takes: no longer than allowed, JSON without spaces."""

import msgspec

ELLIPSIS = "…"
"""End of a text that was cut."""


def cut(text: str, most_bytes: int) -> str:
    """A text of at most so many bytes of UTF-8, cut between characters.

    Parameters
    ----------
    text
        The text.
    most_bytes
        At least the three bytes of the ellipsis.
    """
    data = text.encode()
    if len(data) <= most_bytes:
        return text
    return data[: most_bytes - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS


def compact_json(raw: bytes) -> bytes:
    """JSON without spaces and with sorted keys, in UTF-8: the form in which inputs are measured."""
    return msgspec.json.encode(msgspec.json.decode(raw), order="sorted")
