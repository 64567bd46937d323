"""Resurrection: a finished run begins its next attempt, with the same ids, storages and URL."""

from datetime import datetime

import msgspec

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import Options, ResurrectRequest, RunStatus, RunView
from actor_operator.desired.names import pod_name, pod_number
from actor_operator.quantities import cpu_millicores, disk_mbytes, format_millicores

BEGINNING = {
    ConditionType.ADMITTED: ("Unknown", Reason.PENDING),
    ConditionType.POD_SCHEDULED: ("False", Reason.RESURRECTED),
    ConditionType.STARTED: ("Unknown", Reason.PENDING),
    ConditionType.TERMINATION_TARGET: ("False", Reason.NOT_REQUESTED),
    ConditionType.FINISHED: ("False", Reason.RUNNING),
    ConditionType.SUCCEEDED: ("Unknown", Reason.RUNNING),
    ConditionType.RECONCILING: ("True", Reason.PROGRESSING),
}
"""Status and reason of each condition when an attempt begins."""


def resurrection_due(run: RunView) -> ResurrectRequest | None:
    """The request for the next attempt of a finished run."""
    request = run.spec.resurrect
    due = run.status.finished and request is not None and request.attempt == run.status.attempt + 1
    return request if due else None


def resurrect(run: RunView, request: ResurrectRequest, now: datetime) -> RunStatus:
    """The status with which the next attempt begins.

    Without another build the attempt keeps build number and image digest, also when the tag has
    moved. What the request does not name stays as it was.
    """
    old = run.status
    options = _options(old.options, request) if old.options else None
    status = msgspec.structs.replace(
        old,
        phase=Phase.READY,
        attempt=request.attempt,
        finished=False,
        observed_generation=run.metadata.generation,
        options=options,
        build_number=old.build_number if request.build is None else None,
        image=old.image if request.build is None else None,
        actor_generation=None,
        node_name=None,
        queued_at=now,
        admitted_at=None,
        started_at=None,
        finished_at=None,
        timeout_at=None,
        exit_code=None,
        failure=None,
        migrations=0,
        restarted_at=(),
        cleanup=(),
        stats=msgspec.structs.replace(old.stats, resurrect_count=old.stats.resurrect_count + 1),
        conditions=_conditions(run, now),
    )
    name = pod_name(run.name, run.uid, pod_number(status))
    return msgspec.structs.replace(status, pod_name=name)


def _options(old: Options, request: ResurrectRequest) -> Options:
    memory = request.memory_mbytes or old.memory_mbytes
    limits = request.limits
    return msgspec.structs.replace(
        old,
        build=request.build or old.build,
        memory_mbytes=memory,
        timeout_secs=old.timeout_secs if request.timeout_secs is None else request.timeout_secs,
        disk_mbytes=disk_mbytes(memory),
        cpu=format_millicores(cpu_millicores(memory)),
        restart_on_error=old.restart_on_error
        if request.restart_on_error is None
        else request.restart_on_error,
        max_items=limits.max_items if limits else old.max_items,
        max_total_charge_usd=limits.max_total_charge_usd if limits else old.max_total_charge_usd,
    )


def _conditions(run: RunView, now: datetime) -> tuple[Condition, ...]:
    web = Reason.NOT_LISTENING if run.status.container_url else Reason.DISABLED
    message = f"Attempt {run.status.attempt + 1} begins."
    return tuple(
        Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message if reason is Reason.RESURRECTED else "",
            last_transition_time=now.replace(microsecond=0)
            if (old := run.status.condition(kind)) is None or old.status != status
            else old.last_transition_time,
            observed_generation=run.metadata.generation,
        )
        for kind, (status, reason) in {
            **BEGINNING,
            ConditionType.WEB_SERVER_READY: ("False", web),
        }.items()
    )
