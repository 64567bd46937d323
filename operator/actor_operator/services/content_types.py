"""Content types as clients send them."""

from actor_operator.services.errors import invalid

MAX_CONTENT_TYPE = 256
"""Longest content type that is kept."""


def check_content_type(given: str) -> str:
    """A content type that can be kept with a record.

    Raises
    ------
    ApiError
        400 when it is too long.
    """
    if len(given) > MAX_CONTENT_TYPE:
        raise invalid(f"A Content-Type has at most {MAX_CONTENT_TYPE} symbols.")
    return given
