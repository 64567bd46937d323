"""What a client of the API is told: Apify's error types with their HTTP statuses.

Apify documents the types in its OpenAPI document (components/schemas/common/ErrorType); its clients
and users' programs depend on them.
"""

from typing import Any

from actor_operator.errors import ActorOperatorError


class ApiError(ActorOperatorError):
    """A request that is answered with an error.

    Parameters
    ----------
    error_type
        Apify's name of it, such as ``record-not-found``.
    message
        A sentence for people that says what to do.
    status
        HTTP status, from 400 to 503.
    data
        More for programs, if there is any.
    """

    def __init__(
        self,
        error_type: str,
        message: str,
        *,
        status: int = 400,
        data: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.status = status
        self.data = data


def not_found(what: str) -> ApiError:
    """Something is not there, or the caller may not see it: both look the same.

    One type for everything, because clients turn just this one into "no such thing".
    """
    return ApiError("record-not-found", f"{what} was not found.", status=404)


def invalid(message: str, error_type: str = "invalid-request") -> ApiError:
    """A request that can never succeed as it is."""
    return ApiError(error_type, message)


def unavailable(message: str) -> ApiError:
    """Something behind this server does not answer; clients try again by themselves."""
    return ApiError("service-unavailable", message, status=503)


def unsupported(what: str) -> ApiError:
    """A part of Apify's API that this server does not have."""
    return invalid(f"This is not supported by this server: {what}.")
