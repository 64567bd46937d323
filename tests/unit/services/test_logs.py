"""How many logs are streamed at the same time."""

import asyncio
from typing import Any

import pytest

from actor_operator.services.errors import ApiError
from actor_operator.services.log_tails import Tails
from actor_operator.services.logs import Logs


class Empty:
    """A database without logs, and a store without bodies."""

    async def read(self, _work: Any) -> Any:
        return None


async def take_all(stream: Any) -> list[bytes]:
    return [data async for data in stream]


async def test_more_streams_than_allowed_are_refused_until_one_ends() -> None:
    empty: Any = Empty()
    logs, over = Logs(empty, empty, Tails(), most=2), [False]

    def stream() -> Any:
        return logs.stream(1, "r" * 17, lambda: over[0])

    reading = [asyncio.create_task(take_all(stream())) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert logs.streams == 2
    with pytest.raises(ApiError) as caught:
        stream()
    assert (caught.value.status, caught.value.error_type) == (429, "rate-limit-exceeded")

    reading[0].cancel()
    await asyncio.gather(reading[0], return_exceptions=True)
    assert logs.streams == 1
    another = asyncio.create_task(take_all(stream()))
    logs.close()
    await asyncio.gather(reading[1], another)
    assert logs.streams == 0


async def test_a_stream_that_nobody_begins_to_read_takes_no_place() -> None:
    empty: Any = Empty()
    logs = Logs(empty, empty, Tails(), most=1)
    never_read = logs.stream(1, "r" * 17, lambda: True)

    assert logs.streams == 0
    await never_read.aclose()  # type: ignore[attr-defined] # it is a generator
    logs.stream(1, "r" * 17, lambda: True)
