"""Requests of request queues as clients send them: what must be in them, and their ids.

What a client sends is kept as the text that it is, with every field.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import msgspec

from actor_operator.clock import parse_timestamp
from actor_operator.services.errors import ApiError, invalid
from actor_operator.services.json_values import mend
from actor_operator.services.times import millis_of
from actor_operator.storage.queues import NewRequest

MAX_REQUEST_BYTES = 9_437_184
"""Largest request (Apify: payload limit, 9 MB)."""

MAX_BATCH = 25
"""Most requests that are added or removed at once (Apify)."""

ID_LENGTH = 15
"""Symbols of a request's id (the SDKs' rule)."""

MAX_KEY_LENGTH = 32
"""Longest key of a client (Apify)."""

SERVER_FIELDS = frozenset({"id", "orderNo"})
"""Fields that this server makes, whatever a client sends in them."""

_ID = re.compile(rf"[A-Za-z0-9]{{{ID_LENGTH}}}")

_Fields: TypeAlias = dict[str, msgspec.Raw]

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])

_BATCH = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])

_ENCODER = msgspec.json.Encoder()


class SentRequest(NamedTuple):
    """A request that was sent, and the key that makes it unique."""

    unique_key: str
    request: NewRequest


@dataclass(frozen=True, slots=True)
class Deletion:
    """A request that is to be removed, as the client named it."""

    id: str
    named: dict[str, str]


class _Known(msgspec.Struct, rename="camel"):
    """What is looked at of a request."""

    url: str
    unique_key: str
    id: str | None = None
    method: str | None = None
    retry_count: int | None = None
    handled_at: str | None = None


class _Named(msgspec.Struct, rename="camel"):
    id: str | None = None
    unique_key: str | None = None


def request_id(unique_key: str) -> str:
    """The id of a request: the rule that the SDKs use to know it before we do."""
    digest = hashlib.sha256(unique_key.encode()).digest()
    return re.sub("[+/=]", "", base64.b64encode(digest).decode())[:ID_LENGTH]


def is_request_id(text: str) -> bool:
    """Whether a text has the form of an id: nothing else can be found."""
    return _ID.fullmatch(text) is not None


def check_client_key(key: str | None) -> str | None:
    """The key of a client, if it gave one.

    Raises
    ------
    ApiError
        400 invalid-client-key.
    """
    if key is not None and not (1 <= len(key) <= MAX_KEY_LENGTH and key.isprintable()):
        raise invalid(
            f"clientKey must have 1 to {MAX_KEY_LENGTH} printable characters.",
            "invalid-client-key",
        )
    return key


def read_request(body: bytes, expected_id: str | None = None) -> SentRequest:
    """Read a request.

    Parameters
    ----------
    body
        JSON.
    expected_id
        The id that it must have, where the path says one.

    Raises
    ------
    ApiError
        400 invalid-value or request-id-invalid, 413 for one that is too large.
    """
    fields = _decode(_FIELDS, body, "a JSON object, the request")
    sent = _read(fields, "the request")
    if expected_id is not None and sent.request.id != expected_id:
        raise _wrong_id("the request", sent.request.id)
    return sent


def read_batch(body: bytes) -> list[SentRequest]:
    """Read several requests.

    Raises
    ------
    ApiError
        400 invalid-value or request-id-invalid, 413 for one that is too large. Nothing of the
        batch counts then: the mistake would be there the next time too.
    """
    batch = _decode(_BATCH, body, "a JSON array of requests")
    _check_length(batch)
    return [_read(fields, f"requests[{position}]") for position, fields in enumerate(batch)]


def read_deletions(body: bytes) -> list[Deletion]:
    """Read which requests are to be removed.

    Raises
    ------
    ApiError
        400 invalid-value or request-id-invalid.
    """
    batch = _decode(_BATCH, body, "a JSON array of objects with id or uniqueKey")
    _check_length(batch)
    return [_deletion(fields, f"requests[{position}]") for position, fields in enumerate(batch)]


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes, what: str) -> Any:
    try:
        body.decode()  # the decoder does not look at this in what it skips
        return decoder.decode(mend(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"The body must be {what}: {error}", "invalid-value") from None


def _check_length(batch: Sequence[object]) -> None:
    if not 1 <= len(batch) <= MAX_BATCH:
        raise invalid(
            f"A batch must have 1 to {MAX_BATCH} requests; this one has {len(batch)}.",
            "invalid-value",
        )


def _read(fields: _Fields, where: str) -> SentRequest:
    known = _convert(fields, _Known, where)
    for name, value in (("url", known.url), ("uniqueKey", known.unique_key)):
        if not value:
            raise invalid(f"{where}: {name} must not be empty.", "invalid-value")
    rightful = request_id(known.unique_key)
    if known.id is not None and known.id != rightful:
        raise _wrong_id(where, rightful)
    retries = known.retry_count or 0
    kept: dict[str, Any] = {"id": rightful}
    kept |= {name: value for name, value in fields.items() if name not in SERVER_FIELDS}
    kept["retryCount"] = retries
    body = _ENCODER.encode(kept)
    if len(body) > MAX_REQUEST_BYTES:
        raise ApiError(
            "request-too-large",
            f"{where} has {len(body)} bytes; at most {MAX_REQUEST_BYTES} are allowed.",
            status=413,
        )
    head = {
        "id": rightful,
        "retryCount": retries,
        "uniqueKey": known.unique_key,
        "url": known.url,
        "method": known.method or "GET",
    }
    handled_at = _moment(known.handled_at, where)
    return SentRequest(
        known.unique_key, NewRequest(rightful, _ENCODER.encode(head), body, handled_at)
    )


def _deletion(fields: _Fields, where: str) -> Deletion:
    named = _convert(fields, _Named, where)
    if named.unique_key is None:
        if named.id is None:
            raise invalid(f"{where}: id or uniqueKey is required.", "invalid-value")
        return Deletion(named.id, {"id": named.id})
    rightful = request_id(named.unique_key)
    if named.id is None:
        return Deletion(rightful, {"uniqueKey": named.unique_key})
    if named.id != rightful:
        raise _wrong_id(where, rightful)
    return Deletion(rightful, {"id": named.id, "uniqueKey": named.unique_key})


def _convert(fields: _Fields, kind: Any, where: str) -> Any:
    """What is looked at of the fields, with its types checked."""
    names = {field.encode_name for field in msgspec.structs.fields(kind)}
    try:
        return msgspec.json.decode(
            _ENCODER.encode({name: fields[name] for name in names & fields.keys()}), type=kind
        )
    except msgspec.MsgspecError as error:
        raise invalid(f"{where}: {error}.", "invalid-value") from None


def _moment(text: str | None, where: str) -> int | None:
    if text is None:
        return None
    try:
        return millis_of(parse_timestamp(text))
    except (ValueError, OverflowError):
        raise invalid(
            f"{where}: handledAt must be a time such as 2024-01-31T12:00:00.000Z.", "invalid-value"
        ) from None


def _wrong_id(where: str, rightful: str) -> ApiError:
    return invalid(
        f'{where}: the id does not belong to its uniqueKey, whose id is "{rightful}".',
        "request-id-invalid",
    )
