"""Every failure of a call to the API server, told apart by what the caller does about it.

::

    ApiError                      status, reason, message, causes, retry_after, may_have_applied
    ├── NotFoundError             404  the object (or the whole kind) is not there
    ├── AlreadyExistsError        409  create: the name is taken
    ├── ConflictError             409  the object changed since it was read
    ├── GoneError                 410  too old to go on from              (also ExpiredError)
    ├── UnauthorizedError         401  credentials, after reading them anew
    ├── ForbiddenError            403  RBAC, or the namespace is going
    │   └── QuotaExceededError    403  a ResourceQuota is full
    ├── InvalidError              400, 405, 406, 413, 415, 422           (TerminalError)
    ├── TooManyRequestsError      429  come back after ``retry_after``    (WaitingError)
    ├── ServerError               5xx  and whatever else the server says
    └── UnreachableError          no answer: refused, reset, timed out

All but the two marked otherwise are a ``RetryableError``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from actor_operator.errors import (
    ActorOperatorError,
    ExpiredError,
    RetryableError,
    StaleError,
    TerminalError,
    WaitingError,
)
from actor_operator.kube.exchange import NotConnectedError
from actor_operator.text import cut

MAX_MESSAGE_BYTES = 1024
"""Longest message kept of an answer; admission webhooks can send any length."""

DEFAULT_RETRY_AFTER = 1.0
"""Seconds to wait after a 429 that does not say how long (what client-go does); never less."""

LONGEST_RETRY_AFTER = 60.0
"""Seconds; longer wishes are cut, because runs have deadlines to be kept."""


NEVER_CONNECTED = (
    NotConnectedError,
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
)
"""What is raised when no connection came about, so that nothing was sent."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One entry of ``details.causes`` of a Status."""

    reason: str
    message: str
    field: str


class ApiError(ActorOperatorError):
    """A call failed.

    Parameters
    ----------
    message
        The server's sentence, or ours when there was no answer.
    status
        HTTP status; 0 without an answer.
    reason
        The Status' CamelCase reason, e.g. ``AlreadyExists``.
    retry_after
        Seconds that the server asked to wait, if it did.
    causes
        What exactly was wrong, as far as the server says.
    may_have_applied
        The write may have been committed all the same: look before assuming anything.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        reason: str = "",
        retry_after: float | None = None,
        causes: tuple[Cause, ...] = (),
        may_have_applied: bool = False,
    ) -> None:
        # Not super(): the siblings in the tree take other arguments.
        ActorOperatorError.__init__(self, message)
        self.message = message
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        self.causes = causes
        self.may_have_applied = may_have_applied

    def has_cause(self, reason: str) -> bool:
        """Whether the server named this reason among the causes, e.g. ``NamespaceTerminating``."""
        return any(cause.reason == reason for cause in self.causes)


class NotFoundError(ApiError, RetryableError):
    """The object is not there; on a list or watch: the kind is not served."""


class AlreadyExistsError(ApiError, RetryableError):
    """A create met an object of that name, perhaps our own of a lost answer."""


class ConflictError(ApiError, StaleError):
    """The object changed since it was read, or a precondition does not hold."""


class GoneError(ApiError, ExpiredError):
    """The resourceVersion or continue token is too old."""


class UnauthorizedError(ApiError, RetryableError):
    """The credentials are refused, also after they were read anew."""


class ForbiddenError(ApiError, RetryableError):
    """RBAC does not allow it, admission refuses it, or the namespace is terminating."""


class QuotaExceededError(ForbiddenError):
    """A ResourceQuota of the namespace is used up."""


class InvalidError(ApiError, TerminalError):
    """The server will never take this request."""


class TooManyRequestsError(ApiError, WaitingError):
    """The server asks to slow down; ``requeue_after`` is what it asked for, within reason."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message, **details)
        asked = DEFAULT_RETRY_AFTER if self.retry_after is None else self.retry_after
        self.requeue_after = min(max(asked, DEFAULT_RETRY_AFTER), LONGEST_RETRY_AFTER)


class ServerError(ApiError, RetryableError):
    """The server (or a proxy before it) failed."""


class UnreachableError(ApiError, RetryableError):
    """There was no answer."""


_CLASS_OF_STATUS: dict[int, type[ApiError]] = {
    400: InvalidError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    405: InvalidError,
    406: InvalidError,
    409: ConflictError,
    410: GoneError,
    413: InvalidError,
    415: InvalidError,
    422: InvalidError,
    429: TooManyRequestsError,
}


class _StatusCause(msgspec.Struct):
    reason: str = ""
    message: str = ""
    field: str = ""


class _StatusDetails(msgspec.Struct):
    causes: list[_StatusCause] | None = None
    retry_after: float | None = msgspec.field(default=None, name="retryAfterSeconds")


class _Status(msgspec.Struct):
    message: str = ""
    reason: str = ""
    details: _StatusDetails | None = None


def error_from_answer(
    status: int, body: bytes, headers: Mapping[str, str], *, write: bool
) -> ApiError:
    """The error for an answer that is no success.

    Parameters
    ----------
    status
        HTTP status.
    body
        A Status as JSON; proxies send anything else.
    headers
        Looked up for ``Retry-After``.
    write
        Whether the request would have changed something.
    """
    answer = _parse_status(body)
    details = answer.details or _StatusDetails()
    message = cut(answer.message or f"HTTP {status}", MAX_MESSAGE_BYTES)
    kind = _class_of(status, answer.reason, message)
    return kind(
        message,
        status=status,
        reason=answer.reason,
        retry_after=_retry_after(headers, details.retry_after),
        causes=tuple(
            Cause(c.reason, cut(c.message, MAX_MESSAGE_BYTES), c.field)
            for c in details.causes or ()
        ),
        may_have_applied=write and kind is ServerError,
    )


def error_from_exception(exc: Exception, *, write: bool) -> UnreachableError:
    """The error for a request without an answer.

    Parameters
    ----------
    exc
        What our own client or aiohttp, the socket or the TLS layer raised.
    write
        Whether the request would have changed something; it may have, unless no connection
        came about.
    """
    connected = not isinstance(exc, NEVER_CONNECTED)
    return UnreachableError(
        cut(f"no answer from the API server: {_cause_of(exc)}", MAX_MESSAGE_BYTES),
        reason=type(exc).__name__,
        may_have_applied=write and connected,
    )


def _cause_of(exc: Exception) -> str:
    if isinstance(exc, aiohttp.ClientConnectorError):
        # Its own sentence holds the address of an object: it would be another one each time.
        return f"cannot connect to {exc.host}:{exc.port}: {exc.os_error}"
    return str(exc) or type(exc).__name__


def _class_of(status: int, reason: str, message: str) -> type[ApiError]:
    if status == 403 and "exceeded quota" in message:
        return QuotaExceededError
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExistsError
    return _CLASS_OF_STATUS.get(status, ServerError)


def _parse_status(body: bytes) -> _Status:
    try:
        return msgspec.json.decode(body, type=_Status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # A proxy's page, or one of the plain-text answers of the API server itself.
        return _Status(message=body.decode(errors="replace").strip())


def _retry_after(headers: Mapping[str, str], seconds: float | None) -> float | None:
    header = headers.get("Retry-After", "")
    return float(header) if header.isdecimal() else seconds
