"""What a decision is made from, gathered once; nothing else is consulted afterwards."""

from dataclasses import dataclass
from datetime import datetime

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunStatus, RunView
from actor_operator.constants import ANNOTATION_RESOLVED
from actor_operator.desired.resolve import Resolved, read_resolved


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why the API server does not take an object of the run."""

    reason: Reason
    message: str
    final: bool
    """Trying again cannot help."""

    since: datetime
    """Since when it has been so."""

    tries: int
    """How often it was tried."""

    retry_at: datetime
    """When it is tried again."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One run and what belongs to it."""

    run: RunView
    pod: PodView | None = None
    """The current pod; None: it does not exist."""

    previous: tuple[PodView, ...] = ()
    """Pods of the run that should be gone."""

    actor: ActorView | None = None
    """The run's Actor; None: it does not exist."""

    blocked: Blocked | None = None
    """What kept the last try from creating the pod."""

    @property
    def status(self) -> RunStatus:
        """The committed status."""
        return self.run.status

    @property
    def attempt_began(self) -> datetime:
        """When this attempt was asked for."""
        began = self.status.queued_at or self.run.metadata.creation_timestamp
        if began is None:
            raise ValueError(f"run {self.run.namespace}/{self.run.name} has no creation time")
        return began

    @property
    def started_at(self) -> datetime | None:
        """When the container of this attempt first ran; None: it has not."""
        if self.status.is_true(ConditionType.STARTED):
            return self.status.started_at
        return self.pod.container_started_at if self.pod else None

    @property
    def resolved(self) -> Resolved | None:
        """What was resolved when the current pod was made."""
        text = self.pod.metadata.annotations.get(ANNOTATION_RESOLVED) if self.pod else None
        return read_resolved(text) if text else None

    @property
    def timeout_secs(self) -> int:
        """The run's time limit; 0: none, or not known yet."""
        if self.pod is not None and self.pod.spec.active_deadline_seconds and not self.stopping:
            return self.pod.spec.active_deadline_seconds
        return self.status.options.timeout_secs if self.status.options else 0

    @property
    def stopping(self) -> Reason | None:
        """The stop that is committed, if one is."""
        target = self.status.condition(ConditionType.TERMINATION_TARGET)
        return Reason(target.reason) if target and target.status == "True" else None

    @property
    def may_run(self) -> bool:
        """Whether a container of the current pod runs or may still start."""
        return self.pod is not None and not self.pod.is_over and self.pod.terminated is None
