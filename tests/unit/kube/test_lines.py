"""Bytes of a stream become lines."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.kube.errors import ServerError
from actor_operator.kube.lines import split_lines


async def stream(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def lines_of(chunks: list[bytes], limit: int = 1000) -> list[bytes]:
    return [line async for line in split_lines(stream(chunks), limit)]


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
async def test_lines_are_the_same_however_the_stream_is_cut(texts: list[bytes], size: int) -> None:
    lines = [text.replace(b"\n", b"") for text in texts]
    whole = b"".join(line + b"\n" for line in lines)
    chunks = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert await lines_of(chunks) == [line for line in lines if line]


async def test_half_a_line_at_the_end_is_dropped() -> None:
    assert await lines_of([b'{"a": 1}\n{"b"', b": 2"]) == [b'{"a": 1}']


async def test_a_line_of_megabytes_in_small_chunks_takes_little_time() -> None:
    chunk = b"x" * 4096
    lines = await lines_of([chunk] * 2500 + [b"\n"], limit=16 * 1024 * 1024)
    assert [len(line) for line in lines] == [4096 * 2500]


async def test_a_stream_without_lines_is_an_error_not_a_full_memory() -> None:
    with pytest.raises(ServerError, match="more than 1000 bytes"):
        await lines_of([b"x" * 600, b"x" * 600])
