"""A record of a key-value store as an answer."""

from collections.abc import AsyncIterator

from fastapi.responses import Response, StreamingResponse

from actor_operator.server.answers import GUARDS
from actor_operator.services.decoding import decoder
from actor_operator.services.key_value_stores import StoredRecord

ACTIVE_TYPES = ("html", "xml", "svg", "javascript", "ecmascript")
"""Parts of content types that a browser would run, or let style its page."""


def record_answer(record: StoredRecord, accepted: str | None, *, save: bool) -> Response:
    """The record as it was written: type, encoding and bytes.

    Parameters
    ----------
    record
        The record.
    accepted
        Header Accept-Encoding of the request. Who does not take the record's encoding gets it
        decoded: the SDKs compress what they write, and people read it with curl.
    save
        Whether a browser is to save it; what a browser would run is always saved.
    """
    about = record.about
    headers = {**GUARDS, "Content-Type": about.content_type}
    if save or any(part in about.content_type.lower() for part in ACTIVE_TYPES):
        headers["Content-Disposition"] = "attachment"
    if about.content_encoding is None:
        return _answer(record.body, headers)
    headers["Vary"] = "Accept-Encoding"
    if accepts(accepted, about.content_encoding):
        return _answer(record.body, {**headers, "Content-Encoding": about.content_encoding})
    return StreamingResponse(_decoded(record.body, about.content_encoding), 200, headers)


def accepts(accepted: str | None, encoding: str) -> bool:
    """Whether a client takes an encoding (RFC 9110, 12.5.3)."""
    offers = [part.strip().lower() for part in (accepted or "").split(",")]
    names = {offer.partition(";")[0].strip() for offer in offers if not _is_refused(offer)}
    return encoding in names or "*" in names


def _is_refused(offer: str) -> bool:
    _, _, quality = offer.replace(" ", "").partition(";q=")
    return quality in {"0", "0.0", "0.00", "0.000"}


def _answer(body: bytes | AsyncIterator[bytes], headers: dict[str, str]) -> Response:
    if isinstance(body, bytes):
        return Response(body, 200, headers)
    return StreamingResponse(body, 200, headers)


async def _decoded(body: bytes | AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    decoding = decoder(encoding)
    if isinstance(body, bytes):
        for part in decoding.feed(body):
            yield part
    else:
        async for chunk in body:
            for part in decoding.feed(chunk):
                yield part
    decoding.finish()
