"""Tasks that must not die."""

import asyncio

import pytest
from structlog.testing import capture_logs

from actor_operator.engine.loop_lag import measure_loop_lag
from actor_operator.engine.supervisor import Supervisor

pytestmark = pytest.mark.looptime(noop_cycles=0)


class Mortal:
    """A task that dies as often as told and then goes on."""

    def __init__(self, deaths: int = 0, stubborn: float = 0.0) -> None:
        self.deaths = deaths
        self.starts = 0
        self.stubborn = stubborn

    async def run(self) -> None:
        self.starts += 1
        if self.starts <= self.deaths:
            raise OSError(f"death {self.starts}")
        try:
            await asyncio.sleep(1e6)
        finally:
            await asyncio.sleep(self.stubborn)


async def test_a_task_that_dies_is_started_again_and_counted_with_its_traceback() -> None:
    deaths: list[str] = []
    supervisor = Supervisor(on_death=deaths.append)
    task = Mortal(deaths=3)
    with capture_logs() as logs:
        supervisor.start("watch", task.run)
        await asyncio.sleep(30)
    assert task.starts == 4
    assert deaths == ["watch"] * 3
    assert [(e["event"], e["task"], e["exc_info"]) for e in logs] == [
        ("A task died.", "watch", True)
    ] * 3
    assert await supervisor.stop_all(1)


async def test_a_task_that_returns_is_started_again_too() -> None:
    starts = 0

    async def run() -> None:
        nonlocal starts
        starts += 1

    supervisor = Supervisor()
    supervisor.start("watch", run)
    await asyncio.sleep(5)
    assert starts >= 2
    assert await supervisor.stop_all(1)


async def test_a_task_that_dies_at_once_for_ever_is_not_started_without_pause() -> None:
    supervisor = Supervisor()
    task = Mortal(deaths=10**9)
    with capture_logs():
        supervisor.start("watch", task.run)
        await asyncio.sleep(600)
    assert 20 < task.starts < 60
    assert await supervisor.stop_all(1)


async def test_two_tasks_cannot_have_the_same_name() -> None:
    supervisor = Supervisor()
    supervisor.start("watch", Mortal().run)
    with pytest.raises(ValueError, match="watch"):
        supervisor.start("watch", Mortal().run)
    assert await supervisor.stop_all(1)


async def test_tasks_are_stopped_in_the_reverse_order_of_their_start() -> None:
    ended: list[str] = []

    def recorder(name: str) -> "Recorder":
        return Recorder(name, ended)

    supervisor = Supervisor()
    for name in ("informer", "elector"):
        supervisor.start(name, recorder(name).run)
    await asyncio.sleep(1)
    assert supervisor.names == ["informer", "elector"]
    assert await supervisor.stop_all(1)
    assert ended == ["elector", "informer"]
    assert supervisor.names == []


class Recorder:
    """Notes its end."""

    def __init__(self, name: str, ended: list[str]) -> None:
        self.name = name
        self.ended = ended

    async def run(self) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            self.ended.append(self.name)


async def test_stopping_takes_bounded_time_and_says_what_does_not_stop(looptime: float) -> None:
    supervisor = Supervisor()
    supervisor.start("stubborn", Mortal(stubborn=100.0).run)
    supervisor.start("fine", Mortal().run)
    await asyncio.sleep(1)
    before = looptime + 0
    with capture_logs() as logs:
        assert not await supervisor.stop_all(3)
    assert looptime - before == pytest.approx(3, abs=0.1)
    assert [e["task"] for e in logs] == ["stubborn"]
    await asyncio.sleep(200)


async def test_loop_lag_is_how_much_too_late_the_loop_comes_back() -> None:
    lags: list[float] = []
    task = asyncio.create_task(measure_loop_lag(lags.append, interval=0.5))
    await asyncio.sleep(3.1)
    task.cancel()
    assert len(lags) == 6
    assert max(lags) < 0.01


@pytest.mark.looptime(False)
async def test_a_blocking_call_shows_as_loop_lag() -> None:
    import time

    lags: list[float] = []
    task = asyncio.create_task(measure_loop_lag(lags.append, interval=0.01))
    await asyncio.sleep(0.005)
    time.sleep(0.1)  # noqa: ASYNC251 -- this is what is to be seen
    await asyncio.sleep(0.05)
    task.cancel()
    assert max(lags) > 0.07
