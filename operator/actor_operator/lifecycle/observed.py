"""What a decision is made from, gathered once; nothing else is consulted afterwards."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import Options, RunStatus, RunView
from actor_operator.constants import ANNOTATION_RESOLVED, LABEL_ATTEMPT
from actor_operator.desired.resolve import Resolved, read_resolved
from actor_operator.lifecycle.memory import Shortage
from actor_operator.lifecycle.routing import NOTHING, Routing


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why the run does not get its pod: the API server or the account does not take it."""

    reason: Reason
    message: str
    final: bool
    """Trying again cannot help."""

    since: datetime
    """Since when it has been so."""

    tries: int
    """How often it was tried."""

    retry_at: datetime | None
    """When it is tried again; None: when somebody says that there is room."""

    queued_at: datetime | None = None
    """Since when the run stands in its account's queue, if it does."""

    shortage: Shortage | None = None
    """What its account had, if that refused it for good."""


@dataclass(frozen=True)  # without slots: what is asked for often is worked out once
class Observed:
    """One run and what belongs to it."""

    run: RunView
    pod: PodView | None = None
    """The current pod, as it is or as it was last seen; None: nobody has seen it."""

    gone_since: datetime | None = None
    """Since when the current pod, which did exist, is known to be gone."""

    previous: tuple[PodView, ...] = ()
    """Other pods of the run that exist, oldest first."""

    lingers_until: datetime | None = None
    """Until when the container of a vanished pod may still run: nobody has seen its end."""

    actor: ActorView | None = None
    """The run's Actor; None: it does not exist."""

    blocked: Blocked | None = None
    """What kept the last try from creating the pod."""

    has_events: bool = False
    """Whether there is an API server, which sends events to actors."""

    routing: Routing = NOTHING
    """What leads requests to its web server."""

    @property
    def status(self) -> RunStatus:
        """The committed status."""
        return self.run.status

    @property
    def attempt_began(self) -> datetime:
        """When this attempt was asked for."""
        return self.run.attempt_began

    @property
    def pod_exists(self) -> bool:
        """Whether the current pod is there."""
        return self.pod is not None and self.gone_since is None

    @cached_property
    def pods(self) -> tuple[PodView, ...]:
        """Every pod of the run that exists, oldest first."""
        current = (self.pod,) if self.pod is not None and self.gone_since is None else ()
        return (*self.previous, *current)

    @property
    def pod_started_at(self) -> datetime | None:
        """When the container of the current pod first ran; None: it has not."""
        return self.pod.container_started_at if self.pod else None

    @cached_property
    def started_at(self) -> datetime | None:
        """When a container of this attempt first ran; None: none has."""
        if self.status.is_true(ConditionType.STARTED):
            return self.status.started_at
        return self.pod_started_at

    @cached_property
    def resolved(self) -> Resolved | None:
        """What was resolved when the current pod was made."""
        text = self.pod.metadata.annotations.get(ANNOTATION_RESOLVED) if self.pod else None
        return read_resolved(text) if text else None

    @cached_property
    def options(self) -> Options | None:
        """What holds for this attempt; None: that was not found out yet."""
        if self.status.options is not None:
            return self.status.options
        return self.resolved.options() if self.resolved else None

    @property
    def timeout_secs(self) -> int:
        """The attempt's time limit; 0: none, or not known yet."""
        return self.options.timeout_secs if self.options else 0

    @cached_property
    def stopping(self) -> Reason | None:
        """The stop that is committed, if one is."""
        target = self.status.condition(ConditionType.TERMINATION_TARGET)
        return Reason(target.reason) if target and target.status == "True" else None

    @property
    def has_live_pod(self) -> bool:
        """Whether a pod exists of which a container runs or may still start."""
        return any(not pod.has_ended for pod in self.pods)

    @property
    def in_the_way(self) -> tuple[PodView, ...]:
        """Earlier pods that the next one waits for.

        In the same attempt until the container has ended; a pod of an earlier attempt until it is
        gone with its log.
        """
        return tuple(
            pod for pod in self.previous if not pod.has_ended or not self.is_of_this_attempt(pod)
        )

    def is_of_this_attempt(self, pod: PodView) -> bool:
        """Whether a pod was made for the current attempt."""
        return pod.metadata.labels.get(LABEL_ATTEMPT) == str(self.status.attempt)

    def may_run(self, now: datetime) -> bool:
        """Whether a container of the run may run now: of a live pod, or of a vanished one."""
        return self.has_live_pod or (self.lingers_until is not None and now < self.lingers_until)
