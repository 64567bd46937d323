"""A cluster of one run, in memory: what the API server keeps, and writes that can go wrong.

It stands behind the reconciler in place of the classes of ``kube``. Nothing here waits: a
coroutine of the operator is driven to its end by :func:`drive`.
"""

from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from tests.support.builders import CREATED

from actor_operator.api.k8s import V1Pod, V1Secret
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.metadata import ObjectView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunStatus, RunView
from actor_operator.constants import WRITE_LANDING_SECONDS
from actor_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    NotFoundError,
    ServerError,
    UnreachableError,
)
from actor_operator.kube.pods import decode_pod

T = TypeVar("T")
V = TypeVar("V", bound=ObjectView)

Event = tuple[ObjectView, bool]
"""An object as it was, and whether it was deleted then."""


class Crash(BaseException):
    """The operator's process dies here."""


class Fault(Enum):
    """What can go wrong with a write."""

    CRASH_BEFORE = auto()
    CRASH_AFTER = auto()
    ANSWER_LOST = auto()
    UNAVAILABLE = auto()
    LATE = auto()
    """No answer, and it is carried out a while later; only Services and routes are that slow."""


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never really waits."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("the coroutine waits for something")


class ToyCluster:
    """The API server of one run.

    Parameters
    ----------
    run, actor
        What is there at first; without Actor it may come later.
    """

    def __init__(self, run: RunView, actor: ActorView | None) -> None:
        self.now: datetime = CREATED
        self.run: RunView = run
        self.pods: dict[str, PodView] = {}
        self.actor = actor
        self.secrets: set[str] = set()
        self.history: list[RunStatus] = []
        self.pods_created = 0
        self.writes = 0
        self.faults: deque[Fault | None] = deque()
        self.late: list[Callable[[], object]] = []
        """Writes that were given up and are still to be carried out."""
        self.refusal: ApiError | None = None
        self.run_events: deque[Event] = deque()
        self.pod_events: deque[Event] = deque()
        self._version = 100
        self._put_run(run)

    @property
    def pod(self) -> PodView | None:
        """The pod that something happens to: the oldest that is not done with, else the newest."""
        pods = list(self.pods.values())
        busy = (p for p in pods if not p.is_over or p.metadata.deletion_timestamp is not None)
        return next(busy, pods[-1] if pods else None)

    # What users, kubelets and time do

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if seconds >= WRITE_LANDING_SECONDS:
            self.land()

    def land(self) -> None:
        """Writes that were given up are carried out."""
        late, self.late = self.late, []
        for apply in late:
            with suppress(ApiError):
                apply()

    def change_spec(self, **fields: Any) -> None:
        """A user patches the run."""
        meta = replace(self.run.metadata, generation=self.run.metadata.generation + 1)
        self._put_run(replace(self.run, metadata=meta, spec=replace(self.run.spec, **fields)))

    def put_pod(self, pod: PodView) -> None:
        """Kubelet, scheduler or user change the pod."""
        new = self._versioned(pod)
        self.pods[pod.name] = new
        self.pod_events.append((new, False))

    def remove_pod(self, pod: PodView) -> None:
        """A pod object goes."""
        self.pod_events.append((self._versioned(self.pods.pop(pod.name)), True))

    def delete_pod(self, pod: PodView, grace: int) -> None:
        """Somebody asks for a pod's deletion; a shorter grace than before holds."""
        meta, ends = pod.metadata, self.now.replace(microsecond=0) + timedelta(seconds=grace)
        if meta.deletion_timestamp is not None and meta.deletion_timestamp <= ends:
            return
        if not pod.spec.node_name or pod.is_over:
            self.remove_pod(pod)
            return
        meta = replace(meta, deletion_timestamp=ends, deletion_grace_period_seconds=grace)
        self.put_pod(replace(pod, metadata=meta))

    # The classes of ``kube``

    async def write_status(self, run: RunView, status: RunStatus) -> RunView:
        return self._write(lambda: self._commit(run, status))

    async def read(self, namespace: str, name: str) -> PodView | None:
        return self.pods.get(name)

    async def create(self, namespace: str, pod: V1Pod) -> PodView:
        return self._write(lambda: self._create(pod))

    async def delete(
        self, namespace: str, name: str, *, uid: str, grace_seconds: int
    ) -> PodView | None:
        def apply() -> PodView | None:
            pod = self.pods.get(name)
            if pod is None or pod.uid != uid:
                return None
            self.delete_pod(pod, grace_seconds)
            return self.pods.get(name, pod)

        return self._write(apply)

    async def stop(self, namespace: str, name: str, *, uid: str) -> PodView | None:
        def apply() -> PodView | None:
            pod = self.pods.get(name)
            if pod is not None and pod.uid == uid:
                spec = replace(pod.spec, active_deadline_seconds=1)
                self.put_pod(replace(pod, spec=spec))
            return self.pods.get(name)

        return self._write(apply)

    def _commit(self, run: RunView, status: RunStatus) -> RunView:
        if run.uid != self.run.uid:
            raise NotFoundError("there is no such run", status=404)
        if run.resource_version != self.run.resource_version:
            raise ConflictError("the object has been modified", status=409)
        # Over the wire: what is left out as a default comes back as one.
        stored = msgspec.json.decode(msgspec.json.encode(status), type=RunStatus)
        self.history.append(stored)
        self._put_run(replace(self.run, status=stored))
        return self.run

    def _create(self, pod: V1Pod) -> PodView:
        if self.refusal is not None:
            raise self.refusal
        new = decode_pod(
            msgspec.json.encode(pod.model_dump(by_alias=True, exclude_none=True, mode="json"))
        )
        if new.name in self.pods:
            raise AlreadyExistsError("the pod exists", status=409)
        self.pods_created += 1
        meta = replace(new.metadata, uid=f"pod-{self.pods_created}", creation_timestamp=self.now)
        self.put_pod(replace(new, metadata=meta))
        return self.pods[new.name]

    def _write(self, apply: Callable[[], T], *, may_land_late: bool = False) -> T:
        self.writes += 1
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        if fault is Fault.LATE and may_land_late:
            self.late.append(apply)
            raise UnreachableError("no answer", may_have_applied=True)
        if fault in {Fault.UNAVAILABLE, Fault.LATE}:
            raise ServerError("the server is overloaded", status=503)
        answer = apply()
        if fault is Fault.CRASH_AFTER:
            raise Crash
        if fault is Fault.ANSWER_LOST:
            raise UnreachableError("no answer", may_have_applied=True)
        return answer

    def _put_run(self, run: RunView) -> None:
        self.run = self._versioned(run)
        self.run_events.append((self.run, False))

    def _versioned(self, view: V) -> V:
        self._version += 1
        meta = replace(view.metadata, resource_version=str(self._version))
        return replace(view, metadata=meta)


class ToySecrets:
    """Secrets of a toy cluster: only their names."""

    def __init__(self, cluster: ToyCluster) -> None:
        self._cluster = cluster

    async def ensure(self, namespace: str, secret: V1Secret) -> None:
        name = str(secret.metadata.name if secret.metadata else "")
        self._cluster._write(lambda: self._cluster.secrets.add(name))

    async def delete(self, namespace: str, name: str) -> None:
        self._cluster._write(lambda: self._cluster.secrets.discard(name))


class ToyActors:
    """Actors of a toy cluster: the one of its run."""

    def __init__(self, cluster: ToyCluster) -> None:
        self._cluster = cluster

    async def read(self, namespace: str, name: str) -> ActorView | None:
        return self._cluster.actor
