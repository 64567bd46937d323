"""Query parameters that several routes have."""

from typing import Annotated

from fastapi import Query

from actor_operator.services.errors import invalid

Offset = Annotated[int, Query(ge=0, le=2**53, description="How many to leave out at first.")]
Limit = Annotated[int, Query(ge=0, le=2**53, description="At most so many; never more than 1000.")]
Desc = Annotated[bool, Query(description="The newest first.")]
Signature = Annotated[str, Query(description="Signature of a link that its owner gave away.")]

MAX_LIMIT = 1000
"""Most entries of one page of a list."""


def page_limit(limit: int) -> int:
    """How many entries a page has: 0 is as many as possible."""
    return min(limit or MAX_LIMIT, MAX_LIMIT)


def comma_list(text: str | None) -> tuple[str, ...]:
    """The parts of a comma-separated parameter; none for an empty one."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def one_of(text: str, allowed: tuple[str, ...], name: str) -> str:
    """A parameter with few values.

    Raises
    ------
    ApiError
        When it has another one.
    """
    if text not in allowed:
        raise invalid(f"{name} must be one of {', '.join(allowed)}.", "param-not-one-of")
    return text
