"""Refusals of the API server, as exceptions that carry the `Status` object a client gets.

The texts are those of kube-apiserver, because the operator and its users read them.
"""

from typing import Any

from tests.support.apiserver.fields import FieldError
from tests.support.apiserver.kinds import Kind

MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
"""Why an optimistic lock failed."""


class ApiError(Exception):
    """A request is refused.

    Parameters
    ----------
    code
        HTTP status code.
    reason
        Machine reason, such as `NotFound`.
    message
        The sentence for people.
    details
        The object and field causes.
    metadata
        List metadata of the Status, used for a continue token after 410.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}

    @property
    def retry_after(self) -> int | None:
        """Seconds of the Retry-After header, None for none."""
        return (self.details or {}).get("retryAfterSeconds")

    def status(self) -> dict[str, Any]:
        """The `Status` object that is the answer's body."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details:
            body["details"] = self.details
        return body | {"code": self.code}


def _details(kind: Kind, name: str) -> dict[str, Any]:
    """Who is meant, as the server names it: by resource, not by kind."""
    details = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    return details | {"kind": kind.plural}


def bad_request(message: str) -> ApiError:
    """The request itself makes no sense."""
    return ApiError(400, "BadRequest", message)


def not_found(kind: Kind, name: str) -> ApiError:
    """No such object."""
    return ApiError(
        404, "NotFound", f'{kind.resource} "{name}" not found', details=_details(kind, name)
    )


def no_such_path() -> ApiError:
    """No such kind, group or subresource."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", details={})


def already_exists(kind: Kind, name: str) -> ApiError:
    """The name is taken."""
    return ApiError(
        409,
        "AlreadyExists",
        f'{kind.resource} "{name}" already exists',
        details=_details(kind, name),
    )


def wrong_name(name: str, expected: str) -> ApiError:
    """The object is not the one that the path names."""
    return bad_request(
        f"the name of the object ({name}) does not match the name on the URL ({expected})"
    )


def conflict(kind: Kind, name: str, why: str = MODIFIED) -> ApiError:
    """A precondition on uid or resourceVersion does not hold."""
    return ApiError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}',
        details=_details(kind, name),
    )


def failed_precondition(kind: Kind, name: str, why: str) -> ApiError:
    """A precondition of a DELETE does not hold; the kind is named otherwise here."""
    return ApiError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}',
        details=_details(kind, name) | {"kind": kind.kind},
    )


def forbidden(
    kind: Kind, name: str, why: str, causes: list[dict[str, str]] | None = None
) -> ApiError:
    """Admission says no: quota, or a namespace that is being deleted."""
    details = _details(kind, name)
    if causes:
        details["causes"] = causes
    return ApiError(
        403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', details=details
    )


def invalid(kind: Kind, name: str, errors: list[FieldError]) -> ApiError:
    """The object breaks rules of its schema."""
    details = {"name": name} | ({"group": kind.group} if kind.group else {})
    return _invalid(kind.qualified, details | {"kind": kind.kind}, errors)


def lock_needed(kind: Kind, name: str) -> ApiError:
    """An update without resourceVersion, of a kind that insists on one."""
    sentence = "0: must be specified for an update"
    error = FieldError("metadata.resourceVersion", "Invalid value", sentence)
    return _invalid(kind.resource, _details(kind, name), [error])


def invalid_options(what: str, error: FieldError) -> ApiError:
    """The query, or the body of a DELETE, is senseless: DeleteOptions, ListOptions, …"""
    details = {"group": "meta.k8s.io", "kind": what}
    return _invalid(f"{what}.meta.k8s.io", details, [error])


def _invalid(what: str, details: dict[str, Any], errors: list[FieldError]) -> ApiError:
    sentences = [f"{error.field}: {error.text}" for error in errors]
    text = sentences[0] if len(sentences) == 1 else f"[{', '.join(sentences)}]"
    causes = [error.cause() for error in errors]
    message = f'{what} "{details.get("name", "")}" is invalid: {text}'
    return ApiError(422, "Invalid", message, details=details | {"causes": causes})


def expired(message: str, continue_token: str = "") -> ApiError:
    """The revision asked for has been compacted: 410."""
    metadata = {"continue": continue_token} if continue_token else {}
    return ApiError(410, "Expired", message, metadata=metadata)


def too_old(revision: int, oldest: int) -> ApiError:
    """A watch from a revision that is no longer kept."""
    return expired(f"too old resource version: {revision} ({oldest})")


def too_large(revision: int, current: int) -> ApiError:
    """A read from a revision that does not exist yet."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return ApiError(
        504,
        "Timeout",
        f"Timeout: Too large resource version: {revision}, current: {current}",
        details={"causes": [cause], "retryAfterSeconds": 1},
    )


def unauthorized() -> ApiError:
    """No token, or a wrong one."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> ApiError:
    """The path has no such verb."""
    return ApiError(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
        details={},
    )


def unsupported_media_type(allowed: str) -> ApiError:
    """The patch format is not known for this kind."""
    return ApiError(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - "
        f"accepted media types include: {allowed}",
    )


REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
"""Machine reason that goes with a status code when a fault is made up."""


def made_up(code: int, message: str, retry_after: int | None = None) -> ApiError:
    """A refusal that a test asked for."""
    details = {"retryAfterSeconds": retry_after} if retry_after is not None else None
    return ApiError(code, REASONS.get(code, ""), message, details=details)
