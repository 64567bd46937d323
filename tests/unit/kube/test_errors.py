"""Answers and exceptions become our errors."""

import json
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from actor_operator.errors import ExpiredError, RetryableError, TerminalError, WaitingError
from actor_operator.kube.errors import (
    MAX_MESSAGE_BYTES,
    AlreadyExistsError,
    ApiError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotFoundError,
    QuotaExceededError,
    ServerError,
    TooManyRequestsError,
    UnauthorizedError,
    error_from_answer,
    error_from_exception,
)


def answer(status: int, *, write: bool = True, retry_after: str = "", **fields: Any) -> ApiError:
    """The error for a Status."""
    body = json.dumps({"kind": "Status", "code": status} | fields).encode()
    headers = {"Retry-After": retry_after} if retry_after else {}
    return error_from_answer(status, body, headers, write=write)


@pytest.mark.parametrize(
    ("status", "reason", "message", "expected", "next_step"),
    [
        (400, "BadRequest", "", InvalidError, TerminalError),
        (401, "Unauthorized", "", UnauthorizedError, RetryableError),
        (403, "Forbidden", 'pods "a" is forbidden: no', ForbiddenError, RetryableError),
        (403, "Forbidden", "x: exceeded quota: q, used", QuotaExceededError, RetryableError),
        (404, "NotFound", "", NotFoundError, RetryableError),
        (409, "AlreadyExists", "", AlreadyExistsError, RetryableError),
        (409, "Conflict", "", ConflictError, RetryableError),
        (410, "Expired", "", GoneError, ExpiredError),
        (413, "RequestEntityTooLarge", "", InvalidError, TerminalError),
        (422, "Invalid", "", InvalidError, TerminalError),
        (429, "TooManyRequests", "", TooManyRequestsError, WaitingError),
        (500, "InternalError", "", ServerError, RetryableError),
        (503, "ServiceUnavailable", "", ServerError, RetryableError),
        (504, "Timeout", "", ServerError, RetryableError),
        (301, "", "", ServerError, RetryableError),
    ],
)
def test_each_status_has_its_class_and_says_what_happens_next(
    status: int, reason: str, message: str, expected: type[ApiError], next_step: type[Exception]
) -> None:
    error = answer(status, reason=reason, message=message)
    assert type(error) is expected
    assert isinstance(error, next_step)
    assert (error.status, error.reason) == (status, reason)


def test_the_message_is_the_servers_sentence() -> None:
    assert str(answer(409, message="the object has been modified")) == (
        "the object has been modified"
    )


def test_a_long_message_is_cut_at_a_character() -> None:
    message = answer(500, message="ä" * 5000).message
    assert MAX_MESSAGE_BYTES - 4 <= len(message.encode()) <= MAX_MESSAGE_BYTES
    assert message.endswith("ä…")


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[1]", b"\xff\xfe", b"null"])
def test_an_answer_that_is_no_status_is_understood_by_its_code(body: bytes) -> None:
    error = error_from_answer(502, body, {}, write=False)
    assert isinstance(error, ServerError)
    assert error.message


def test_the_wait_after_429_is_the_header_then_the_body_then_a_second() -> None:
    in_body = {"retryAfterSeconds": 7}
    by_header = answer(429, retry_after="30", details=in_body)
    by_body = answer(429, details=in_body)
    by_nothing = answer(429)
    assert isinstance(by_header, TooManyRequestsError)
    assert isinstance(by_body, TooManyRequestsError)
    assert isinstance(by_nothing, TooManyRequestsError)
    waits = [error.requeue_after for error in (by_header, by_body, by_nothing)]
    assert waits == [30.0, 7.0, 1.0]
    assert answer(503, retry_after="5").retry_after == 5.0
    assert answer(429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT").retry_after is None


@pytest.mark.parametrize(("asked", "wait"), [("0", 1.0), ("999999999999", 60.0), ("9" * 400, 60.0)])
def test_a_wait_after_429_is_neither_none_nor_endless(asked: str, wait: float) -> None:
    error = answer(429, retry_after=asked)
    assert isinstance(error, TooManyRequestsError)
    assert error.requeue_after == wait


def test_causes_are_kept() -> None:
    cause = {"reason": "NamespaceTerminating", "message": "going", "field": "metadata.namespace"}
    error = answer(403, details={"causes": [cause]})
    assert error.has_cause("NamespaceTerminating")
    assert not error.has_cause("FieldValueInvalid")
    assert error.causes[0].field == "metadata.namespace"


@pytest.mark.parametrize(("status", "may"), [(500, True), (504, True), (409, False), (422, False)])
def test_only_a_servers_failure_leaves_open_whether_a_write_was_applied(
    status: int, *, may: bool
) -> None:
    assert answer(status).may_have_applied is may
    assert not answer(status, write=False).may_have_applied


KEY = ConnectionKey(
    "127.0.0.1", 1, is_ssl=False, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None
)


@pytest.mark.parametrize(
    ("exc", "may"),
    [
        (aiohttp.ClientConnectorError(KEY, OSError("refused")), False),
        (aiohttp.ConnectionTimeoutError("no connection"), False),
        (aiohttp.ServerDisconnectedError(), True),
        (aiohttp.ClientOSError("reset"), True),
        (aiohttp.ClientPayloadError("half an answer"), True),
        (TimeoutError(), True),
    ],
)
def test_without_an_answer_a_write_may_be_applied_unless_there_was_no_connection(
    exc: Exception, *, may: bool
) -> None:
    error = error_from_exception(exc, write=True)
    assert error.may_have_applied is may
    assert error.reason == type(exc).__name__
    assert error.status == 0
    assert not error_from_exception(exc, write=False).may_have_applied
