"""Waiting for runs."""

import asyncio

import msgspec
import pytest
from tests.support.builders import a_pod, a_run, a_status

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import RunView
from actor_operator.services.run_watch import (
    RunHub,
    RunState,
    attempt_of,
    is_finished,
    pod_store,
    run_store,
)

pytestmark = pytest.mark.looptime


def version(run: RunView, number: int) -> RunView:
    return msgspec.structs.replace(
        run, metadata=msgspec.structs.replace(run.metadata, resource_version=str(number))
    )


RUN = version(a_run(status=a_status(started=2)), 1)
DONE = version(a_run(status=a_status(started=2, end=Phase.SUCCEEDED)), 2)


def finished(state: RunState) -> bool:
    return state.run is not None and is_finished(state.run)


class World:
    def __init__(self) -> None:
        self.runs, self.pods = run_store(), pod_store()
        self.hub = RunHub(self.runs, self.pods)

    async def waiter(self, seconds: float = 60, uid: str = "") -> "asyncio.Task[RunState]":
        wait = self.hub.wait("team", "hello", finished, seconds, uid=uid)
        task = asyncio.create_task(wait)
        await asyncio.sleep(0)
        return task


async def test_a_wait_ends_with_the_change_that_was_waited_for() -> None:
    world = World()
    world.runs.apply(RUN)
    task = await world.waiter()
    await asyncio.sleep(5)
    assert not task.done()
    world.runs.apply(DONE)
    assert (await task).run == DONE
    assert asyncio.get_running_loop().time() == 5
    assert world.hub.waiting == 0


async def test_a_wait_for_what_is_there_ends_at_once() -> None:
    world = World()
    world.runs.apply(DONE)
    assert (await world.hub.wait("team", "hello", finished, 60)).run == DONE


async def test_a_wait_ends_after_its_time_with_the_current_run() -> None:
    world = World()
    world.runs.apply(RUN)
    assert (await world.hub.wait("team", "hello", finished, 60)).run == RUN
    assert asyncio.get_running_loop().time() == 60


async def test_a_run_that_is_not_known_yet_can_be_waited_for() -> None:
    world = World()
    task = await world.waiter()
    world.runs.apply(DONE)
    assert (await task).run == DONE


async def test_a_namesake_with_another_uid_is_not_meant() -> None:
    world = World()
    task = await world.waiter(seconds=10, uid="other")
    world.runs.apply(DONE)
    assert (await task).run is None


async def test_a_pod_of_the_run_wakes_those_who_wait() -> None:
    world = World()
    world.runs.apply(RUN)
    wait = world.hub.wait("team", "hello", lambda state: bool(state.pods), 60)
    task = asyncio.create_task(wait)
    await asyncio.sleep(0)
    pod = a_pod(run=RUN)
    world.pods.apply(pod)
    assert (await task).pods == (pod,)


async def test_thousands_wait_and_only_those_of_the_run_are_asked() -> None:
    world = World()
    asked = 0

    def until(state: RunState) -> bool:
        nonlocal asked
        asked += 1
        return finished(state)

    others = [
        asyncio.create_task(world.hub.wait("team", f"other-{n}", until, 60)) for n in range(2000)
    ]
    ours = [asyncio.create_task(world.hub.wait("team", "hello", until, 60)) for _ in range(1000)]
    await asyncio.sleep(0)
    assert asked == 3000
    world.runs.apply(DONE)
    assert all([(await task).run == DONE for task in ours])
    assert asked == 4000
    world.hub.close()
    assert all([(await task).run is None for task in others])


async def test_at_shutdown_every_wait_ends_with_the_current_run() -> None:
    world = World()
    world.runs.apply(RUN)
    task = await world.waiter()
    world.hub.close()
    assert (await task).run == RUN
    assert (await world.hub.wait("team", "hello", finished, 60)).run == RUN
    assert asyncio.get_running_loop().time() == 0


async def test_a_subscription_tells_of_changes_that_came_meanwhile_as_one() -> None:
    world = World()
    with world.hub.subscribe(RUN.uid) as changes:
        assert await changes.wait(1) is False
        world.runs.apply(RUN)
        world.runs.apply(DONE)
        assert await changes.wait(1) is True
        assert await changes.wait(1) is False
        world.runs.remove("team", "hello", RUN.uid)
        assert await changes.wait(None) is True
        assert world.hub.state(RUN.uid) == RunState(None)
    assert world.hub.waiting == 0


async def test_a_listener_hears_the_uid_of_each_run_that_changes() -> None:
    world = World()
    heard: list[str] = []
    world.hub.listen(heard.append)
    world.runs.apply(RUN)
    world.pods.apply(a_pod(run=a_run(uid="other")))
    assert heard == [RUN.uid, "other"]
    assert sorted(world.hub.uids()) == sorted(heard)


def test_the_attempt_of_a_pod_is_its_label() -> None:
    assert attempt_of(a_pod(attempt=3)) == 3
    pod = a_pod()
    nameless = msgspec.structs.replace(
        pod, metadata=msgspec.structs.replace(pod.metadata, labels={})
    )
    assert attempt_of(nameless) == 0
