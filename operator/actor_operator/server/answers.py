"""Answers in Apify's forms."""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi.responses import Response

from actor_operator.services.errors import ApiError

JSON = "application/json; charset=utf-8"

GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}
"""Headers of answers whose content users have written: no browser runs it on our address."""

_ENCODER = msgspec.json.Encoder()


def json_answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Bare JSON, without an envelope."""
    return Response(_ENCODER.encode(content), status, headers, media_type=JSON)


def data(content: Any, status: int = 200) -> Response:
    """JSON in Apify's envelope: ``{"data": …}``."""
    return json_answer({"data": content}, status)


def page(
    items: Sequence[Any], *, total: int, offset: int, limit: int, desc: bool, **more: Any
) -> Response:
    """One page of a list."""
    return data(
        {
            "total": total,
            "offset": offset,
            "limit": limit,
            "desc": desc,
            "count": len(items),
            "items": items,
            **more,
        }
    )


def no_content() -> Response:
    """Done, and nothing to say."""
    return Response(status_code=204)


def error_answer(error: ApiError) -> Response:
    """An error in Apify's envelope."""
    content: dict[str, Any] = {"type": error.error_type, "message": error.message}
    if error.data is not None:
        content["data"] = error.data
    # Who went silent holds no connection. Who sends too much still sends, and a closed connection
    # would take the answer away.
    headers = {"Connection": "close"} if error.status == 408 else None
    return json_answer({"error": content}, error.status, headers)
