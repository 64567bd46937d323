"""The keyed work queue."""

import asyncio

import pytest

from actor_operator.engine.backoff import Backoff
from actor_operator.engine.workqueue import WorkQueue

pytestmark = pytest.mark.looptime(noop_cycles=0)


async def take(queue: WorkQueue[str], count: int) -> list[str]:
    return [await asyncio.wait_for(queue.get(), 1) for _ in range(count)]


async def assert_empty(queue: WorkQueue[str]) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 0.1)


async def test_keys_come_in_the_order_in_which_they_were_added() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in "abc":
        queue.add(key)
    assert await take(queue, 3) == ["a", "b", "c"]


async def test_a_key_added_twice_comes_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add("a")
    assert queue.depth == 1
    assert await take(queue, 1) == ["a"]
    queue.done("a")
    await assert_empty(queue)


async def test_urgent_keys_come_first() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add("b")
    queue.add("c", urgent=True)
    queue.add("b", urgent=True)
    assert await take(queue, 3) == ["c", "b", "a"]


async def test_an_urgent_key_stays_urgent_when_asked_for_again() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add("b", urgent=True)
    queue.add("b")
    assert queue.depth == 2
    assert await take(queue, 1) == ["b"]


async def test_a_key_is_never_worked_on_twice_at_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    await take(queue, 1)
    queue.add("a")
    assert queue.processing == 1
    await assert_empty(queue)
    queue.done("a")
    assert await take(queue, 1) == ["a"]


async def test_a_key_asked_for_urgently_while_worked_on_comes_back_urgent() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    await take(queue, 1)
    queue.add("a", urgent=True)
    queue.add("a")
    queue.add("b")
    queue.done("a")
    assert await take(queue, 2) == ["a", "b"]


async def test_a_failed_key_comes_back_after_pauses_that_grow_to_the_cap(looptime: float) -> None:
    queue: WorkQueue[str] = WorkQueue(backoff=Backoff(first=0.2, cap=60.0))
    queue.add("a")
    pauses = []
    for _ in range(12):
        key = await queue.get()
        pauses.append(queue.retry(key))
        queue.done(key)
    assert pauses[0] <= 0.2
    assert pauses[5] > pauses[0] * 8
    assert 30.0 <= pauses[-1] <= 60.0
    before = looptime + 0
    await queue.get()
    assert looptime - before == pytest.approx(pauses[-1], abs=0.01)


async def test_success_makes_the_next_failure_the_first_again() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for _ in range(8):
        queue.retry("a")
    assert queue.failures("a") == 8
    queue.forget("a")
    assert queue.retry("a") <= 0.2


async def test_an_event_does_not_wait_for_the_pause_and_ends_it() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_later("a", 30)
    assert queue.retrying == 1
    queue.add("a")
    assert await take(queue, 1) == ["a"]
    assert queue.retrying == 0
    queue.done("a")
    await asyncio.sleep(60)
    assert queue.depth == 0


async def test_the_age_is_that_of_the_key_that_waits_longest() -> None:
    queue: WorkQueue[str] = WorkQueue()
    assert queue.oldest_age() == 0
    queue.add("a")
    await asyncio.sleep(3)
    queue.add("b", urgent=True)
    queue.add("a", urgent=True)  # keeps its age
    assert queue.oldest_age() == pytest.approx(3, abs=0.01)


async def test_clearing_drops_all_that_waits() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("busy")
    await take(queue, 1)
    queue.add("busy")
    queue.add("a")
    queue.add("b", urgent=True)
    queue.retry("c")
    queue.clear()
    queue.done("busy")
    assert (queue.depth, queue.retrying, queue.failures("c")) == (0, 0, 0)
    await assert_empty(queue)


async def test_one_arrival_wakes_one_worker_and_none_is_lost_when_that_one_is_cancelled() -> None:
    queue: WorkQueue[str] = WorkQueue()
    first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
    await asyncio.sleep(0.1)
    queue.add("a")
    first.cancel()  # it has been woken but has not run yet
    assert await asyncio.wait_for(second, 1) == "a"
    assert first.cancelled()


async def test_many_workers_and_many_keys_lose_and_repeat_nothing() -> None:
    queue: WorkQueue[int] = WorkQueue()
    working: set[int] = set()
    seen: dict[int, int] = {}

    async def work() -> None:
        while True:
            key = await queue.get()
            assert key not in working
            working.add(key)
            await asyncio.sleep(0.01)
            seen[key] = seen.get(key, 0) + 1
            working.discard(key)
            queue.done(key)

    tasks = [asyncio.create_task(work()) for _ in range(8)]
    for round_ in range(5):
        for key in range(100):
            queue.add(key, urgent=(key + round_) % 3 == 0)
        await asyncio.sleep(0.05)
    await asyncio.sleep(5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert set(seen) == set(range(100))
    assert queue.depth == 0
    assert all(1 <= count <= 5 for count in seen.values())
