"""What the operator reads of a run's pod."""

from datetime import datetime, timedelta

import msgspec

from actor_operator.api.views.metadata import Condition, ObjectView, View
from actor_operator.constants import CONTAINER_NAME

CUT_OFF = timedelta(seconds=1)
"""How much times may differ that are cut off to whole seconds by clocks that agree."""

START_ERRORS = frozenset({"StartError", "ContainerCannotRun"})
"""Reasons of a terminated container whose entry point could not be run."""


class Waiting(View, frozen=True):
    """A container that does not run yet."""

    reason: str = ""
    message: str = ""


class Running(View, frozen=True):
    """A container that runs."""

    started_at: datetime | None = None


class Terminated(View, frozen=True):
    """A container that has ended."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(View, frozen=True):
    """The state of a container: one of the three, or nothing yet."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(View, frozen=True):
    """``status.containerStatuses[]`` of a pod."""

    name: str
    ready: bool = False
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    state: ContainerState = ContainerState()


class PodSpecView(View, frozen=True):
    """``spec`` of a pod."""

    node_name: str = ""
    active_deadline_seconds: int | None = None


class PodStatusView(View, frozen=True):
    """``status`` of a pod."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    host_ip: str = msgspec.field(default="", name="hostIP")
    start_time: datetime | None = None
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class PodView(ObjectView, frozen=True):
    """A run's pod."""

    spec: PodSpecView = PodSpecView()
    status: PodStatusView = PodStatusView()

    def condition(self, kind: str) -> Condition | None:
        """The pod's condition of a type."""
        return next((c for c in self.status.conditions if c.type == kind), None)

    @property
    def container(self) -> ContainerStatus | None:
        """The actor's container, once the kubelet has said something of it."""
        for found in self.status.container_statuses:
            if found.name == CONTAINER_NAME:
                return found
        return None

    @property
    def failed_init(self) -> ContainerStatus | None:
        """The init container that failed, if one did. The operator itself makes none."""
        for found in self.status.init_container_statuses:
            if found.state.terminated is not None and found.state.terminated.exit_code != 0:
                return found
        return None

    @property
    def accepted_at(self) -> datetime | None:
        """When the kubelet took the pod, by the clocks of the control plane as far as is known.

        A node whose clock is behind says that it took the pod before the scheduler gave it one.
        """
        assigned, start = self.condition("PodScheduled"), self.status.start_time
        if start is None or assigned is None or assigned.status != "True":
            return start
        return max(start, assigned.last_transition_time or start)

    @property
    def clock_is_behind(self) -> bool:
        """Whether the times that the node tells are too early to be compared with others."""
        start, accepted = self.status.start_time, self.accepted_at
        return start is not None and accepted is not None and accepted - start > CUT_OFF

    @property
    def terminated(self) -> Terminated | None:
        """How the container ended, if it has."""
        return self.container.state.terminated if self.container else None

    @property
    def waiting(self) -> Waiting | None:
        """What the container waits for, if it does."""
        return self.container.state.waiting if self.container else None

    @property
    def container_started_at(self) -> datetime | None:
        """When the container started, if it has run."""
        if self.container is None:
            return None
        state = self.container.state
        if state.running:
            return state.running.started_at
        # A container that could not be started is "terminated" with the epoch as its start.
        if state.terminated and state.terminated.reason not in START_ERRORS:
            moment = state.terminated.started_at
            if moment and moment.year > 1970:
                return moment
            # Exit code 0 proves that it ran, also when the runtime has forgotten since when.
            ran = state.terminated.exit_code == 0
            return (state.terminated.finished_at or self.status.start_time) if ran else None
        return None

    @property
    def is_ready(self) -> bool:
        """Whether Services lead requests to the pod."""
        ready = self.condition("Ready")
        return ready is not None and ready.status == "True"

    @property
    def has_ended(self) -> bool:
        """Whether no container of the pod runs any more, or ever will."""
        return self.is_over or self.terminated is not None

    @property
    def is_leaving(self) -> bool:
        """Whether the pod is deleted, or its container has ended."""
        return self.has_ended or self.metadata.deletion_timestamp is not None

    @property
    def is_over(self) -> bool:
        """Whether the kubelet has said its last word: the phase is final."""
        return self.status.phase in {"Succeeded", "Failed"}
