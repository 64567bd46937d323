"""Bodies of requests: never larger than is allowed, on the wire and decoded."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from fastapi import Request
from starlette.requests import ClientDisconnect

from actor_operator.services.decoding import ENCODINGS, DecodingError, decoder
from actor_operator.services.errors import ApiError, invalid
from actor_operator.services.json_values import mend

MAX_WIRE_BYTES = 9_437_184
"""Largest body of a JSON request on the wire (Apify: 9 MB)."""

MAX_DECODED_BYTES = 67_108_864
"""Largest body of a JSON request once it is decoded."""

MAX_OBJECT_BYTES = 262_144
"""Largest body that is read whole into objects, once it is decoded: of what describes a run or a
storage. To read it takes less than the 5 ms for which the event loop may be held."""

SILENCE_SECONDS = 60.0
"""How long a client may send nothing in the middle of a body."""

THREAD_BYTES = 65_536
"""A longer body is decoded beside the event loop."""


async def read_body(request: Request) -> bytes:
    """The whole body, decoded.

    Raises
    ------
    ApiError
        413 request-too-large, 415 unsupported-content-encoding, 400 for what cannot be decoded.
    """
    return await decode(await read_wire(request), content_encoding(request))


async def read_wire(request: Request) -> bytes:
    """The whole body as it came.

    Raises
    ------
    ApiError
        413 request-too-large.
    """
    _check_declared(request, MAX_WIRE_BYTES, "request-too-large")
    parts, size = [], 0
    async for chunk in _received(request):
        size += len(chunk)
        if size > MAX_WIRE_BYTES:
            raise _too_large(MAX_WIRE_BYTES, "request-too-large")
        parts.append(chunk)
    return b"".join(parts)


async def read_json(request: Request) -> Any:
    """The body as JSON; None when there is none.

    Raises
    ------
    ApiError
        As ``read_body``, and 400 for what is no JSON.
    """
    body = await read_body(request)
    if len(body) > MAX_OBJECT_BYTES:
        raise _too_large(MAX_OBJECT_BYTES, "request-too-large")
    if not body.strip():
        return None
    try:
        return msgspec.json.decode(mend(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"The body must be JSON: {error}") from None


async def stream_body(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body as it came, piece by piece.

    Raises
    ------
    ApiError
        413 when it has more bytes than are allowed.
    """
    _check_declared(request, most, "record-too-large")
    size = 0
    async for chunk in _received(request):
        size += len(chunk)
        if size > most:
            raise _too_large(most, "record-too-large")
        if chunk:
            yield chunk


def content_encoding(request: Request) -> str:
    """How the body is encoded; empty: not at all."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    return "" if encoding == "identity" else encoding


async def decode(body: bytes, encoding: str) -> bytes:
    """Decode a body, counting while doing so.

    Raises
    ------
    ApiError
        413, 415, or 400 when it is broken.
    """
    if not encoding:
        return body
    if len(body) > THREAD_BYTES:
        return await asyncio.to_thread(_decode, body, encoding)
    return _decode(body, encoding)


def _decode(body: bytes, encoding: str) -> bytes:
    if encoding not in ENCODINGS:
        raise ApiError(
            "unsupported-content-encoding",
            f'The Content-Encoding "{encoding[:50]}" is not supported. Use br, gzip, deflate or'
            " identity.",
            status=415,
        )
    parts, size, decoding = [], 0, decoder(encoding)
    try:
        for part in decoding.feed(body):
            size += len(part)
            if size > MAX_DECODED_BYTES:
                raise _too_large(MAX_DECODED_BYTES, "request-too-large")
            parts.append(part)
        decoding.finish()
    except DecodingError as error:
        raise invalid(f"The body is no valid {encoding}: {error}") from None
    return b"".join(parts)


async def _received(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes in.

    Raises
    ------
    ApiError
        408 when the client goes before it has sent all: no failure of ours, and nobody reads it;
        or when it stays and sends nothing, as it would hold a connection for ever.
    """
    stream = request.stream()
    try:
        while True:
            async with asyncio.timeout(SILENCE_SECONDS):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            yield chunk
    except TimeoutError:
        message = f"Nothing more of the body came for {SILENCE_SECONDS:g} seconds."
        raise ApiError("request-timeout", message, status=408) from None
    except ClientDisconnect:
        raise ApiError(
            "request-aborted-prematurely", "The connection ended before the body did.", status=408
        ) from None


def _check_declared(request: Request, most: int, error_type: str) -> None:
    """Refuse a body before it is sent, where its length is told."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(most, error_type)


def _too_large(most: int, error_type: str) -> ApiError:
    return ApiError(error_type, f"The body is larger than {most} bytes.", status=413)
