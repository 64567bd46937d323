"""Texts that must be no longer than the API server takes."""

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
