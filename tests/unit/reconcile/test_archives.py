"""Finished runs and their pods wait for the API server to archive their logs."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from tests.support.toy_retention import World

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.views.run import RunView
from actor_operator.kube.errors import ServerError
from actor_operator.reconcile.retention import PAUSE_SECONDS

pytestmark = pytest.mark.looptime

SOON = PAUSE_SECONDS + 0.5

DAY = 86_400.0


@pytest.fixture
async def with_api() -> AsyncIterator[World]:
    world = World(api=True)
    yield world
    await world.close()


async def test_a_run_and_its_pods_stay_until_its_log_is_archived(with_api: World) -> None:
    with_api.lead()
    with_api.finish("a")
    with_api.add_pod("a", "a-1")
    await asyncio.sleep(200)
    assert (with_api.removed_pods, with_api.deleted) == ([], [])

    with_api.archive("a")
    await asyncio.sleep(SOON)

    assert [name for name, _ in with_api.deleted] == ["a"]


async def test_the_pods_of_an_archived_run_go_at_once(with_api: World) -> None:
    with_api.lead()
    with_api.finish("a")
    with_api.add_pod("a", "a-1")
    await asyncio.sleep(1)

    with_api.archive("a")
    await asyncio.sleep(0.5)

    assert [name for name, _ in with_api.removed_pods] == ["a-1"]
    assert with_api.deleted == []


async def test_a_run_that_is_archived_soon_costs_no_write(with_api: World) -> None:
    with_api.lead()
    with_api.finish("a", ttl_seconds_after_finished=3600)
    await asyncio.sleep(299)
    with_api.archive("a")
    await asyncio.sleep(100)

    assert (with_api.statuses, with_api.reads, with_api.told) == ([], [], [])


async def test_that_an_archive_takes_long_is_a_condition_which_is_true_in_the_end(
    with_api: World,
) -> None:
    def condition() -> tuple[str, str]:
        found = with_api.server["a"].status.condition(ConditionType.ARCHIVED)
        assert found is not None
        return found.status, found.reason

    with_api.lead()
    with_api.finish("a", ttl_seconds_after_finished=7200)
    await asyncio.sleep(302)
    assert condition() == ("False", "ArchivePending")

    await asyncio.sleep(600)
    with_api.archive("a")
    await asyncio.sleep(600)

    assert condition() == ("True", "Archived")
    assert [round(when, -1) for _, when in with_api.statuses] == [300, 900]


async def test_after_a_day_nobody_waits_for_an_archive_any_more_and_that_is_told(
    with_api: World,
) -> None:
    with_api.lead()
    with_api.finish("a", end=100 - DAY)
    with_api.add_pod("a", "a-1")
    with_api.finish("long", end=100 - DAY, ttl_seconds_after_finished=10**6)
    with_api.add_pod("long", "long-1")
    await asyncio.sleep(99)
    assert (with_api.removed_pods, with_api.deleted, with_api.told) == ([], [], [])

    await asyncio.sleep(3)

    assert sorted(with_api.told) == [("a", "NotArchived"), ("long", "NotArchived")]
    assert [name for name, _ in with_api.deleted] == ["a"]
    assert "long-1" in [name for name, _ in with_api.removed_pods]


async def test_the_archive_of_an_earlier_attempt_is_not_that_of_this_one(with_api: World) -> None:
    with_api.lead()
    with_api.finish("a")
    with_api.archive("a")
    with_api.change("a", attempt=2)
    await asyncio.sleep(200)
    assert with_api.deleted == []

    with_api.archive("a", attempt=2)
    await asyncio.sleep(SOON)

    assert [name for name, _ in with_api.deleted] == ["a"]


async def test_a_run_that_has_run_again_since_it_was_judged_is_not_removed(with_api: World) -> None:
    """The watch is late: what is known says that it is archived, what is stored that it is not."""
    with_api.finish("a")
    with_api.archive("a")
    again = with_api.server["a"]
    with_api.server["a"] = replace(again, status=replace(again.status, attempt=2))
    await asyncio.sleep(100)

    with_api.lead()
    await asyncio.sleep(SOON)

    assert with_api.reads == ["a"]
    assert with_api.deleted == []


async def test_what_waited_longer_than_a_day_before_this_replica_led_goes(with_api: World) -> None:
    with_api.finish("a", end=-2 * DAY)
    with_api.lead()
    await asyncio.sleep(SOON)

    assert [name for name, _ in with_api.deleted] == ["a"]


async def test_a_failure_to_tell_is_tried_again_and_removes_the_run_once(with_api: World) -> None:
    read, failures = with_api.read, [ServerError("no answer", status=500)]

    async def failing(_namespace: str, name: str) -> RunView | None:
        if failures and asyncio.get_running_loop().time() >= 100:
            raise failures.pop()
        return await read(_namespace, name)

    with_api.read = failing  # type: ignore[method-assign]
    with_api.lead()
    with_api.finish("a", end=100 - DAY, ttl_seconds_after_finished=int(DAY) + 100)
    await asyncio.sleep(160)
    assert with_api.told == [("a", "NotArchived")]

    await asyncio.sleep(60)

    assert [name for name, _ in with_api.deleted] == ["a"]
