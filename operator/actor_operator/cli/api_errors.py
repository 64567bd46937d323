"""What the API refuses, in sentences, and what to do next. Pure."""

from http import HTTPStatus
from typing import Any

import msgspec

from actor_operator.cli.format import printable
from actor_operator.cli.problems import CommandError

MESSAGE_LENGTH = 500
"""Most of a message that is shown: what answers may not be the API."""


HINTS: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "It does not exist, or the token may not see it.",
    HTTPStatus.PAYMENT_REQUIRED: (
        "Wait until other runs have ended, or ask for less memory: --memory MB"
    ),
    HTTPStatus.TOO_MANY_REQUESTS: "Try again later.",
}
"""What to do next, by HTTP status."""


class ApiRefusalError(CommandError):
    """The API answered, and refused.

    Parameters
    ----------
    status
        HTTP status.
    kind
        The error's type, such as ``record-not-found``; empty: none was said.
    message
        What went wrong.
    hint
        What to do next.
    """

    def __init__(self, status: int, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.kind = kind


class ApiUnreachableError(CommandError):
    """There was no answer, or no whole one."""


def refusal(url: str, status: int, body: bytes) -> ApiRefusalError:
    """What an answer that is an error says.

    Parameters
    ----------
    url
        Address of the API.
    status
        HTTP status of the answer.
    body
        Its body.
    """
    error = _envelope(body)
    if error is None:
        words = f"{status} {_phrase(status)}".strip()
        return ApiRefusalError(
            status,
            "",
            f"What answers at {url} does not speak the Apify API: {words}.",
            "Is it the address of the API, and does what stands before it reach the server?",
        )
    kind, message = str(error.get("type", "")), printable(str(error.get("message", "")))
    message = message[:MESSAGE_LENGTH] or f"The API refuses this: {kind or status}."
    return ApiRefusalError(status, kind, message, _hint(url, status, message))


def unreachable(url: str, error: BaseException, *, write: bool) -> ApiUnreachableError:
    """What the lack of an answer means.

    Parameters
    ----------
    url
        Address of the API.
    error
        What the HTTP library raised.
    write
        Whether the request may have changed something.
    """
    cause = printable(str(error)) or type(error).__name__
    hint = "Is it up, and is the address right? Another one: actorctl login --url URL"
    if write:
        hint = "The request may have been carried out all the same: look before you repeat it."
    return ApiUnreachableError(f"The API {url} does not answer: {cause}", hint)


def _envelope(body: bytes) -> dict[str, Any] | None:
    try:
        content = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    error = content.get("error") if isinstance(content, dict) else None
    return error if isinstance(error, dict) else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _hint(url: str, status: int, message: str) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return f"Log in with a token that is valid: actorctl login --url {url}"
    if status == HTTPStatus.FORBIDDEN and "it would need the permission" in message:
        return (
            "Use a token that may do it; administrators make them:"
            " actorctl token create ACCOUNT --scope read --scope write"
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "Try again; if it stays so, tell an administrator."
    return HINTS.get(status, "")
