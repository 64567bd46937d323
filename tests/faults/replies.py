"""Answers that the API server might have given."""

import http
from dataclasses import dataclass, field

import msgspec
from tests.faults.points import Asked

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


def status(code: int, message: str = "") -> dict[str, object]:
    """The Status of a refusal."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message or f"a plan says: {http.HTTPStatus(code).phrase}",
        "reason": REASONS.get(code, ""),
        "code": code,
    }


def refusal(code: int, asked: Asked, retry_after: int | None = None) -> Reply:
    """A refusal of a request; 403 in the words of an authorizer, as of one that is starting."""
    kind = asked.kind.partition("/")[0]
    forbidden = f'{kind} is forbidden: User "it" cannot {asked.verb} resource "{asked.kind}"'
    message = forbidden if code == http.HTTPStatus.FORBIDDEN else ""
    reply = Reply(code, msgspec.json.encode(status(code, message)))
    if retry_after is not None:
        reply.headers["Retry-After"] = str(retry_after)
    return reply


def error_event(code: int) -> bytes:
    """The line of a watch that says that it failed."""
    return msgspec.json.encode({"type": "ERROR", "object": status(code)}) + b"\n"
