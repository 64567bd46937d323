"""Waiting for the API server, which copies the log of a finished run before its pod may go."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import FinishedRun, RunStatus, RunView, is_archived
from actor_operator.lifecycle.events import WARNING, RunEvent

NOTICE = timedelta(minutes=5)
"""How long after its end a run that is not archived is told so: mostly it takes seconds."""

PATIENCE = timedelta(hours=24)
"""How long after its end a run and its pods stay at most for it."""

GIVEN_UP: Final = RunEvent(
    WARNING,
    "NotArchived",
    "Archive",
    f"The run's log was not archived within {PATIENCE.total_seconds() / 3600:g} hours of its end."
    " Its pod is not kept for it any longer, and the log goes with the pod. See whether the API"
    " server runs.",
)
"""What is told when nobody waits for it any more."""


def holds(run: FinishedRun, now: datetime) -> bool:
    """Whether a run and its pods have to stay until the run is archived."""
    if run.archived or run.finished_at is None:
        return False
    return now < run.finished_at + PATIENCE


def next_look(run: FinishedRun, now: datetime) -> datetime | None:
    """When there is something to tell of a run's archive, or to give up on it; None: never."""
    if run.archived:
        return now if run.archive_pending else None
    if run.finished_at is None or not holds(run, now):
        return None
    return run.finished_at + (PATIENCE if run.archive_pending else NOTICE)


def with_archived(run: RunView, now: datetime) -> RunStatus:
    """The status of a finished run with the condition Archived."""
    done = is_archived(run)
    condition = Condition(
        type=ConditionType.ARCHIVED,
        status=str(done),
        reason=Reason.ARCHIVED if done else Reason.ARCHIVE_PENDING,
        message="The log is archived." if done else "The log is not archived yet.",
        last_transition_time=now.replace(microsecond=0),
        observed_generation=run.metadata.generation,
    )
    others = (c for c in run.status.conditions if c.type != ConditionType.ARCHIVED)
    return msgspec.structs.replace(run.status, conditions=(*others, condition))
