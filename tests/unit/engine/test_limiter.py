"""The limit on writes."""

import asyncio

import pytest

from actor_operator.engine.limiter import LONGEST_PAUSE, TokenBucket

pytestmark = pytest.mark.looptime(noop_cycles=0)


async def times_of(bucket: TokenBucket, count: int) -> list[float]:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    passed: list[tuple[int, float]] = []

    async def call(number: int) -> None:
        await bucket.acquire()
        passed.append((number, round(loop.time() - begun, 3)))

    await asyncio.gather(*(call(number) for number in range(count)))
    assert [number for number, _ in passed] == list(range(count)), "in the order of arrival"
    return [at for _, at in passed]


async def test_a_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    times = await times_of(TokenBucket(rate=10, burst=5), 25)
    assert times[:5] == [0] * 5
    assert times[5:] == pytest.approx([0.1 * n for n in range(1, 21)], abs=0.01)


async def test_a_quiet_time_fills_the_bucket_but_not_beyond_the_burst() -> None:
    bucket = TokenBucket(rate=10, burst=5)
    await times_of(bucket, 20)
    await asyncio.sleep(1000)
    times = await times_of(bucket, 8)
    assert times[:5] == [0] * 5
    assert times[-1] == pytest.approx(0.3, abs=0.01)


async def test_a_pause_holds_all_calls_also_those_that_wait_already() -> None:
    bucket = TokenBucket(rate=10, burst=1)
    waiting = asyncio.create_task(times_of(bucket, 3))
    await asyncio.sleep(0.05)
    bucket.pause(2)
    bucket.pause(1)  # does not shorten it
    times = await waiting
    assert times[0] == 0
    assert min(times[1:]) == pytest.approx(2.05, abs=0.01)


async def test_a_pause_is_never_longer_than_deadlines_allow() -> None:
    bucket = TokenBucket(rate=10, burst=5)
    bucket.pause(3600)
    times = await times_of(bucket, 1)
    assert times == [pytest.approx(LONGEST_PAUSE, abs=0.01)]


async def test_a_caller_that_gives_up_takes_no_place() -> None:
    bucket = TokenBucket(rate=1, burst=1)
    await bucket.acquire()
    for _ in range(10):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(bucket.acquire(), 0.01)
    times = await times_of(bucket, 1)
    assert times[0] <= 1.0
