"""The end of a log that is not stored yet."""

import asyncio

import pytest

from actor_operator.services.log_tails import Tail, Tails

KEY = (7, "run")


def test_text_is_found_by_how_many_characters_come_before() -> None:
    tail = Tail(1, 10)
    tail.add("abc")
    tail.add("def")
    assert tail.end == 16
    assert [tail.after(n) for n in (9, 10, 12, 16)] == [None, "abcdef", "cdef", ""]
    tail.drop(3)
    assert [tail.after(n) for n in (12, 13, 16)] == [None, "def", ""]
    assert tail.end == 16


def test_only_the_attempt_that_is_followed_is_shown() -> None:
    tails, tail = Tails(), Tail(2, 0)
    with tails.opened(KEY, tail):
        tail.add("x")
        assert tails.after(KEY, 2, 0) == "x"
        assert tails.after(KEY, 1, 0) is None
        assert tails.after((8, "run"), 2, 0) is None
    assert tails.after(KEY, 2, 0) is None


@pytest.mark.looptime
async def test_who_waits_is_woken_by_new_text_by_the_end_or_by_the_time() -> None:
    tails = Tails()
    loop = asyncio.get_running_loop()
    await tails.wait(KEY, 3)
    assert loop.time() == 3
    waiting = [asyncio.create_task(tails.wait(KEY, 60)) for _ in range(2)]
    await asyncio.sleep(1)
    tails.wake(KEY)
    await asyncio.gather(*waiting)
    with tails.opened(KEY, Tail(1, 0)):
        last = asyncio.create_task(tails.wait(KEY, 60))
        await asyncio.sleep(1)
    await last
    assert loop.time() == 5
    assert tails._waiting == {}
