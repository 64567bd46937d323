"""What a run's steps mean for the metrics."""

from datetime import datetime

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunStatus, RunView
from actor_operator.clock import Clock
from actor_operator.metrics import Metrics, Seam


class Seams:
    """Measures the stretches of runs' lives and counts their turns.

    Parameters
    ----------
    metrics, clock
        Where to, and what time it is.
    """

    def __init__(self, *, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock

    def pod_created(self, run: RunView, admitted_at: datetime) -> None:
        """The run has got a pod, after it was admitted at a moment."""
        if run.status.is_true(ConditionType.STARTED) or run.status.migrations:
            return  # not the first pod of its attempt
        admitted_at = run.status.admitted_at or admitted_at
        self._observe(Seam.CREATED_TO_ADMITTED, run.attempt_began, admitted_at)
        self._observe(Seam.ADMITTED_TO_POD, admitted_at, self._clock.now())

    def status_written(self, before: RunView, after: RunView, pod: PodView | None) -> None:
        """A status was committed, with the pod as it was when it was decided on."""
        old, new = before.status, after.status
        if new.attempt != old.attempt:
            self._metrics.resurrections.inc()
            return
        self._count_new_pods(old, new)
        if new.started_at is not None and not old.is_true(ConditionType.STARTED):
            self._observe(Seam.CREATED_TO_STARTED, after.attempt_began, new.started_at)
            self._observe(Seam.STARTED_TO_TOLD, new.started_at, self._clock.now())
            self._pod_started(pod, new.started_at)
        ready = ConditionType.WEB_SERVER_READY
        if new.is_true(ready) and not old.is_true(ready):
            self._observe(Seam.STARTED_TO_READY, new.started_at, self._clock.now())
        if new.finished and not old.finished:
            self._count_end(new)
            self._observe(Seam.STARTED_TO_FINISHED, new.started_at, new.finished_at)
            self._observe(Seam.FINISHED_TO_TOLD, new.finished_at, self._clock.now())

    def _count_end(self, new: RunStatus) -> None:
        reason = new.failure.reason if new.failure else Reason.COMPLETED
        platform = bool(new.failure and new.failure.platform)
        self._metrics.finished.labels(new.phase, reason, str(platform).lower()).inc()

    def _count_new_pods(self, old: RunStatus, new: RunStatus) -> None:
        before, after = old.stats, new.stats
        if after.migration_count > before.migration_count:
            cause = new.condition(ConditionType.POD_SCHEDULED)
            self._metrics.migrations.labels(cause.reason if cause else "").inc()
        self._metrics.restarts.inc(max(0, after.restart_count - before.restart_count))
        self._metrics.reboots.inc(max(0, after.reboot_count - before.reboot_count))

    def _pod_started(self, pod: PodView | None, started_at: datetime) -> None:
        scheduled = pod.condition("PodScheduled") if pod else None
        if pod is None or scheduled is None or scheduled.status != "True":
            return
        placed_at = scheduled.last_transition_time
        self._observe(Seam.POD_TO_SCHEDULED, pod.metadata.creation_timestamp, placed_at)
        self._observe(Seam.SCHEDULED_TO_STARTED, placed_at, started_at)

    def _observe(self, seam: Seam, begin: datetime | None, end: datetime | None) -> None:
        if begin is not None and end is not None:
            self._metrics.seams.labels(seam).observe(max(0.0, (end - begin).total_seconds()))
