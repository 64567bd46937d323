"""Bodies of requests: what is read of them, and when that is given up."""

import json
from collections.abc import AsyncIterator

import pytest
from fastapi import Request
from starlette.types import Message

from actor_operator.server.bodies import (
    MAX_OBJECT_BYTES,
    MAX_WIRE_BYTES,
    read_body,
    read_json,
    stream_body,
)
from actor_operator.services.errors import ApiError


def request(*messages: Message, **headers: str) -> Request:
    """A request whose body comes in these messages."""
    coming = iter(messages)

    async def receive() -> Message:
        return next(coming)

    pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": pairs}, receive)


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


async def whole(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in stream])


async def test_a_body_that_is_cut_is_told_as_that_and_is_no_failure_of_the_server() -> None:
    cut = part(b"abc", more=True)

    with pytest.raises(ApiError) as read:
        await read_body(request(cut, GONE))
    with pytest.raises(ApiError) as streamed:
        await whole(stream_body(request(cut, GONE), 100))

    for error in (read.value, streamed.value):
        assert (error.status, error.error_type) == (408, "request-aborted-prematurely")


async def test_a_body_whose_length_is_told_is_refused_before_it_comes() -> None:
    with pytest.raises(ApiError) as read:
        await read_body(request(content_length=str(MAX_WIRE_BYTES + 1)))
    with pytest.raises(ApiError) as streamed:
        await whole(stream_body(request(content_length="101"), 100))

    assert (read.value.status, read.value.error_type) == (413, "request-too-large")
    assert (streamed.value.status, streamed.value.error_type) == (413, "record-too-large")


async def test_what_describes_a_thing_is_read_up_to_a_length_that_holds_nobody_up() -> None:
    fits = json.dumps({"title": "x" * 1000}).encode()
    assert await read_json(request(part(fits))) == {"title": "x" * 1000}

    with pytest.raises(ApiError) as error:
        await read_json(request(part(b" " * (MAX_OBJECT_BYTES + 1))))

    assert error.value.status == 413


async def test_half_a_symbol_in_json_is_replaced_as_it_is_in_items() -> None:
    found = await read_json(request(part(rb'{"statusMessage":"half \ud83d, whole \ud83d\ude00"}')))

    assert found == {"statusMessage": "half \ufffd, whole \U0001f600"}
