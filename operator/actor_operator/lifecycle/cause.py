"""Why a run is in its phase, in one word."""

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import RunStatus

STEPS = (ConditionType.ADMITTED, ConditionType.POD_SCHEDULED, ConditionType.STARTED)
"""What a run goes through before its container runs."""

STOPPING = frozenset({Phase.TIMING_OUT, Phase.ABORTING})
"""Phases in which a stop is carried out."""


def cause_of(status: RunStatus) -> str:
    """The reason that says most: of the end, of the stop, or of the first step that is not done."""
    if status.finished:
        return status.failure.reason if status.failure else Reason.COMPLETED
    if status.phase in STOPPING:
        target = status.condition(ConditionType.TERMINATION_TARGET)
        return target.reason if target else Reason.PENDING
    conditions = [found for found in map(status.condition, STEPS) if found is not None]
    undone = (found.reason for found in conditions if found.status == "False")
    last = conditions[-1].reason if conditions else Reason.PENDING
    return next(undone, last)
