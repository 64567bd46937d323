"""Answers that the API server might have given."""

import http
from dataclasses import dataclass, field

import msgspec

REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
"""`reason` of a Status, by its code."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def status(code: int) -> dict[str, object]:
    """The Status of a refusal."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"a plan says: {http.HTTPStatus(code).phrase}",
        "reason": REASONS.get(code, ""),
        "code": code,
    }


def refusal(code: int, retry_after: int | None = None) -> Reply:
    """A refusal."""
    reply = Reply(code, msgspec.json.encode(status(code)))
    if retry_after is not None:
        reply.headers["Retry-After"] = str(retry_after)
    return reply


def error_event(code: int) -> bytes:
    """The line of a watch that says that it failed."""
    return msgspec.json.encode({"type": "ERROR", "object": status(code)}) + b"\n"
