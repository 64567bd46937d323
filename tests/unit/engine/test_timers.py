"""Alarms."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from actor_operator.engine.timers import SLACK, Timers

pytestmark = pytest.mark.looptime(noop_cycles=0)


class Alarms:
    """Timers that run, and when they rang."""

    def __init__(self) -> None:
        self.rang: list[tuple[str, float]] = []
        self.timers: Timers[str] = Timers(self._ring)

    def _ring(self, key: str) -> None:
        self.rang.append((key, round(asyncio.get_running_loop().time(), 2)))


@pytest.fixture
async def alarms() -> AsyncIterator[Alarms]:
    alarms = Alarms()
    task = asyncio.create_task(alarms.timers.run())
    yield alarms
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_alarms_ring_in_the_order_of_their_times(alarms: Alarms) -> None:
    now = asyncio.get_running_loop().time()
    alarms.timers.set("late", now + 3600)
    alarms.timers.set("early", now + 5)
    assert len(alarms.timers) == 2
    await asyncio.sleep(4000)
    assert [key for key, _ in alarms.rang] == ["early", "late"]
    times = [at - now for _, at in alarms.rang]
    assert times == pytest.approx([5, 3600], abs=0.02)
    assert len(alarms.timers) == 0


async def test_an_alarm_set_again_rings_only_at_the_new_time(alarms: Alarms) -> None:
    now = asyncio.get_running_loop().time()
    alarms.timers.set("a", now + 5)
    alarms.timers.set("a", now + 10)
    alarms.timers.set("b", now + 10)
    alarms.timers.set("b", now + 5)
    alarms.timers.set("b", now + 5)
    await asyncio.sleep(20)
    assert [key for key, _ in alarms.rang] == ["b", "a"]


async def test_a_cancelled_alarm_does_not_ring(alarms: Alarms) -> None:
    now = asyncio.get_running_loop().time()
    alarms.timers.set("a", now + 5)
    alarms.timers.cancel("a")
    alarms.timers.cancel("never set")
    assert alarms.timers.get("a") is None
    await asyncio.sleep(20)
    assert alarms.rang == []


async def test_a_time_that_has_passed_rings_at_once(alarms: Alarms) -> None:
    await asyncio.sleep(1)
    alarms.timers.set("a", 0.0)
    await asyncio.sleep(0.01)
    assert [key for key, _ in alarms.rang] == ["a"]


async def test_clearing_takes_all_back(alarms: Alarms) -> None:
    now = asyncio.get_running_loop().time()
    alarms.timers.set("a", now + 5)
    alarms.timers.clear()
    alarms.timers.set("b", now + 6)
    await asyncio.sleep(20)
    assert [key for key, _ in alarms.rang] == ["b"]


async def test_a_clock_that_jumps_is_noticed_within_a_second() -> None:
    jumped = 0.0
    loop = asyncio.get_running_loop()
    rang: list[float] = []
    timers: Timers[str] = Timers(
        lambda _: rang.append(loop.time()), now=lambda: loop.time() + jumped
    )
    task = asyncio.create_task(timers.run())
    begun = loop.time()
    timers.set("a", begun + 300)
    await asyncio.sleep(10)
    jumped = 295.0
    await asyncio.sleep(5)
    task.cancel()
    assert len(rang) == 1
    assert rang[0] - begun <= 11.01


async def test_the_heap_does_not_grow_with_alarms_that_are_set_again(alarms: Alarms) -> None:
    now = asyncio.get_running_loop().time()
    for number in range(10 * SLACK):
        alarms.timers.set("a", now + 1000 + number)
    assert len(alarms.timers._heap) <= SLACK + 3
    await asyncio.sleep(20_000)
    assert [key for key, _ in alarms.rang] == ["a"]


async def test_thirty_thousand_alarms_ring_once_each(alarms: Alarms) -> None:
    now = asyncio.get_running_loop().time()
    for number in range(30_000):
        alarms.timers.set(f"key-{number}", now + (number * 7919) % 100)
    await asyncio.sleep(200)
    assert len({key for key, _ in alarms.rang}) == len(alarms.rang) == 30_000
    assert [at for _, at in alarms.rang] == sorted(at for _, at in alarms.rang)
