"""Removing finished runs and their pods: when, in which state, and what stays."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from tests.support.toy_retention import World

from actor_operator.api.views.account import Retention
from actor_operator.kube.errors import ConflictError, ServerError
from actor_operator.reconcile.retention import PAUSE_SECONDS

pytestmark = pytest.mark.looptime

SOON = PAUSE_SECONDS + 0.5


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.close()


async def test_a_run_is_removed_when_its_time_is_over(world: World) -> None:
    world.lead()
    world.finish("a", end=0)
    await asyncio.sleep(99)
    assert world.deleted == []
    assert world.reads == []

    await asyncio.sleep(3)

    assert [name for name, _ in world.deleted] == ["a"]
    assert 100 <= world.deleted[0][1] < 101.1


async def test_a_time_of_its_own_may_be_none_at_all(world: World) -> None:
    world.lead()
    world.finish("a", ttl_seconds_after_finished=0)
    await asyncio.sleep(SOON)

    assert [name for name, _ in world.deleted] == ["a"]


async def test_what_was_due_while_nobody_led_is_removed_at_once(world: World) -> None:
    for number in range(50):
        world.finish(f"run-{number}", end=-1000 - number)

    world.lead()
    await asyncio.sleep(SOON)

    assert len(world.deleted) == 50


async def test_a_replica_that_does_not_lead_removes_nothing(world: World) -> None:
    world.finish("a", end=-1000)
    world.lead()
    await world.controller.stop_leading(1)
    world.finish("b", end=-1000)
    await asyncio.sleep(10)

    assert world.deleted == []


async def test_what_an_account_says_from_now_on_holds_for_runs_of_before(world: World) -> None:
    world.lead()
    world.finish("a", end=0)
    world.account = Retention(ttl_seconds_after_finished=5)
    world.controller.look_at_account("team")
    await asyncio.sleep(7)

    assert [name for name, _ in world.deleted] == ["a"]


async def test_the_newest_of_an_account_stay_until_newer_ones_come(world: World) -> None:
    world.account = Retention(ttl_seconds_after_finished=5, keep_last=1)
    world.lead()
    world.finish("a", end=0)
    await asyncio.sleep(50)
    assert world.deleted == []

    world.finish("b", end=50)
    await asyncio.sleep(SOON)

    assert [name for name, _ in world.deleted] == ["a"]


async def test_a_run_that_was_resurrected_meanwhile_stays(world: World) -> None:
    """The watch has not told yet: what counts is what is read just before."""
    world.lead()
    world.finish("a", end=0)
    run = world.server["a"]
    world.server["a"] = replace(run, status=replace(run.status, finished=False))
    await asyncio.sleep(200)

    assert world.reads == ["a"]
    assert world.deleted == []


async def test_a_namesake_is_not_taken_for_it(world: World) -> None:
    world.lead()
    world.finish("a", end=0)
    run = world.server["a"]
    world.server["a"] = replace(run, metadata=replace(run.metadata, uid="another"))
    await asyncio.sleep(200)

    assert world.deleted == []


async def test_a_run_of_a_gitops_tool_stays_and_is_asked_for_once(world: World) -> None:
    world.lead()
    world.finish("a", end=0)
    world.label("a", **{"kustomize.toolkit.fluxcd.io/name": "apps"})
    await asyncio.sleep(1000)
    world.finish("b", end=1000)
    await asyncio.sleep(10)

    assert world.reads == ["a"]
    assert world.deleted == []


async def test_a_run_that_changes_is_looked_at_again(world: World) -> None:
    world.lead()
    world.finish("a", end=0)
    world.label("a", **{"kustomize.toolkit.fluxcd.io/name": "apps"})
    await asyncio.sleep(200)

    world.label("a")
    world.change("a", node_name="other")
    await asyncio.sleep(SOON)

    assert [name for name, _ in world.deleted] == ["a"]


async def test_a_run_that_changes_while_it_is_removed_is_judged_anew(world: World) -> None:
    world.errors = [ConflictError("it has changed", status=409)]
    world.lead()
    world.finish("a", end=0)
    await asyncio.sleep(110)
    assert world.deleted == []

    world.change("a", node_name="other")
    await asyncio.sleep(SOON)

    assert [name for name, _ in world.deleted] == ["a"]


async def test_a_change_that_is_heard_of_during_the_removal_is_not_forgotten(world: World) -> None:
    world.errors = [ConflictError("it has changed", status=409)]
    world.before_delete = lambda: world.change("a", node_name="other")
    world.lead()
    world.finish("a", end=0)
    await asyncio.sleep(110)

    assert [name for name, _ in world.deleted] == ["a"]


async def test_a_failure_holds_up_only_its_own_run(world: World) -> None:
    world.errors = [ServerError("down", status=503)]
    world.lead()
    for name in ("a", "b", "c"):
        world.finish(name, end=0)
    await asyncio.sleep(110)

    assert {name for name, _ in world.deleted} == {"a", "b", "c"}


async def test_runs_of_anothers_namespace_are_neither_read_nor_removed(world: World) -> None:
    world.served = False
    world.lead()
    world.finish("a", end=-1000)
    await asyncio.sleep(10)
    assert world.reads == []

    world.served = True
    world.controller.look_at_account("team")
    await asyncio.sleep(SOON)

    assert [name for name, _ in world.deleted] == ["a"]


async def test_pods_go_before_their_run(world: World) -> None:
    world.add_pod("a", "a-1")
    world.lead()
    world.finish("a", end=0)
    world.add_pod("a", "a-2")
    world.add_pod("another", "another-1")
    await asyncio.sleep(29)
    assert world.removed_pods == []

    await asyncio.sleep(2)

    assert {name for name, _ in world.removed_pods} == {"a-1", "a-2"}
    assert world.deleted == []


async def test_a_pod_that_is_heard_of_late_goes_too(world: World) -> None:
    world.lead()
    world.finish("a", end=0)
    await asyncio.sleep(40)
    world.add_pod("a", "a-1")
    await asyncio.sleep(1)

    assert [name for name, _ in world.removed_pods] == ["a-1"]


async def test_the_pods_of_a_run_that_stays_go_all_the_same(world: World) -> None:
    world.add_pod("a", "a-1")
    world.account = Retention(ttl_seconds_after_finished=0)
    world.lead()
    world.finish("a", end=0)
    world.label("a", **{"kustomize.toolkit.fluxcd.io/name": "apps"})
    await asyncio.sleep(40)

    assert [name for name, _ in world.removed_pods] == ["a-1"]
    assert world.deleted == []


async def test_nothing_is_left_of_a_run_that_somebody_deleted(world: World) -> None:
    world.add_pod("a", "a-1")
    world.lead()
    run = world.finish("a", end=0)
    await asyncio.sleep(SOON)
    assert world.controller.timers.get(("team", "a")) is not None

    world.runs.remove("team", "a", run.uid)

    assert world.controller.timers.get(("team", "a")) is None


async def test_the_pod_of_a_run_that_lives_again_is_left_alone(world: World) -> None:
    world.add_pod("a", "a-1")
    world.lead()
    world.finish("a", end=0)
    world.change("a", finished=False)
    await asyncio.sleep(200)

    assert world.removed_pods == []
    assert world.deleted == []
