"""Runs as they change: for sockets, for requests that are held, for logs.

Two informers fill two stores; here their changes wake those who asked for one run. Nobody polls,
and a change of a run costs only those who wait for it.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from actor_operator.api.v1alpha1.phase import FINISHED
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.constants import LABEL_ATTEMPT, LABEL_RUN, LABEL_RUN_UID
from actor_operator.engine.store import Store

Run = RunView | FinishedRun
"""A run, whole or as a stub."""

RUNS_BY_UID = "uid"
"""Index of the store of runs that the API server keeps."""

PODS_BY_RUN_UID = "run-uid"
"""Index of the store of pods: uid of the run."""

Topic = str | tuple[str, str]
"""What somebody wants to hear of: the uid of a run, or its namespace and name."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Before every pod that says when it was made."""


@dataclass(frozen=True, slots=True)
class RunState:
    """What is known of one run."""

    run: Run | None
    """None: there is none, or none yet."""

    pods: tuple[PodView, ...] = ()
    """Its pods, oldest first."""


Until = Callable[[RunState], bool]
"""Says whether what was waited for is there."""


class Subscription(Protocol):
    """Tells that a run has changed; several changes may be told as one."""

    async def wait(self, seconds: float | None) -> bool:
        """Wait for a change that was not told yet; False: there was none for so long."""
        ...


class RunWatch(Protocol):
    """What is known of runs, and when that changes."""

    def state(self, uid: str) -> RunState:
        """What is known of a run."""
        ...

    def subscribe(self, uid: str) -> AbstractContextManager[Subscription]:
        """Hear of changes for the length of a ``with`` block."""
        ...


def run_store() -> Store[Run]:
    """An empty store of runs with the index that is needed here."""
    return Store({RUNS_BY_UID: lambda run: run.uid})


def pod_store() -> Store[PodView]:
    """An empty store of pods with the index that is needed here."""
    return Store({PODS_BY_RUN_UID: lambda pod: pod.metadata.labels.get(LABEL_RUN_UID)})


def is_finished(run: Run) -> bool:
    """Whether the run's verdict is there."""
    if isinstance(run, FinishedRun):
        return True
    return run.status.finished or run.status.phase in FINISHED


def attempt_of(pod: PodView) -> int:
    """The attempt that a pod belongs to; 0 when its label does not say."""
    text = pod.metadata.labels.get(LABEL_ATTEMPT, "")
    return int(text) if text.isascii() and text.isdigit() else 0


class _Signal:
    """Wakes one who waits."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def set(self) -> None:
        self._changed.set()

    async def wait(self, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


class RunHub:
    """Wakes those who wait for runs, from the changes of two stores.

    Parameters
    ----------
    runs, pods
        As made by :func:`run_store` and :func:`pod_store`; informers fill them.
    """

    def __init__(self, runs: Store[Run], pods: Store[PodView]) -> None:
        self._runs = runs
        self._pods = pods
        self._signals: dict[Topic, set[_Signal]] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._closed = False
        runs.listen(self._on_run)
        pods.listen(self._on_pod)

    @property
    def waiting(self) -> int:
        """How many wait at this moment."""
        return sum(len(signals) for signals in self._signals.values())

    def listen(self, listener: Callable[[str], None]) -> None:
        """Have the uid of each run told that changes, or whose pods do; it must not fail."""
        self._listeners.append(listener)

    def uids(self) -> list[str]:
        """The uids of all runs that are known, and of pods whose run is not."""
        known = set(self._runs.index_values(RUNS_BY_UID))
        return [*known, *(set(self._pods.index_values(PODS_BY_RUN_UID)) - known)]

    def state(self, uid: str) -> RunState:
        """What is known of a run."""
        found = self._runs.by_index(RUNS_BY_UID, uid)
        pods = self._pods.by_index(PODS_BY_RUN_UID, uid)
        pods.sort(key=lambda pod: (pod.metadata.creation_timestamp or BEGINNING, pod.name))
        return RunState(found[0] if found else None, tuple(pods))

    def named(self, namespace: str, name: str, uid: str = "") -> RunState:
        """What is known of a run by its name; with a uid of no other run of that name."""
        run = self._runs.get(namespace, name)
        if run is None or (uid and run.uid != uid):
            return self.state(uid) if uid else RunState(None)
        return self.state(run.uid)

    @contextmanager
    def subscribe(self, uid: str) -> Iterator[Subscription]:
        """Hear of changes of a run and its pods for the length of a ``with`` block."""
        with self._signal(uid) as signal:
            yield signal

    async def wait(
        self, namespace: str, name: str, until: Until, seconds: float, *, uid: str = ""
    ) -> RunState:
        """Wait until a run is as wished.

        Parameters
        ----------
        namespace, name
            Which run; it may be unknown as yet.
        until
            Looked at now and after each change of the run or its pods; it must not fail.
        seconds
            After which no more is waited.
        uid
            Only this run, no other one of that name.

        Returns
        -------
        RunState
            What is known when the wait ends: as wished, after the time, or at shutdown.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        with self._signal((namespace, name)) as signal:
            while True:
                state = self.named(namespace, name, uid)
                left = deadline - asyncio.get_running_loop().time()
                if self._closed or until(state) or left <= 0 or not await signal.wait(left):
                    return self.named(namespace, name, uid)

    def close(self) -> None:
        """Let every wait end with what is known; further ones end at once."""
        self._closed = True
        for topic in list(self._signals):
            self._wake(topic)

    @contextmanager
    def _signal(self, topic: Topic) -> Iterator[_Signal]:
        signal = _Signal()
        signals = self._signals.setdefault(topic, set())
        signals.add(signal)
        try:
            yield signal
        finally:
            signals.discard(signal)
            if not signals and self._signals.get(topic) is signals:
                del self._signals[topic]

    def _on_run(self, old: Run | None, new: Run | None) -> None:
        # A namesake with another uid takes the place of a run that is gone: both are told of.
        for run in {run.uid: run for run in (old, new) if run is not None}.values():
            self._tell(run.uid, (run.namespace, run.name))

    def _on_pod(self, old: PodView | None, new: PodView | None) -> None:
        pod = new or old
        uid = pod.metadata.labels.get(LABEL_RUN_UID) if pod is not None else None
        if pod is not None and uid is not None:
            self._tell(uid, (pod.namespace, pod.metadata.labels.get(LABEL_RUN, "")))

    def _tell(self, uid: str, name: tuple[str, str]) -> None:
        self._wake(uid)
        self._wake(name)
        for listener in self._listeners:
            listener(uid)

    def _wake(self, topic: Topic) -> None:
        for signal in self._signals.get(topic, ()):
            signal.set()
