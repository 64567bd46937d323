"""Another pod in the same attempt: after a disruption, after a failure, or because a user asks.

It is committed before it is made: the counters and the next pod's name first, then, once nothing of
the earlier pod runs, the pod. The phase stays as it is.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import RunStatus, RunView
from actor_operator.desired.names import pod_name, pod_number
from actor_operator.lifecycle.facts import Cause, NextPod, Verdict
from actor_operator.lifecycle.observed import Observed

MAX_MIGRATIONS = 3
"""How often an attempt may move before a disruption fails it."""

MAX_RESTARTS = 3
"""How many restarts after errors may lie within the window (Apify: restart on error)."""

RESTART_WINDOW = timedelta(seconds=60)
"""The window of the restarts that are counted."""

ACTOR_FAILED = frozenset(
    {Reason.CONTAINER_FAILED, Reason.OOM_KILLED, Reason.STORAGE_LIMIT_EXCEEDED}
)
"""Ends after which a run with ``restartOnError`` is started again: the container had run."""


def next_pod(observed: Observed, verdict: Verdict | None, now: datetime) -> NextPod | None:
    """Whether, instead of a verdict, the run goes on in another pod."""
    if observed.stopping is not None or abort_requested(observed):
        return None
    if verdict is None:
        return _reboot(observed)
    if verdict.disruption:
        return _migration(observed, verdict)
    if verdict.reason in ACTOR_FAILED:
        return _restart(observed, verdict, now)
    return None


def unseen_end(run: RunView) -> datetime | None:
    """Since when a container of an earlier pod may run on, if nobody has seen its end.

    That pod was removed by force, in an attempt before or after a reboot; attempts in between may
    have had no pod, and so have not waited for it. A migration and a restart are committed only
    when the container cannot run any more.
    """
    status = run.status
    scheduled = status.condition(ConditionType.POD_SCHEDULED)
    if scheduled is not None and scheduled.reason == Reason.REBOOTED:
        return scheduled.last_transition_time
    if status.finished:
        return None
    unseen = (
        attempt.finished_at
        for attempt in status.attempts
        if attempt.phase == Phase.ABORTED and attempt.started_at and attempt.exit_code is None
    )
    return max(filter(None, unseen), default=None)


def after_moves(observed: Observed, verdict: Verdict) -> Verdict:
    """A verdict that says so when the run may not move any more."""
    moves = observed.status.migrations
    if not verdict.disruption or moves < MAX_MIGRATIONS:
        return verdict
    message = f"{verdict.message} The run had moved {moves} times before, which is the most."
    return replace(verdict, message=message)


def abort_requested(observed: Observed) -> bool:
    """Whether a user wants this attempt to stop."""
    request = observed.run.spec.abort
    return request is not None and request.attempt == observed.status.attempt


def with_next_pod(status: RunStatus, run: RunView, following: NextPod, now: datetime) -> RunStatus:
    """The status that commits to another pod.

    A reboot that is asked for while the pod is lost is counted, and done by the same next pod: an
    actor that is told of a move may ask for one, to move sooner.
    """
    stats, migrations, restarted_at = status.stats, status.migrations, status.restarted_at
    match following.cause:
        case Cause.MIGRATION:
            stats = msgspec.structs.replace(stats, migration_count=stats.migration_count + 1)
            migrations += 1
        case Cause.RESTART:
            stats = msgspec.structs.replace(stats, restart_count=stats.restart_count + 1)
            restarted_at = (*restarted_at, now)[-MAX_RESTARTS:]
        case Cause.REBOOT:
            pass  # counted below
    if _reboot_due(run, status):
        stats = msgspec.structs.replace(stats, reboot_count=stats.reboot_count + 1)
    status = msgspec.structs.replace(
        status, stats=stats, migrations=migrations, restarted_at=restarted_at, node_name=None
    )
    name = pod_name(run.name, run.uid, pod_number(status))
    return msgspec.structs.replace(status, pod_name=name)


def _migration(observed: Observed, verdict: Verdict) -> NextPod | None:
    wanted = observed.actor is None or observed.actor.spec.restart_on_disruption
    if not wanted or observed.status.migrations >= MAX_MIGRATIONS:
        return None
    count = f"move {observed.status.migrations + 1} of at most {MAX_MIGRATIONS}"
    message = f"{verdict.message} The run goes on in another pod ({count})."
    return NextPod(Cause.MIGRATION, verdict.reason, message)


def _restart(observed: Observed, verdict: Verdict, now: datetime) -> NextPod | None:
    recent = [at for at in observed.status.restarted_at if at > now - RESTART_WINDOW]
    wanted = observed.options is not None and observed.options.restart_on_error
    if not wanted or len(recent) >= MAX_RESTARTS:
        return None
    message = f"{verdict.message} It is started again, as restartOnError asks."
    return NextPod(Cause.RESTART, Reason.RESTARTED, message)


def _reboot_due(run: RunView, status: RunStatus) -> bool:
    """Whether a user has asked for a reboot of this attempt that is not counted yet."""
    request = run.spec.reboot
    return (
        request is not None
        and request.attempt == status.attempt
        and request.count == status.stats.reboot_count + 1
    )


def _reboot(observed: Observed) -> NextPod | None:
    due = _reboot_due(observed.run, observed.status)
    # A pod that is gone is followed by another one anyway, once its container cannot run any more.
    if not due or observed.started_at is None or observed.gone_since is not None:
        return None
    return NextPod(Cause.REBOOT, Reason.REBOOTED, "A user asked for a new pod.")
