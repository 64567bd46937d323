"""Pods whose run is gone: removed after a while, unless somebody else does it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, cast

import pytest
from msgspec.structs import replace
from tests.support.builders import a_pod, a_run, at

from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.constants import LABEL_RUN_UID
from actor_operator.engine.store import Store
from actor_operator.kube.errors import ServerError
from actor_operator.lifecycle.actions import Action, DeletePod, DeleteSecret
from actor_operator.reconcile.gather import PODS_BY_RUN
from actor_operator.reconcile.orphans import GRACE_SECONDS, OrphanController

pytestmark = pytest.mark.looptime

LATER = GRACE_SECONDS + 2


class World:
    """Stores, the API server's run, and what was removed when."""

    def __init__(self) -> None:
        self.runs: Store[RunView | FinishedRun] = Store()
        self.pods: Store[PodView] = Store(
            {PODS_BY_RUN: lambda pod: pod.metadata.labels.get(LABEL_RUN_UID)}
        )
        self.server: RunView | None = None
        self.served = True
        self.reads = 0
        self.errors: list[Exception] = []
        self.removed: list[tuple[tuple[Action, ...], float]] = []
        everything = cast("Any", self)
        self.controller = OrphanController(
            runs=self.runs,
            pods=self.pods,
            run_reader=everything,
            executor=everything,
            claims=everything,
            clock=self,
        )
        self.timers = asyncio.create_task(self.controller.timers.run())

    def now(self) -> datetime:
        return at(asyncio.get_running_loop().time())

    def serves(self, _: str) -> bool:
        return self.served

    async def read(self, _namespace: str, _name: str) -> RunView | None:
        self.reads += 1
        return self.server

    async def remove(self, actions: tuple[Action, ...]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.removed.append((actions, asyncio.get_running_loop().time()))

    def add_run(self, uid: str = "old") -> RunView:
        run = a_run(uid=uid)
        self.runs.apply(run)
        return run

    def add_pod(self, version: str = "5", **changes: Any) -> PodView:
        pod = a_pod(run=a_run(uid="old"), **changes)
        pod = replace(pod, metadata=replace(pod.metadata, resource_version=version))
        self.pods.apply(pod)
        return pod

    @property
    def removed_pods(self) -> list[str]:
        actions = [action for found, _ in self.removed for action in found]
        return [action.uid for action in actions if isinstance(action, DeletePod)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    world.controller.start_leading()
    yield world
    await world.controller.stop_leading(0)
    world.timers.cancel()


async def test_a_pod_whose_run_is_deleted_is_removed_with_its_secret_after_a_while(
    world: World,
) -> None:
    run = world.add_run()
    pod = world.add_pod()
    world.runs.remove(run.namespace, run.name, run.uid)
    await asyncio.sleep(LATER)

    ((actions, when),) = world.removed
    assert [type(action) for action in actions] == [DeleteSecret, DeletePod]
    assert world.removed_pods == [pod.uid]
    assert GRACE_SECONDS <= when <= LATER


async def test_a_pod_whose_run_was_gone_before_leading_began_is_removed() -> None:
    world = World()
    world.add_pod()
    world.controller.start_leading()
    await asyncio.sleep(LATER)

    assert len(world.removed_pods) == 1
    await world.controller.stop_leading(0)
    world.timers.cancel()


async def test_a_pod_that_lost_its_owner_is_removed_too(world: World) -> None:
    pod = world.add_pod()
    metadata = replace(pod.metadata, owner_references=(), resource_version="6")
    world.pods.apply(replace(pod, metadata=metadata))
    await asyncio.sleep(LATER)

    assert len(world.removed_pods) == 1


async def test_the_pod_of_a_run_whose_name_has_another_run_now_is_removed(world: World) -> None:
    world.server = world.add_run("new")
    world.add_pod()
    await asyncio.sleep(LATER)

    assert len(world.removed_pods) == 1


@pytest.mark.parametrize("why", ["it has ended", "it is being deleted", "it is another's"])
async def test_a_pod_is_left_alone_when(world: World, why: str) -> None:
    changes: dict[str, dict[str, Any]] = {
        "it has ended": {"phase": "Succeeded"},
        "it is being deleted": {"deleted": 1},
        "it is another's": {"owner": "somebody else"},
    }
    world.add_pod(**changes[why])
    await asyncio.sleep(LATER)

    assert (world.reads, world.removed) == (0, [])


async def test_the_pod_of_a_run_that_exists_is_left_alone(world: World) -> None:
    world.add_run()
    world.add_pod()
    await asyncio.sleep(LATER)

    assert (world.reads, world.removed) == (0, [])


async def test_the_api_server_has_the_last_word(world: World) -> None:
    world.server = a_run(uid="old")
    world.add_pod()
    await asyncio.sleep(LATER)

    assert (world.reads, world.removed) == (1, [])


async def test_a_pod_that_the_garbage_collector_takes_is_not_asked_about(world: World) -> None:
    run = world.add_run()
    pod = world.add_pod()
    world.runs.remove(run.namespace, run.name, run.uid)
    await asyncio.sleep(1)
    world.pods.remove(pod.namespace, pod.name, pod.uid)
    await asyncio.sleep(LATER)

    assert (world.reads, world.removed) == (0, [])


async def test_a_removal_that_fails_is_tried_again(world: World) -> None:
    world.errors = [ServerError("away", status=503)]
    world.add_pod()
    await asyncio.sleep(LATER)

    assert len(world.removed_pods) == 1


async def test_pods_of_other_installations_are_left_alone(world: World) -> None:
    world.served = False
    world.add_pod()
    await asyncio.sleep(LATER)

    assert world.removed == []


async def test_who_leads_no_more_removes_nothing(world: World) -> None:
    world.add_pod()
    assert await world.controller.stop_leading(1)
    world.add_pod("6", owner="old", timeout=9)
    await asyncio.sleep(LATER)

    assert (world.reads, world.removed) == (0, [])
