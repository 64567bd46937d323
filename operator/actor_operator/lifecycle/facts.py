"""What a decision has found out about a run: the input of its status."""

from dataclasses import dataclass
from datetime import datetime

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase

ABORTS = frozenset({Reason.ABORT_IMMEDIATE, Reason.ABORT_GRACEFUL})
"""Stops that a user asked for."""

POD_CLEANUP = "Pod"
"""Entry of ``status.cleanup``: the pod is still to be removed."""


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
class Verdict:
    """How an attempt ended."""

    phase: Phase
    reason: Reason
    message: str
    exit_code: int | None = None
    finished_at: datetime | None = None
    platform: bool = False
    """The fault is the platform's, not the actor's."""

    cleanup: tuple[str, ...] = ()
    """What is still to be removed: a container of the run may still start."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a status says."""

    admitted: Finding
    scheduled: Finding
    started: Finding
    web_server: Finding
    started_at: datetime | None = None
    stop: Stop | None = None
    verdict: Verdict | None = None
