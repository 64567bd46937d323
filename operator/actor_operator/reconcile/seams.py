"""What a run's steps mean for the metrics."""

from datetime import datetime

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
from actor_operator.clock import Clock
from actor_operator.metrics import Metrics


class Seams:
    """Measures the stretches of runs' lives.

    Parameters
    ----------
    metrics, clock
        Where to, and what time it is.
    """

    def __init__(self, *, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock

    def pod_created(self, run: RunView) -> None:
        """The run has got a pod."""
        self._observe("created_to_pod", run.metadata.creation_timestamp, self._clock.now())

    def status_written(self, before: RunView, after: RunView, pod: PodView | None) -> None:
        """A status was committed, with the pod as it was when it was decided on."""
        old, new = before.status, after.status
        if new.started_at is not None and not old.is_true(ConditionType.STARTED):
            self._observe("created_to_started", after.metadata.creation_timestamp, new.started_at)
            self._observe("started_to_told", new.started_at, self._clock.now())
            self._pod_started(pod, new.started_at)
        if new.finished and not old.finished:
            reason = new.failure.reason if new.failure else "Completed"
            self._metrics.finished.labels(new.phase, reason).inc()
            self._observe("started_to_finished", new.started_at, new.finished_at)
            self._observe("finished_to_told", new.finished_at, self._clock.now())

    def _pod_started(self, pod: PodView | None, started_at: datetime) -> None:
        scheduled = pod.condition("PodScheduled") if pod else None
        if pod is None or scheduled is None or scheduled.status != "True":
            return
        placed_at = scheduled.last_transition_time
        self._observe("pod_to_scheduled", pod.metadata.creation_timestamp, placed_at)
        self._observe("scheduled_to_started", placed_at, started_at)

    def _observe(self, seam: str, begin: datetime | None, end: datetime | None) -> None:
        if begin is not None and end is not None:
            self._metrics.seams.labels(seam).observe(max(0.0, (end - begin).total_seconds()))
