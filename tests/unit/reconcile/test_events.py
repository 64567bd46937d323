"""Which committed statuses make Events, and when."""

import asyncio
from typing import Any, cast

import pytest
from msgspec.structs import replace
from tests.support.builders import a_pod, a_run, a_status

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import Failure, FinishedRun, RunStatus, RunView, stub
from actor_operator.engine.store import Store
from actor_operator.lifecycle.events import RunEvent
from actor_operator.reconcile.events import WAIT_SECONDS, EventRecorder

pytestmark = pytest.mark.looptime(noop_cycles=0)

FAILED = a_status(end=Phase.FAILED, failure=Failure(Reason.OOM_KILLED, "Too much."))


class World:
    """A recorder, and one run whose statuses are committed."""

    def __init__(self) -> None:
        self.runs: Store[RunView | FinishedRun] = Store()
        self.told: list[tuple[str, float, PodView | None]] = []
        self.leading: list[str] = []
        self.recorder = EventRecorder(runs=self.runs, writer=cast("Any", self))
        self.status = RunStatus()
        self.version = 1

    def tell(self, event: RunEvent, run: RunView, pod: PodView | None) -> None:
        assert run.name == "hello"
        self.told.append((event.reason, asyncio.get_running_loop().time(), pod))

    def start(self) -> None:
        self.leading.append("start")

    async def stop(self) -> None:
        self.leading.append("stop")

    def commit(self, status: RunStatus, pod: PodView | None = None) -> None:
        """The next status of the run."""
        before, after = a_run(status=self.status), a_run(status=status)
        self.version += 1
        newer = replace(after.metadata, resource_version=str(self.version))
        self.runs.apply(stub(replace(after, metadata=newer)))
        self.recorder.status_written(before, after, pod)
        self.status = status

    def wait_for(self, reason: Reason) -> None:
        """The run waits for something."""
        cause = Condition(ConditionType.POD_SCHEDULED, "False", reason, "Because.")
        self.commit(replace(a_status(), conditions=(cause,)))

    @property
    def reasons(self) -> list[str]:
        return [reason for reason, _, _ in self.told]


@pytest.fixture
def world() -> World:
    return World()


async def test_what_was_done_to_a_run_is_told_at_once_with_its_pod(world: World) -> None:
    pod = a_pod()
    world.commit(FAILED, pod)

    assert world.told == [("OOMKilled", 0, pod)]


async def test_a_wait_is_told_once_when_it_lasts(world: World) -> None:
    world.wait_for(Reason.UNSCHEDULABLE)
    await asyncio.sleep(100)

    assert world.told == [("Unschedulable", WAIT_SECONDS, None)]


async def test_a_wait_that_passes_is_not_told(world: World) -> None:
    world.wait_for(Reason.UNSCHEDULABLE)
    await asyncio.sleep(WAIT_SECONDS - 1)
    world.commit(a_status(started=4))
    await asyncio.sleep(100)

    assert world.told == []


async def test_a_wait_that_ends_and_begins_again_is_told_when_it_lasts(world: World) -> None:
    world.wait_for(Reason.UNSCHEDULABLE)
    await asyncio.sleep(3)
    world.commit(a_status())
    world.wait_for(Reason.UNSCHEDULABLE)
    await asyncio.sleep(100)

    assert world.told == [("Unschedulable", 3 + WAIT_SECONDS, None)]


async def test_a_wait_of_a_run_that_failed_in_it_is_told_as_the_failure(world: World) -> None:
    world.wait_for(Reason.UNSCHEDULABLE)
    await asyncio.sleep(2)
    world.commit(FAILED)
    await asyncio.sleep(100)

    assert world.reasons == ["OOMKilled"]


async def test_a_wait_of_a_run_that_was_deleted_is_not_told(world: World) -> None:
    world.wait_for(Reason.UNSCHEDULABLE)
    run = a_run()
    world.runs.remove(run.namespace, run.name, run.uid)
    await asyncio.sleep(100)

    assert world.told == []


async def test_a_wait_is_told_of_the_run_that_waits_and_not_of_a_namesake(world: World) -> None:
    world.wait_for(Reason.UNSCHEDULABLE)
    namesake = a_run(uid="another", status=world.status)
    world.runs.remove(namesake.namespace, namesake.name, a_run().uid)
    world.runs.apply(namesake)
    await asyncio.sleep(100)

    assert world.told == []


async def test_a_message_that_changes_while_a_run_waits_makes_no_further_event(
    world: World,
) -> None:
    for _ in range(3):
        world.wait_for(Reason.UNSCHEDULABLE)
        await asyncio.sleep(20)

    assert world.reasons == ["Unschedulable"]


async def test_only_a_replica_that_leads_writes(world: World) -> None:
    defects: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, defect: defects.append(defect))
    world.recorder.start_leading()
    world.wait_for(Reason.UNSCHEDULABLE)
    await world.recorder.stop_leading()
    await asyncio.sleep(100)

    assert world.leading == ["start", "stop"]
    assert world.told == defects == []
