"""The informer through outages; its age; waiting for versions."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.support.fake_source import FakeSource
from tests.support.informer_world import Refused, Unavailable, World

from actor_operator.engine.informer import LIST_AFTER_FAILURES
from actor_operator.errors import RetryableError, TerminalError

pytestmark = pytest.mark.looptime(noop_cycles=0)


def warnings_in(logs: list[MutableMapping[str, Any]]) -> list[str]:
    return [entry["event"] for entry in logs if entry["log_level"] == "warning"]


async def test_410_again_and_again_does_not_spin(world: World) -> None:
    await world.synced()
    world.source._oldest = 10**9  # every watch is too old, whatever was listed
    world.source.end()
    await world.settle(60)
    assert 5 <= world.source.lists <= 20
    world.source._oldest = 0
    world.source.put("a")
    await world.settle(15)
    world.assert_equal_to_server()


async def test_streams_that_end_at_once_do_not_make_it_spin(world: World) -> None:
    await world.synced()
    task = asyncio.create_task(end_all(world.source))
    await world.settle(120)
    task.cancel()
    assert len(world.source.watches) < 40
    world.source.put("a")
    await world.settle(15)
    world.assert_equal_to_server()


async def end_all(source: FakeSource) -> None:
    while True:
        await asyncio.sleep(0.01)
        source.end()


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("503"),
        Refused("refused"),
        TerminalError("Forbidden", "RBAC says no"),
        RetryableError("the kind is not served"),
    ],
)
async def test_thirty_minutes_of_failures_are_survived_without_spin_or_noise(
    world: World, error: Exception
) -> None:
    world.source.put("before")
    await world.synced()
    with capture_logs() as logs:
        world.source.down = error
        world.source.end(error)
        await world.settle(1800)
        assert 180 <= world.source.calls <= 400
        assert world.informer.age() > 1790
        world.source.put("during")
        world.source.delete("before")
        world.source.down = None
        await world.settle(11.5)  # the longest pause, and a second until a stream counts as good
    world.assert_equal_to_server()
    assert world.informer.age() < 12
    assert warnings_in(logs) == ["Watching is interrupted."]
    assert [e["event"] for e in logs if e["log_level"] == "info"] == ["Watching works again."]


async def test_each_change_of_the_cause_is_said_once(world: World) -> None:
    await world.synced()
    with capture_logs() as logs:
        world.source.down = Refused("refused")
        world.source.end(world.source.down)
        await world.settle(100)
        world.source.down = Unavailable("503")
        await world.settle(100)
    assert [e["error"] for e in logs if e["log_level"] == "warning"] == ["Refused", "Unavailable"]


async def test_a_single_cut_is_no_news(world: World) -> None:
    await world.synced()
    with capture_logs() as logs:
        world.source.end(Refused("reset"))
        await world.settle(30)
    assert [e for e in logs if e["log_level"] != "debug"] == []


async def test_failures_at_the_first_list_only_delay_it(world: World) -> None:
    world.source.put("a")
    world.source.down = Refused("refused")
    world.start()
    await world.settle(300)
    assert not world.informer.synced.is_set()
    world.source.down = None
    await world.settle(10.1)
    assert world.informer.synced.is_set()
    world.assert_equal_to_server()


async def test_after_many_failures_it_lists_for_the_version_may_be_at_fault(world: World) -> None:
    await world.synced()
    world.store.version = str(10**9)  # as after a restore of etcd: from the future
    world.source.failures.extend([Unavailable("too large resource version")] * LIST_AFTER_FAILURES)
    world.source.end()
    await world.settle(120)
    assert world.source.lists == 2
    world.assert_equal_to_server()


async def test_age_counts_from_the_last_sign_of_life(world: World) -> None:
    await world.synced()
    await world.settle(30)
    assert world.informer.age() == pytest.approx(31, abs=0.1)
    world.source.bookmark()
    await world.settle(2)
    assert world.informer.age() == pytest.approx(2, abs=0.1)


async def test_waiting_for_a_version_that_is_reached_takes_no_time(
    world: World, looptime: float
) -> None:
    await world.synced()
    before = looptime + 0
    await world.informer.wait_for("100")
    assert looptime == before


async def test_waiting_for_a_version_ends_when_the_stream_reaches_it(world: World) -> None:
    await world.synced()
    waiting = asyncio.create_task(world.informer.wait_for("102"))
    world.source.put("a")
    await world.settle(0.2)
    assert not waiting.done()
    world.source.put("b")
    await world.settle(0.2)
    assert waiting.done()
    assert world.source.lists == 1


async def test_waiting_on_a_quiet_kind_asks_for_a_list_after_a_second(
    world: World, looptime: float
) -> None:
    await world.synced()
    world.source.revision = 5000
    before = looptime + 0
    await world.informer.wait_for("4711")
    assert looptime - before < 1.2
    assert world.source.lists == 2
    await world.settle(30)
    assert world.source.lists == 2
    assert world.source.open_watches == 1


async def test_versions_that_do_not_compare_are_waited_for_with_a_list(world: World) -> None:
    await world.synced()
    await world.informer.wait_for("another-etcd-7")
    assert world.source.lists == 2


async def test_a_list_under_way_is_not_enough_for_who_asks_during_it(world: World) -> None:
    for name in "abc":
        world.source.put(name)
    world.source.latency = 0.8  # two pages: the list is under way when patience ends
    world.start()
    await asyncio.sleep(0.5)
    await asyncio.wait_for(world.informer.wait_for("another-etcd-7"), 10)
    assert world.source.lists == 2


async def test_waiting_outlasts_an_outage(world: World) -> None:
    await world.synced()
    world.source.down = Refused("refused")
    world.source.end(world.source.down)
    waiting = asyncio.create_task(world.informer.wait_for("4711"))
    await world.settle(300)
    assert not waiting.done()
    world.source.revision = 5000
    world.source.down = None
    await world.settle(10.1)
    assert waiting.done()
