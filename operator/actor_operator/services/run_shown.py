"""What a run shows of itself: what was asked of it holds from the moment of the answer.

The operator carries requests out a moment later. A client that has just resurrected a run must not
be told that it is finished, or its wait would end at once.
"""

from dataclasses import dataclass
from datetime import datetime

from actor_operator.api.v1alpha1.phase import FINISHED, Phase
from actor_operator.api.views.run import RunView
from actor_operator.lifecycle.resurrection import resurrection_due

RANKS = {
    Phase.READY: 0,
    Phase.RUNNING: 1,
    Phase.TIMING_OUT: 2,
    Phase.ABORTING: 3,
    **dict.fromkeys(FINISHED, 4),
}
"""Order of the phases within an attempt."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Attempt and phase as clients see them."""

    attempt: int
    phase: Phase
    finished_at: datetime | None = None
    exit_code: int | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended."""
        return self.phase in FINISHED

    @property
    def rank(self) -> int:
        """Place of the phase within the attempt."""
        return RANKS[self.phase]


def shown(run: RunView) -> Shown:
    """Attempt and phase of a run as clients see them."""
    status, abort = run.status, run.spec.abort
    if resurrection_due(run) is not None:
        return Shown(status.attempt + 1, Phase.READY)
    if status.finished:
        return Shown(status.attempt, status.phase, status.finished_at, status.exit_code)
    if abort is not None and abort.attempt == status.attempt:
        return Shown(status.attempt, Phase.ABORTING)
    return Shown(status.attempt, status.phase)
