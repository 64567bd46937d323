"""The informer follows a source that does whatever an API server can do."""

import asyncio

import pytest
from structlog.testing import capture_logs
from tests.support.fake_source import FakeSource, Thing, decode_thing
from tests.support.informer_world import Refused, World

from actor_operator.engine.informer import Informer
from actor_operator.engine.store import Store
from actor_operator.errors import ExpiredError

pytestmark = pytest.mark.looptime(noop_cycles=0)


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
