"""The phases of a run, and the steps between them.

::

    READY ──► RUNNING ──► SUCCEEDED | FAILED
      │          │
      ├──────────┴──► TIMING-OUT ──► TIMED-OUT | SUCCEEDED | FAILED
      │          │          │
      ├──────────┴──────────┴──► ABORTING ──► ABORTED
      └──► FAILED

A finished run becomes READY again when it is resurrected, with the next attempt.
The names are Apify's (docs: Actor runs, lifecycle).
"""

from enum import StrEnum


class Phase(StrEnum):
    """Where a run is in its life; derived from the conditions."""

    READY = "READY"
    """The run is accepted; no container of this attempt has run yet."""

    RUNNING = "RUNNING"
    """The container has started."""

    SUCCEEDED = "SUCCEEDED"
    """The container ended by itself with exit code 0."""

    FAILED = "FAILED"
    """The run could not start, or its container ended otherwise than asked."""

    TIMING_OUT = "TIMING-OUT"
    """The run's time is up and its container is being stopped."""

    TIMED_OUT = "TIMED-OUT"
    """The run was stopped because its time was up."""

    ABORTING = "ABORTING"
    """A user asked to stop the run and its container is being stopped."""

    ABORTED = "ABORTED"
    """The run was stopped because a user asked for it."""


FINISHED = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.TIMED_OUT, Phase.ABORTED})
"""Phases in which the verdict of the attempt is final."""

STEPS: dict[Phase, frozenset[Phase]] = {
    Phase.READY: frozenset({Phase.RUNNING, Phase.FAILED, Phase.TIMING_OUT, Phase.ABORTING}),
    Phase.RUNNING: frozenset(
        {Phase.SUCCEEDED, Phase.FAILED, Phase.TIMING_OUT, Phase.ABORTING},
    ),
    Phase.TIMING_OUT: frozenset(
        {Phase.TIMED_OUT, Phase.SUCCEEDED, Phase.FAILED, Phase.ABORTING},
    ),
    Phase.ABORTING: frozenset({Phase.ABORTED}),
    Phase.SUCCEEDED: frozenset({Phase.READY}),
    Phase.FAILED: frozenset({Phase.READY}),
    Phase.TIMED_OUT: frozenset({Phase.READY}),
    Phase.ABORTED: frozenset({Phase.READY}),
}
"""The steps that a run may take; a finished run becomes READY only with the next attempt."""
