"""The informer against a source that does whatever an API server can do."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.support.fake_source import FakeSource, Thing, decode_thing

from actor_operator.engine.informer import LIST_AFTER_FAILURES, Informer
from actor_operator.engine.store import Store
from actor_operator.errors import ExpiredError, RetryableError, TerminalError

pytestmark = pytest.mark.looptime(noop_cycles=0)

HOUR = 3600.0


class Refused(RetryableError):  # noqa: N818 -- as short as what it stands for
    """Connection refused."""


class Unavailable(RetryableError):  # noqa: N818
    """503."""


class World:
    """A source, an informer on it, and what the informer told."""

    def __init__(self) -> None:
        self.source = FakeSource()
        self.store: Store[Thing] = Store()
        self.told: list[tuple[str, str]] = []
        self.informer = Informer(
            source=self.source,
            store=self.store,
            decode=decode_thing,
            on_change=self._note,
        )
        self._task: asyncio.Task[None] | None = None

    def _note(self, old: Thing | None, new: Thing | None) -> None:
        if new is None:
            assert old is not None
            self.told.append(("gone", old.name))
        else:
            self.told.append(("new" if old is None else "changed", new.name))

    def start(self) -> None:
        self._task = asyncio.create_task(self.informer.run())

    async def stop(self) -> None:
        if self._task is None:
            return
        assert not self._task.done(), "nothing may end an informer"
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def synced(self) -> None:
        self.start()
        await asyncio.wait_for(self.informer.synced.wait(), HOUR)
        await self.settle()

    async def settle(self, seconds: float = 1.0) -> None:
        await asyncio.sleep(seconds)

    def assert_equal_to_server(self) -> None:
        held = {t.name: (t.uid, t.resource_version, t.value) for t in self.store}
        assert held == {
            name: (o["metadata"]["uid"], o["metadata"]["resourceVersion"], o["value"])
            for name, o in self.source.objects.items()
        }


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.stop()


def warnings_in(logs: list[MutableMapping[str, Any]]) -> list[str]:
    return [entry["event"] for entry in logs if entry["log_level"] == "warning"]


async def test_all_pages_of_the_first_list_are_taken(world: World) -> None:
    for number in range(7):
        world.source.put(f"thing-{number}")
    assert not world.informer.synced.is_set()
    await world.synced()
    world.assert_equal_to_server()
    assert world.source.lists == 1
    assert sorted(world.told) == [("new", f"thing-{n}") for n in range(7)]


async def test_changes_are_told_as_they_happen(world: World) -> None:
    await world.synced()
    world.source.put("a", 1)
    world.source.put("a", 2)
    world.source.delete("a")
    await world.settle()
    assert world.told == [("new", "a"), ("changed", "a"), ("gone", "a")]
    world.assert_equal_to_server()
    assert world.source.lists == 1


async def test_a_deletion_is_told_with_the_last_state_of_the_object() -> None:
    source, store = FakeSource(), Store[Thing]()
    last: list[Thing | None] = []
    informer = Informer(
        source=source, store=store, decode=decode_thing, on_change=lambda old, _: last.append(old)
    )
    source.put("a", 1)
    task = asyncio.create_task(informer.run())
    await asyncio.sleep(1)
    source.objects["a"]["value"] = 137  # changed and deleted in one step
    source.delete("a")
    await asyncio.sleep(1)
    task.cancel()
    assert last[-1] is not None
    assert last[-1].value == 137


async def test_an_object_deleted_and_made_again_in_one_go_is_the_new_one(world: World) -> None:
    await world.synced()
    world.source.put("a", 1)
    world.source.delete("a")
    world.source.put("a", 2, uid="second")
    await world.settle()
    world.assert_equal_to_server()


async def test_a_stream_that_ends_is_opened_again_from_the_last_version(world: World) -> None:
    await world.synced()
    await world.settle(10)
    world.source.put("a")
    await world.settle()
    world.source.end()
    await world.settle(0.05)
    world.source.put("b")
    await world.settle()
    assert world.source.watches == ["100", "101"]
    assert world.source.lists == 1
    world.assert_equal_to_server()


async def test_bookmarks_move_the_version_so_that_a_quiet_kind_does_not_expire(
    world: World,
) -> None:
    await world.synced()
    world.source.revision = 5000  # other kinds are busy
    world.source.bookmark()
    await world.settle(5)
    assert world.informer.resource_version == "5000"
    world.source.forget_history()
    world.source.end()
    await world.settle()
    assert world.source.watches[-1] == "5000"
    assert world.source.lists == 1


async def test_a_list_after_a_gap_finds_what_was_deleted_meanwhile(world: World) -> None:
    world.source.put("stays")
    world.source.put("goes")
    await world.synced()
    world.source.down = Refused("down")
    world.source.end(Refused("reset"))
    await world.settle(0.05)
    world.source.delete("goes")
    world.source.put("comes")
    world.source.put("stays", 2)
    world.source.forget_history()
    world.source.down = None
    await world.settle(20)
    assert world.told[2:] == [("gone", "goes"), ("changed", "stays"), ("new", "comes")]
    world.assert_equal_to_server()


async def test_410_as_an_answer_leads_to_a_list(world: World) -> None:
    await world.synced()
    world.source.failures.append(ExpiredError("too old"))
    world.source.end()
    await world.settle(5)
    assert world.source.lists == 2
    assert world.source.open_watches == 1


async def test_410_as_an_event_leads_to_a_list(world: World) -> None:
    await world.synced()
    world.source.send_error(410)
    await world.settle(5)
    assert world.source.lists == 2
    assert world.source.open_watches == 1


async def test_410_in_the_middle_of_a_list_begins_it_anew(world: World) -> None:
    for number in range(6):
        world.source.put(f"thing-{number}")
    world.start()
    await asyncio.sleep(0.015)  # the first page is through
    world.source.failures.append(ExpiredError("the token is too old"))
    await world.settle(5)
    assert world.source.lists == 2
    world.assert_equal_to_server()


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


@pytest.mark.parametrize("code", [429, 500, 504])
async def test_an_error_event_reopens_the_stream_without_a_list(world: World, code: int) -> None:
    await world.synced()
    world.source.send_error(code)
    await world.settle(5)
    world.source.put("a")
    await world.settle()
    assert world.source.lists == 1
    world.assert_equal_to_server()


async def test_a_line_that_is_no_json_reopens_the_stream(world: World) -> None:
    await world.synced()
    world.source.send(b'{"type": "ADDED", "object": {"metad')
    world.source.put("a")
    await world.settle(5)
    assert world.source.lists == 1
    world.assert_equal_to_server()


async def test_a_stream_cut_after_every_event_loses_nothing(world: World) -> None:
    await world.synced()
    for number in range(20):
        world.source.put("a", number)
        world.source.put(f"thing-{number % 3}", number)
        world.source.end(Refused("reset"))
        await world.settle(0.1)
    await world.settle(10)
    assert world.source.lists == 1
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
        await world.settle(10.1)
    world.assert_equal_to_server()
    assert world.informer.age() < 11
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


async def test_an_unreadable_object_is_said_once_and_left_as_it_was(world: World) -> None:
    world.source.put("a", 1)
    await world.synced()
    with capture_logs() as logs:
        world.source.put("a", "no number")
        world.source.put("a", "still none")
        world.source.put("b", 2)
        await world.settle()
    known = world.store.get("ns", "a")
    assert known is not None
    assert known.value == 1
    assert world.store.get("ns", "b") is not None
    assert world.informer.unreadable == 1
    assert [e["name"] for e in logs if e["log_level"] == "warning"] == ["a"]
    world.source.put("a", 3)
    await world.settle()
    assert world.informer.unreadable == 0
    world.assert_equal_to_server()


async def test_an_unreadable_object_in_a_list_hides_no_other_and_is_no_deletion(
    world: World,
) -> None:
    world.source.put("a", 1)
    world.source.put("b", 1)
    await world.synced()
    world.source.put("a", "no number")
    await world.settle()
    world.source.send_error(410)
    world.source.put("c", 1)
    await world.settle(5)
    assert world.source.lists == 2
    assert sorted(t.name for t in world.store) == ["a", "b", "c"]
    assert ("gone", "a") not in world.told


async def test_an_unreadable_object_can_still_be_deleted(world: World) -> None:
    world.source.put("a", 1)
    await world.synced()
    world.source.put("a", "no number")
    world.source.delete("a")
    await world.settle()
    assert world.told[-1] == ("gone", "a")
    assert world.informer.unreadable == 0


async def test_a_defect_in_the_listener_does_not_stop_the_watch() -> None:
    source, store = FakeSource(), Store[Thing]()

    def fail(_old: Thing | None, _new: Thing | None) -> None:
        raise KeyError("a defect")

    informer = Informer(source=source, store=store, decode=decode_thing, on_change=fail)
    task = asyncio.create_task(informer.run())
    await asyncio.sleep(1)
    with capture_logs() as logs:
        source.put("a")
        source.put("b")
        await asyncio.sleep(1)
    assert not task.done()
    task.cancel()
    assert len(store) == 2
    assert [e["event"] for e in logs] == ["A change could not be passed on."] * 2


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
