"""What runs use."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import pytest
from tests.support.builders import a_pod, a_run, a_status, at

from actor_operator.api.views.pod import PodView
from actor_operator.kube.errors import UnreachableError
from actor_operator.kube.node_stats import (
    ContainerStats,
    CpuStats,
    MemoryStats,
    PodReference,
    PodStats,
)
from actor_operator.services.run_watch import RunHub, pod_store, run_store
from actor_operator.services.system_info import Meter, SystemInfo

MIB = 1024 * 1024


def stats(
    seconds: float, cpu_seconds: float, memory: int = 0, began: datetime | None = None
) -> ContainerStats:
    cpu = CpuStats(at(seconds), round(cpu_seconds * 1e9))
    return ContainerStats("actor", began, cpu, MemoryStats(at(seconds), memory))


def test_nothing_but_the_limit_is_known_without_numbers() -> None:
    usage = Meter().usage(1024)
    assert (usage.memory_limit, usage.memory, usage.cpu, usage.overloaded) == (
        1024 * MIB,
        0,
        0,
        False,
    )


def test_the_processor_share_is_the_difference_of_two_counters() -> None:
    meter = Meter()
    meter.feed(stats(10, 5.0))
    assert meter.usage(1024).cpu == 0
    meter.feed(stats(20, 6.0))
    assert meter.usage(1024).cpu == pytest.approx(10)
    meter.feed(stats(22, 7.0))
    usage = meter.usage(1024)
    assert usage.cpu == pytest.approx(50)
    assert usage.cpu_highest == pytest.approx(50)
    assert usage.cpu_average == pytest.approx(100 * 2 / 12)


def test_the_first_counter_is_shared_out_over_the_time_since_the_start() -> None:
    meter = Meter()
    meter.feed(stats(10, 2.0, began=at(0)))
    assert meter.usage(1024).cpu == pytest.approx(20)


def test_a_counter_that_is_told_again_changes_nothing() -> None:
    meter = Meter()
    meter.feed(stats(10, 5.0, 100))
    meter.feed(stats(11, 5.2, 300))
    before = meter.usage(1024)
    meter.feed(stats(11, 5.2, 300))
    assert meter.usage(1024) == before
    assert before.memory == 300
    assert before.memory_average == 200


@pytest.mark.parametrize(("used", "overloaded"), [(0.237, False), (0.2376, True)])
def test_above_95_percent_of_the_grant_is_overloaded(used: float, *, overloaded: bool) -> None:
    meter = Meter()
    meter.feed(stats(10, 0))
    meter.feed(stats(11, used))
    assert meter.usage(1024).overloaded is overloaded  # of 0.25 cores


@dataclass
class Nodes:
    """Kubelets of which the test says what they answer."""

    answers: dict[str, tuple[PodStats, ...] | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)

    async def read(self, address: str) -> tuple[PodStats, ...]:
        self.asked.append(address)
        answer = self.answers[address]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def keep_only(self, addresses: set[str]) -> None:
        self.kept = set(addresses)


def on_node(pod: PodView, address: str) -> PodView:
    return msgspec.structs.replace(pod, status=msgspec.structs.replace(pod.status, host_ip=address))


RUN = a_run(status=a_status(started=2))


class World:
    def __init__(self, nodes: Nodes | None) -> None:
        self.runs, self.pods = run_store(), pod_store()
        self.hub = RunHub(self.runs, self.pods)
        self.runs.apply(RUN)
        self.pods.apply(on_node(a_pod(run=RUN, running=2), "10.0.0.1"))
        self.info = SystemInfo(self.hub, nodes)

    def memory(self) -> int:
        usage = self.info.usage(self.hub.state(RUN.uid))
        assert usage is not None
        assert usage.memory_limit == 1024 * MIB
        return usage.memory


def of_pod(memory: int, uid: str = "pod-uid", seconds: float = 1) -> tuple[PodStats, ...]:
    return (PodStats(PodReference(uid), (stats(seconds, 0, memory),)),)


@pytest.mark.looptime
async def test_only_nodes_with_a_socket_are_asked_each_second() -> None:
    nodes = Nodes({"10.0.0.1": of_pod(7)})
    world = World(nodes)
    task = asyncio.create_task(world.info.run())
    await asyncio.sleep(2.5)
    assert nodes.asked == []
    with world.info.measured(RUN.uid), world.info.measured(RUN.uid):
        await asyncio.sleep(3)
        assert nodes.asked == ["10.0.0.1"] * 3
        assert world.memory() == 7
    await asyncio.sleep(2)
    assert nodes.asked == ["10.0.0.1"] * 3
    assert nodes.kept == set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.looptime
async def test_the_last_numbers_stand_while_a_node_does_not_answer() -> None:
    nodes = Nodes({"10.0.0.1": of_pod(7)})
    world = World(nodes)
    task = asyncio.create_task(world.info.run())
    with world.info.measured(RUN.uid):
        await asyncio.sleep(1.5)
        nodes.answers["10.0.0.1"] = UnreachableError("silence")
        await asyncio.sleep(3)
        assert world.memory() == 7
        nodes.answers["10.0.0.1"] = of_pod(9, seconds=5)
        await asyncio.sleep(1)
        assert world.memory() == 9
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.looptime
async def test_without_a_right_to_ask_only_the_limits_are_known() -> None:
    world = World(None)
    task = asyncio.create_task(world.info.run())
    with world.info.measured(RUN.uid):
        await asyncio.sleep(3)
        assert world.memory() == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
