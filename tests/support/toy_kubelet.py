"""A kubelet with its scheduler, for one pod: what was observed on a real one, step by step.

It knows the truth of each container: why it really ended. Statuses lag behind that truth as they
do in a cluster: the container's end is told before the pod's phase, times are cut off to seconds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from msgspec.structs import replace
from tests.support.toy_cluster import ToyCluster

from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.pod import (
    ContainerState,
    ContainerStatus,
    PodView,
    Running,
    Terminated,
    Waiting,
)
from actor_operator.constants import LABEL_ATTEMPT

GRACE = 30
"""Seconds that a container may take to end when it is told to."""


class Cause(Enum):
    """Why a container really ended."""

    ITSELF = auto()
    DEADLINE = auto()
    DELETED = auto()
    EVICTED = auto()
    DISK = auto()


@dataclass
class Truth:
    """What really happened to a container, whoever saw it."""

    pod: str
    """Uid of its pod."""

    name: str
    """Name of its pod."""

    attempt: int
    accepted: datetime | None = None
    started: datetime | None = None
    signalled: Cause | None = None
    ended: datetime | None = None
    code: int | None = None
    taken: datetime | None = None
    """When the pod was first deleted or evicted."""

    @property
    def alive(self) -> bool:
        return self.started is not None and self.ended is None

    def may_run(self, now: datetime) -> bool:
        """Whether the container runs; that of a pod removed by force does for its grace."""
        return self.started is not None and (self.ended is None or self.ended > now)

    @property
    def cause(self) -> Cause:
        return self.signalled or Cause.ITSELF


class ToyKubelet:
    """Acts on the pod of a toy cluster."""

    def __init__(self, cluster: ToyCluster) -> None:
        self.cluster = cluster
        self.truths: list[Truth] = []

    @property
    def pod(self) -> PodView:
        assert self.cluster.pod is not None
        return self.cluster.pod

    @property
    def truth(self) -> Truth:
        """The truth of the pod."""
        known = next((truth for truth in self.truths if truth.pod == self.pod.uid), None)
        if known is None:
            attempt = int(self.pod.metadata.labels[LABEL_ATTEMPT])
            known = Truth(self.pod.uid, self.pod.name, attempt)
            self.truths.append(known)
        return known

    @property
    def deleting(self) -> bool:
        return self.pod.metadata.deletion_timestamp is not None

    @property
    def waits_for_node(self) -> bool:
        return not self.pod.spec.node_name and not self.pod.is_over

    @property
    def may_start(self) -> bool:
        ready = self.truth.accepted is not None and self.truth.started is None
        return ready and not self.deleting and not self.pod.is_over and not self.overdue

    @property
    def overdue(self) -> bool:
        """Whether the pod is past its deadline, by the kubelet's own exact clock."""
        seconds, begun = self.pod.spec.active_deadline_seconds, self.truth.accepted
        if not seconds or begun is None:
            return False
        return self.cluster.now >= begun + timedelta(seconds=seconds)

    # Scheduler

    def cannot_schedule(self) -> None:
        self._condition("PodScheduled", "False", "Unschedulable")

    def schedule(self) -> None:
        self._condition("PodScheduled", "True", "")
        self.cluster.put_pod(replace(self.pod, spec=replace(self.pod.spec, node_name="node-1")))

    # Kubelet, before the container

    def accept(self) -> None:
        self.truth.accepted = self.cluster.now
        status = replace(self.pod.status, start_time=self._second())
        self.cluster.put_pod(replace(self.pod, status=status))
        self._state(ContainerState(waiting=Waiting("ContainerCreating")))

    def refuse(self) -> None:
        self._finish("Failed", "OutOfcpu")

    def refuse_anew(self) -> None:
        """A kubelet that was restarted admits its pods once more, and may have no room."""
        if self.truth.alive:
            self._signal(Cause.EVICTED)
            self.truth.ended, self.truth.code = self.cluster.now, 137
        self._finish("Failed", "UnexpectedAdmissionError")

    def wait(self, reason: str) -> None:
        self._state(ContainerState(waiting=Waiting(reason, "as the kubelet says")))

    def start(self) -> None:
        self.truth.started = self.cluster.now
        status = replace(self.pod.status, phase="Running")
        self.cluster.put_pod(replace(self.pod, status=status))
        self._state(ContainerState(running=Running(self._second())))

    def probe(self, *, ready: bool) -> None:
        """The readiness probe says otherwise than before."""
        self._condition("Ready", str(ready), "")

    def fail_to_start(self) -> None:
        gone = Terminated(exit_code=128, reason="StartError", finished_at=self._second())
        self._state(ContainerState(terminated=gone))

    # The container

    def exit(self, code: int, reason: str = "") -> None:
        truth = self.truth
        truth.ended, truth.code = self.cluster.now, code
        assert truth.started is not None
        ended = Terminated(
            exit_code=code,
            reason=reason or ("Completed" if code == 0 else "Error"),
            started_at=truth.started.replace(microsecond=0),
            finished_at=self._second(),
        )
        self._state(ContainerState(terminated=ended))

    def tell_phase(self) -> None:
        """The pod's phase follows the container's end."""
        ended, cause = self.pod.terminated, self.truth.cause
        if cause is Cause.DEADLINE:
            self._finish("Failed", "DeadlineExceeded")
        else:
            self._finish("Succeeded" if ended is not None and ended.exit_code == 0 else "Failed")

    # What stops a pod

    def reach_deadline(self) -> None:
        if self.truth.alive:
            self._signal(Cause.DEADLINE)
        else:
            self._finish("Failed", "DeadlineExceeded")

    def evict_for_disk(self) -> None:
        self._signal(Cause.DISK)
        self.exit(137)
        self._finish("Failed", "Evicted")

    def evict_for_node(self, reason: str) -> None:
        self.truth.taken = self.truth.taken or self.cluster.now
        self._condition("DisruptionTarget", "True", reason)
        if self.truth.alive:
            self._signal(Cause.EVICTED)
        else:
            self._finish("Failed")

    def delete(self, grace: int = 30) -> None:
        """Somebody asks for the deletion."""
        truth = self.truth
        truth.taken = truth.taken or self.cluster.now
        if truth.alive:
            self._signal(Cause.DELETED)
        self.cluster.delete_pod(self.pod, grace)

    def notice_deletion(self) -> None:
        """The kubelet hears that the pod is to go, whoever asked."""
        if self.truth.alive:
            self._signal(Cause.DELETED)

    def remove(self) -> None:
        """The last step of a deletion; with force also while the container runs.

        The node then lets the container run on for its grace. Of a pod that nobody has told of
        yet the operator can know only as long as it lives (docs/adr/0004): that one ends at once.
        """
        truth, pod = self.truth, self.pod
        truth.taken = truth.taken or self.cluster.now
        if truth.alive:
            self._signal(Cause.DELETED)
            told = self.cluster.run.status.pod_name == pod.name
            grace = timedelta(seconds=GRACE if told else 0)
            truth.ended, truth.code = self.cluster.now + grace, 137
        self.cluster.remove_pod(pod)

    # Writing

    def _signal(self, cause: Cause) -> None:
        self.truth.signalled = self.truth.signalled or cause

    def _second(self) -> datetime:
        return self.cluster.now.replace(microsecond=0)

    def _condition(self, kind: str, status: str, reason: str) -> None:
        old = self.pod.condition(kind)
        others = tuple(c for c in self.pod.status.conditions if c.type != kind)
        flips = old is None or old.status != status
        since = self._second() if old is None or flips else old.last_transition_time
        new = Condition(kind, status, reason, "as it is", since)
        changed = replace(self.pod.status, conditions=(*others, new))
        self.cluster.put_pod(replace(self.pod, status=changed))

    def _state(self, state: ContainerState) -> None:
        """Tell the container's state, and with it whether the pod is ready."""
        container = ContainerStatus("actor", state=state)
        ready = Condition("Ready", str(state.running is not None))
        others = tuple(c for c in self.pod.status.conditions if c.type != "Ready")
        changed = replace(
            self.pod.status, container_statuses=(container,), conditions=(*others, ready)
        )
        self.cluster.put_pod(replace(self.pod, status=changed))

    def _finish(self, phase: str, reason: str = "") -> None:
        changed = replace(self.pod.status, phase=phase, reason=reason)
        self.cluster.put_pod(replace(self.pod, status=changed))
