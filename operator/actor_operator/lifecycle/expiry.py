"""Arithmetic of deadlines. Times of the API server are whole seconds, cut off."""

from datetime import datetime, timedelta

from actor_operator.lifecycle.observed import Observed

TIMEOUT_NOTICE = timedelta(seconds=1)
"""TIMING-OUT is written this long after the deadline, unless the pod says it first."""

CUT_OFF = timedelta(seconds=1)
"""How much later than its text an event may have been."""

LAST_WORD = timedelta(seconds=30)
"""How long after the container's end the kubelet may take to give the pod's final phase."""


def deadline(observed: Observed) -> datetime | None:
    """When the kubelet stops the current pod: its ``startTime`` plus the run's timeout."""
    pod = observed.pod
    if pod is None or pod.status.start_time is None or not observed.timeout_secs:
        return None
    return pod.status.start_time + timedelta(seconds=observed.timeout_secs)


def timeout_notice(observed: Observed) -> datetime | None:
    """When TIMING-OUT is due."""
    moment = deadline(observed)
    return moment + TIMEOUT_NOTICE if moment else None


def told_from(since: datetime, hold_back_seconds: float) -> datetime:
    """When a cause of waiting that began at ``since`` has lasted long enough to be told."""
    return since + timedelta(seconds=hold_back_seconds) + CUT_OFF
