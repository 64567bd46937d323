"""Bodies: encodings, limits, and what is broken."""

import gzip
import zlib
from collections.abc import Iterable
from typing import Any

import brotli
import pytest
from fastapi import Request

from actor_operator.server import bodies
from actor_operator.server.bodies import MAX_WIRE_BYTES, read_body, read_json
from actor_operator.services.errors import ApiError


def request(*chunks: bytes, **headers: str) -> Request:
    """A request with a body that comes in pieces."""
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks] + [
        {"type": "http.request", "body": b"", "more_body": False}
    ]
    coming = iter(messages)

    async def receive() -> Any:
        return next(coming)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


async def error(asked: Request) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        await read_body(asked)
    return caught.value.status, caught.value.error_type


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("BR", brotli.compress),
        ("identity", bytes),
        ("", bytes),
    ],
)
async def test_a_body_is_decoded(encoding: str, encode: Any) -> None:
    body = b'{"a": 1}' * 1000
    sent = encode(body)
    halves = sent[:100], sent[100:]
    assert await read_body(request(*halves, content_encoding=encoding)) == body


async def test_an_unknown_encoding_is_refused() -> None:
    assert await error(request(b"x", content_encoding="zstd")) == (
        415,
        "unsupported-content-encoding",
    )


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress)],
)
async def test_a_body_that_ends_too_early_is_refused(encoding: str, encode: Any) -> None:
    cut = encode(b"some text that is long enough to be cut")[:-5]
    assert (await error(request(cut, content_encoding=encoding)))[0] == 400


async def test_what_is_not_in_the_encoding_that_it_says_is_refused() -> None:
    assert await error(request(b"plain text", content_encoding="gzip")) == (400, "invalid-request")


async def test_a_body_that_is_too_long_is_refused_before_it_is_read() -> None:
    asked = request(content_length=str(MAX_WIRE_BYTES + 1))
    assert await error(asked) == (413, "request-too-large")


async def test_a_body_that_does_not_say_how_long_it_is_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "MAX_WIRE_BYTES", 10)
    assert await read_body(request(b"12345", b"67890")) == b"1234567890"
    assert await error(request(b"12345", b"67890", b"1")) == (413, "request-too-large")


async def test_a_small_body_that_becomes_a_huge_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "MAX_DECODED_BYTES", 1_000_000)
    bomb = gzip.compress(bytes(1_000_001))
    assert len(bomb) < 2000
    assert await error(request(bomb, content_encoding="gzip")) == (413, "request-too-large")


@pytest.mark.parametrize("chunks", [(), (b"",), (b"  \n",)], ids=["none", "empty", "blank"])
async def test_no_body_is_no_json(chunks: Iterable[bytes]) -> None:
    assert await read_json(request(*chunks)) is None


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 100_000, b"nul"], ids=["open", "bytes", "deep", "word"]
)
async def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        await read_json(request(body))
    assert caught.value.status == 400
