"""What runs with a socket use, second by second, from the kubelets' counters.

A kubelet refreshes its counters only every few seconds; until it has a newer one, and while it
does not answer, the last numbers stand.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Protocol

from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
from actor_operator.constants import CONTAINER_NAME
from actor_operator.errors import ActorOperatorError
from actor_operator.kube.node_stats import ContainerStats, PodStats
from actor_operator.log import logger
from actor_operator.quantities import cpu_millicores
from actor_operator.services.events import Usage, current_pod
from actor_operator.services.run_watch import RunState, RunWatch

log = logger(__name__)

SECONDS = 1.0
"""Time between two questions to a node."""

OVERLOADED = 0.95
"""Share of the granted processor above which it counts as overloaded."""

MEBIBYTE = 1024 * 1024


class NodeReader(Protocol):
    """Asks kubelets."""

    async def read(self, address: str) -> tuple[PodStats, ...]:
        """The numbers of all pods of a node.

        Raises
        ------
        ActorOperatorError
            When the node does not answer.
        """
        ...

    async def keep_only(self, addresses: set[str]) -> None:
        """Close the connections to all other nodes."""
        ...


class Meter:
    """Makes rates of the counters of one container."""

    def __init__(self) -> None:
        self._first: tuple[datetime, int] | None = None
        self._last: tuple[datetime, int] | None = None
        self._cpu = self._cpu_average = self._cpu_highest = 0.0
        self._memory = 0
        self._memory_time: datetime | None = None
        self._memory_sum = 0
        self._memory_count = 0

    def feed(self, stats: ContainerStats) -> None:
        """Take in what a kubelet says; what is no newer than before changes nothing."""
        self._feed_memory(stats)
        time, used = stats.cpu.time, stats.cpu.usage_core_nano_seconds
        if time is None or used is None:
            return
        if self._first is None or self._last is None or used < self._last[1]:
            # The first one, or a new container: since its start, where that is told.
            began = (time, used) if stats.start_time is None else (stats.start_time, 0)
            self._first = self._last = began
        seconds = (time - self._last[0]).total_seconds()
        if seconds <= 0:
            return
        self._cpu = _percent(used - self._last[1], seconds)
        self._cpu_highest = max(self._cpu_highest, self._cpu)
        self._cpu_average = _percent(used - self._first[1], (time - self._first[0]).total_seconds())
        self._last = (time, used)

    def usage(self, memory_mbytes: int) -> Usage:
        """What the container uses of what a run of that memory is granted."""
        cores = cpu_millicores(memory_mbytes) / 1000
        return Usage(
            memory_limit=memory_mbytes * MEBIBYTE,
            memory=self._memory,
            memory_average=self._memory_sum / self._memory_count if self._memory_count else 0.0,
            cpu=self._cpu,
            cpu_average=self._cpu_average,
            cpu_highest=self._cpu_highest,
            overloaded=self._cpu / 100 > OVERLOADED * cores,
        )

    def _feed_memory(self, stats: ContainerStats) -> None:
        time, used = stats.memory.time, stats.memory.working_set_bytes
        if used is None or (time is not None and time == self._memory_time):
            return
        self._memory, self._memory_time = used, time
        self._memory_sum += used
        self._memory_count += 1


class SystemInfo:
    """Measures the runs that have a socket here.

    Parameters
    ----------
    watch
        Where their pods are looked up.
    nodes
        Asks kubelets; None: there is no right to, and numbers are zero.
    """

    def __init__(self, watch: RunWatch, nodes: NodeReader | None) -> None:
        self._watch = watch
        self._nodes = nodes
        self._sockets: Counter[str] = Counter()
        self._meters: dict[str, Meter] = {}
        self._asked: dict[str, asyncio.Task[None]] = {}
        self._silent: set[str] = set()

    @contextmanager
    def measured(self, uid: str) -> Iterator[None]:
        """Have a run measured for the length of a ``with`` block."""
        self._sockets[uid] += 1
        try:
            yield
        finally:
            self._sockets[uid] -= 1
            if not self._sockets[uid]:
                del self._sockets[uid]

    def usage(self, state: RunState) -> Usage | None:
        """What a run uses; None: its limits are not known yet."""
        run = state.run
        if not isinstance(run, RunView) or run.status.options is None:
            return None
        pod = current_pod(run, state.pods)
        meter = self._meters.get(pod.uid) if pod is not None else None
        return (meter or Meter()).usage(run.status.options.memory_mbytes)

    async def run(self) -> None:
        """Ask, each second, every node that has something to measure; for ever."""
        try:
            while True:
                if self._nodes is not None:
                    await self._ask(self._nodes)
                await asyncio.sleep(SECONDS)
        finally:
            for task in self._asked.values():
                task.cancel()
            await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def _ask(self, nodes: NodeReader) -> None:
        pods = self._pods()
        self._meters = {uid: self._meters.get(uid, Meter()) for uid in pods}
        addresses = {pod.status.host_ip for pod in pods.values()} - {""}
        await nodes.keep_only(addresses | set(self._asked))
        for address in addresses - set(self._asked):
            # Beside one another, and the next second need not wait for a slow one.
            task = asyncio.create_task(self._ask_one(nodes, address))
            self._asked[address] = task
            task.add_done_callback(partial(self._note_end, address))

    def _pods(self) -> dict[str, PodView]:
        """The pods to measure, by uid."""
        found: dict[str, PodView] = {}
        for uid in self._sockets:
            state = self._watch.state(uid)
            pod = current_pod(state.run, state.pods) if isinstance(state.run, RunView) else None
            if pod is not None:
                found[pod.uid] = pod
        return found

    def _note_end(self, address: str, _: asyncio.Task[None]) -> None:
        self._asked.pop(address, None)

    async def _ask_one(self, nodes: NodeReader, address: str) -> None:
        try:
            answer = await nodes.read(address)
        except ActorOperatorError as error:
            if address not in self._silent:
                self._silent.add(address)
                log.warning(
                    "A kubelet does not tell what runs use.", node=address, error=str(error)
                )
            return
        self._silent.discard(address)
        for pod in answer:
            meter = self._meters.get(pod.pod_ref.uid)
            for container in pod.containers:
                if meter is not None and container.name == CONTAINER_NAME:
                    meter.feed(container)


def _percent(nanoseconds: int, seconds: float) -> float:
    return nanoseconds / seconds / 1e7 if seconds > 0 else 0.0
