"""What workers make of failures."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from actor_operator.engine.workers import WorkerPool
from actor_operator.engine.workqueue import WorkQueue
from actor_operator.errors import (
    NotLeaderError,
    RetryableError,
    StaleError,
    TerminalError,
    WaitingError,
)

pytestmark = pytest.mark.looptime(noop_cycles=0)

Handle = Callable[[str], Awaitable[None]]


class Shop:
    """A queue with workers whose work is a list of outcomes."""

    def __init__(self) -> None:
        self.queue: WorkQueue[str] = WorkQueue()
        self.outcomes: list[Exception | float] = []
        self.begun: list[tuple[str, float]] = []
        self.ended: list[str] = []
        self.pool = WorkerPool(queue=self.queue, handle=self._handle, size=2, time_limit=60.0)

    async def _handle(self, key: str) -> None:
        self.begun.append((key, asyncio.get_running_loop().time()))
        outcome = self.outcomes.pop(0) if self.outcomes else 0.0
        if isinstance(outcome, Exception):
            raise outcome
        await asyncio.sleep(outcome)
        self.ended.append(key)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    shop.pool.start()
    yield shop
    await shop.pool.stop(0)


async def test_a_key_is_worked_on_once_when_all_is_well(shop: Shop) -> None:
    shop.queue.add("a")
    await asyncio.sleep(100)
    assert [key for key, _ in shop.begun] == ["a"]


@pytest.mark.parametrize("error", [RetryableError("again"), OSError("disk"), ValueError("defect")])
async def test_a_failure_is_tried_again_and_said_in_one_line_with_its_cause(
    shop: Shop, error: Exception
) -> None:
    shop.outcomes = [error]
    with capture_logs() as logs:
        shop.queue.add("a")
        await asyncio.sleep(100)
    assert [key for key, _ in shop.begun] == ["a", "a"]
    assert [(entry["key"], entry["cause"], entry["failures"]) for entry in logs] == [
        ("a", str(error), 1)
    ]
    has_traceback = logs[0]["exc_info"] is not None
    assert has_traceback is not isinstance(error, RetryableError)
    assert shop.queue.failures("a") == 0


async def test_in_an_outage_the_same_failure_of_many_keys_is_said_once(shop: Shop) -> None:
    shop.outcomes = [RetryableError("no answer") for _ in range(5)]
    with capture_logs() as logs:
        for key in "abcde":
            shop.queue.add(key)
        await asyncio.sleep(50)
    assert [entry["log_level"] for entry in logs] == ["warning", *["debug"] * 4]


async def test_a_state_that_was_stale_is_no_trouble_to_tell_of(shop: Shop) -> None:
    shop.outcomes = [StaleError("the object has been modified")]
    with capture_logs() as logs:
        shop.queue.add("a")
        await asyncio.sleep(100)
    assert [key for key, _ in shop.begun] == ["a", "a"]
    assert [entry["log_level"] for entry in logs] == ["debug"]


async def test_waiting_comes_back_at_its_time_and_does_not_count_as_failure(shop: Shop) -> None:
    shop.outcomes = [WaitingError("quota", requeue_after=30)]
    shop.queue.add("a")
    await asyncio.sleep(100)
    (_, first), (_, second) = shop.begun
    assert second - first == pytest.approx(30, abs=0.05)


@pytest.mark.parametrize("error", [NotLeaderError("gone"), TerminalError("Invalid", "no")])
async def test_work_that_cannot_go_on_is_dropped_until_somebody_asks_again(
    shop: Shop, error: Exception
) -> None:
    shop.outcomes = [error]
    shop.queue.add("a")
    await asyncio.sleep(1000)
    assert len(shop.begun) == 1
    shop.queue.add("a")
    await asyncio.sleep(1)
    assert shop.ended == ["a"]


async def test_work_that_hangs_is_broken_off_and_tried_again(shop: Shop) -> None:
    shop.outcomes = [10_000.0]
    shop.queue.add("a")
    await asyncio.sleep(100)
    assert shop.ended == ["a"]
    assert shop.begun[1][1] - shop.begun[0][1] == pytest.approx(60.1, abs=0.2)


async def test_stopping_lets_running_work_end_and_takes_no_more(shop: Shop) -> None:
    shop.outcomes = [1.0, 1.0]
    for key in "abc":
        shop.queue.add(key)
    await asyncio.sleep(0.1)
    assert await shop.pool.stop(1.5) is True
    assert sorted(shop.ended) == ["a", "b"]
    assert not shop.pool.running
    assert shop.queue.depth == 1


async def test_stopping_breaks_off_what_takes_too_long_and_says_so(
    shop: Shop, looptime: float
) -> None:
    shop.outcomes = [50.0]
    shop.queue.add("a")
    await asyncio.sleep(0.1)
    begun = looptime + 0
    assert await shop.pool.stop(1.5) is False
    assert looptime - begun == pytest.approx(1.5, abs=0.05)
    assert shop.ended == []
    assert shop.queue.processing == 0


async def test_workers_start_again_after_a_stop(shop: Shop) -> None:
    await shop.pool.stop(0)
    shop.queue.add("a")
    shop.pool.start()
    shop.pool.start()
    await asyncio.sleep(1)
    assert shop.ended == ["a"]
    assert len(shop.pool._tasks) == 2


@pytest.mark.parametrize(("error", "longest"), [(RetryableError, 10.0), (ValueError, 60.0)])
async def test_what_passes_by_itself_is_tried_again_sooner_than_a_defect(
    shop: Shop, error: type[Exception], longest: float
) -> None:
    shop.outcomes = [error("again") for _ in range(12)]
    shop.queue.add("a")
    await asyncio.sleep(1000)
    times = [at for _, at in shop.begun]
    assert longest / 2 <= times[-1] - times[-2] <= longest
