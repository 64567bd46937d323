"""What a decision has found out about a run: the input of its status."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.lifecycle.memory import Shortage

ABORTS = frozenset({Reason.ABORT_IMMEDIATE, Reason.ABORT_GRACEFUL})
"""Stops that a user asked for."""

ACCOUNT_WAITS = frozenset({Reason.WAITING_FOR_ACCOUNT_MEMORY})
"""Reasons of Admitted while a run stands in its account's queue."""

POD_CLEANUP = "Pod"
"""Entry of ``status.cleanup``: the pod is still to be removed."""


class Cause(Enum):
    """Why a run gets another pod in the same attempt; each is counted apart."""

    MIGRATION = "migration"
    """The pod was lost through no fault of the run."""

    RESTART = "restart"
    """The container failed, and the run wants it started again."""

    REBOOT = "reboot"
    """A user asked for it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one condition.

    ``since`` is when a cause of waiting began: it is written only when it lasts. None: at once.
    """

    status: str
    reason: str
    message: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop that is decided: its reason (Timeout, AbortImmediate, AbortGraceful) in words."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class NextPod:
    """Another pod in the same attempt: why, as a word and as a sentence."""

    cause: Cause
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an attempt ended."""

    phase: Phase
    reason: Reason
    message: str
    exit_code: int | None = None
    finished_at: datetime | None = None
    platform: bool = False
    """The fault is the platform's, not the actor's."""

    disruption: bool = False
    """The pod was taken away: the run may go on in another one."""

    cleanup: tuple[str, ...] = ()
    """What is still to be removed: a container of the run may still start, or still run."""

    shortage: Shortage | None = None
    """What its account had, if that refused the run."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a status says."""

    admitted: Finding
    scheduled: Finding
    started: Finding
    web_server: Finding
    started_at: datetime | None = None
    admitted_at: datetime | None = None
    """When the attempt, which had to wait, got its memory: it is told before the pod is made."""

    stop: Stop | None = None
    next_pod: NextPod | None = None
    verdict: Verdict | None = None
