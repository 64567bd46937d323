"""The status of a run: one function per condition, the phase last, derived from them."""

from dataclasses import replace
from datetime import datetime

import msgspec

from actor_operator.api.v1alpha1.actor_run_status import MAX_ATTEMPTS_LISTED
from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import FINISHED, Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import Attempt, Failure, RunStatus, Stats
from actor_operator.constants import CONDITION_MESSAGE_BYTES
from actor_operator.desired.environment import input_sha256
from actor_operator.desired.images import pin
from actor_operator.desired.names import ids, pod_name, pod_number
from actor_operator.errors import TerminalError
from actor_operator.lifecycle.decide import Decision
from actor_operator.lifecycle.expiry import deadline, told_from
from actor_operator.lifecycle.facts import Facts, Finding, Verdict
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.replacement import with_next_pod
from actor_operator.quantities import compute_units
from actor_operator.settings import Settings
from actor_operator.settings_groups import ResurrectionSettings
from actor_operator.text import cut

FINISHED_REASONS = {
    Phase.SUCCEEDED: Reason.FINISHED_SUCCEEDED,
    Phase.FAILED: Reason.FAILED,
    Phase.TIMED_OUT: Reason.TIMED_OUT,
    Phase.ABORTED: Reason.ABORTED,
}
"""Reason of Finished for each end."""

WORTH_A_WRITE = ("phase", "finished", "attempt", "migrations", "admitted_at", "cleanup")
"""Fields of which every change is written at once."""

STOPPING = frozenset({Phase.TIMING_OUT, Phase.ABORTING})
"""Phases in which a stop is carried out."""


def summarise(
    observed: Observed, decision: Decision, now: datetime, settings: Settings
) -> tuple[RunStatus, ...]:
    """The statuses to write, in order; none when there is nothing to say.

    A run walks its path step by step, so that a watcher misses nothing: what is learnt at once
    (a very short run, an operator that was away) is written as several steps.
    """
    written: list[RunStatus] = []
    last = observed.status
    for facts in _steps(observed, decision.facts):
        status = _build(observed, decision, facts, last, now)
        if facts.verdict is not None:
            status = _with_verdict(observed, status, facts.verdict, settings.resurrection)
        if _differs(last, status, facts, now, settings.limits.hold_back_seconds):
            written.append(status)
            last = status
    return tuple(written)


def settle(observed: Observed, *, cleanup: tuple[str, ...]) -> RunStatus | None:
    """The status of a finished run: only clean-up and observedGeneration move. None: no change."""
    generation = observed.run.metadata.generation
    status = msgspec.structs.replace(
        observed.status,
        cleanup=cleanup,
        observed_generation=generation,
        # `kubectl wait` takes no condition that was judged for an older generation.
        conditions=tuple(
            msgspec.structs.replace(condition, observed_generation=generation)
            for condition in observed.status.conditions
        ),
    )
    return status if status != observed.status else None


def derive_phase(conditions: tuple[Condition, ...]) -> Phase:
    """The phase that a set of conditions means: the first rule that holds."""
    true = {c.type: c.reason for c in conditions if c.status == "True"}
    if ConditionType.FINISHED in true:
        reason = true[ConditionType.FINISHED]
        return next(phase for phase, word in FINISHED_REASONS.items() if word == reason)
    if ConditionType.TERMINATION_TARGET in true:
        timeout = true[ConditionType.TERMINATION_TARGET] == Reason.TIMEOUT
        return Phase.TIMING_OUT if timeout else Phase.ABORTING
    return Phase.RUNNING if ConditionType.STARTED in true else Phase.READY


def _steps(observed: Observed, facts: Facts) -> list[Facts]:
    """The facts as a watcher should learn them: started, then stopping, then the verdict.

    Or another pod: that is told apart from what the one before it did.
    """
    steps = []
    if observed.status.phase is Phase.READY and facts.started_at is not None:
        steps.append(replace(facts, stop=None, verdict=None, next_pod=None))
    if facts.stop is not None and (facts.verdict is None or observed.status.phase not in STOPPING):
        steps.append(replace(facts, verdict=None))
    if facts.verdict is not None or facts.next_pod is not None or not steps:
        steps.append(facts)
    return steps


def _build(
    observed: Observed, decision: Decision, facts: Facts, last: RunStatus, now: datetime
) -> RunStatus:
    conditions = _conditions(observed, facts, last, now)
    phase = derive_phase(conditions)
    status = msgspec.structs.replace(
        _with_identity(observed, decision, last),
        phase=phase,
        finished=phase in FINISHED,
        observed_generation=observed.run.metadata.generation,
        conditions=conditions,
        started_at=facts.started_at,
        queued_at=last.queued_at or (observed.blocked.queued_at if observed.blocked else None),
        admitted_at=facts.admitted_at or last.admitted_at,
    )
    status = _with_pod(observed, status)
    if facts.next_pod is not None:
        return with_next_pod(status, observed.run, facts.next_pod, now)
    return status


def _with_identity(observed: Observed, decision: Decision, last: RunStatus) -> RunStatus:
    """Ids, and what was resolved for this attempt. Once told, ids stay as they are."""
    known_ids = ids(observed.run)
    status = msgspec.structs.replace(
        last,
        run_id=last.run_id or known_ids.run,
        default_key_value_store_id=last.default_key_value_store_id or known_ids.key_value_store,
        default_dataset_id=last.default_dataset_id or known_ids.dataset,
        default_request_queue_id=last.default_request_queue_id or known_ids.request_queue,
        input_sha256=last.input_sha256 or _input_digest(observed),
        container_url=last.container_url or decision.url,
    )
    resolved = decision.resolved
    # Once told it holds: the annotation on the pod can be edited by whoever may edit pods.
    known = last.options and last.build_number and last.actor_generation
    if resolved is None or known:
        return status
    return msgspec.structs.replace(
        status,
        options=last.options or resolved.options(),
        actor_namespace=resolved.actor_namespace,
        actor_generation=resolved.actor_generation,
        build_number=resolved.build_number,
        image=last.image or resolved.image,
    )


def _input_digest(observed: Observed) -> str | None:
    try:
        return input_sha256(observed.run)
    except TerminalError:  # too large: the verdict says so
        return None


def _with_pod(observed: Observed, status: RunStatus) -> RunStatus:
    """What the pod tells: name, node, image digest, deadline."""
    name = pod_name(observed.run.name, observed.run.uid, pod_number(status))
    if status.admitted_at is not None:
        status = msgspec.structs.replace(status, pod_name=name)  # told with it: one write less
    pod = observed.pod
    if pod is None or pod.name != name:
        return status
    image_id = pod.container.image_id if pod.container else ""
    image = status.image or (observed.resolved.image if observed.resolved else None)
    return msgspec.structs.replace(
        status,
        pod_name=pod.name,
        node_name=pod.spec.node_name or status.node_name,
        image=pin(image, image_id) if image else None,
        timeout_at=deadline(observed) or status.timeout_at,
    )


def _with_verdict(
    observed: Observed, status: RunStatus, verdict: Verdict, settings: ResurrectionSettings
) -> RunStatus:
    succeeded = verdict.phase is Phase.SUCCEEDED
    status = msgspec.structs.replace(
        status,
        exit_code=verdict.exit_code,
        # The clocks of node and operator differ: no run ends before it has started.
        finished_at=max(filter(None, (verdict.finished_at, status.started_at)), default=None),
        failure=None if succeeded else _failure(verdict),
        stats=_stats(observed, status, verdict, settings),
        cleanup=verdict.cleanup,
    )
    ended = Attempt(
        attempt=status.attempt,
        phase=verdict.phase,
        reason=verdict.reason,
        started_at=status.started_at,
        finished_at=status.finished_at,
        exit_code=status.exit_code,
    )
    attempts = (*status.attempts, ended)[-MAX_ATTEMPTS_LISTED:]
    return msgspec.structs.replace(status, attempts=attempts)


def _failure(verdict: Verdict) -> Failure:
    shortage = verdict.shortage
    return Failure(
        reason=verdict.reason,
        message=cut(verdict.message, CONDITION_MESSAGE_BYTES),
        platform=verdict.platform,
        requested_mbytes=shortage.requested_mbytes if shortage else None,
        used_mbytes=shortage.used_mbytes if shortage else None,
        limit_mbytes=shortage.limit_mbytes if shortage else None,
    )


def _stats(
    observed: Observed, status: RunStatus, verdict: Verdict, settings: ResurrectionSettings
) -> Stats:
    """Figures of all attempts together.

    The run's time counts from its creation, with the gaps between attempts unless the settings say
    otherwise; those are not part of the container's time and of what it costs.
    """
    old, created = status.stats, observed.run.metadata.creation_timestamp
    if verdict.finished_at is None or status.started_at is None or created is None:
        return old
    millis = _millis(created, verdict.finished_at)
    if not settings.duration_includes_gap:
        millis = old.duration_millis + _millis(observed.attempt_began, verdict.finished_at)
    seconds = max(0.0, (verdict.finished_at - status.started_at).total_seconds())
    memory = status.options.memory_mbytes if status.options else 0
    return msgspec.structs.replace(
        old,
        duration_millis=millis,
        run_time_secs=round(old.run_time_secs + seconds, 6),
        compute_units=round(old.compute_units + compute_units(memory, seconds), 6),
    )


def _millis(begin: datetime, end: datetime) -> int:
    return max(0, round((end - begin).total_seconds() * 1000))


def _conditions(
    observed: Observed, facts: Facts, last: RunStatus, now: datetime
) -> tuple[Condition, ...]:
    findings = {
        ConditionType.ADMITTED: facts.admitted,
        ConditionType.POD_SCHEDULED: _scheduled(facts),
        ConditionType.STARTED: facts.started,
        ConditionType.WEB_SERVER_READY: facts.web_server,
        ConditionType.TERMINATION_TARGET: _termination_target(facts, last),
        ConditionType.FINISHED: _finished(facts),
        ConditionType.SUCCEEDED: _succeeded(facts),
    }
    if facts.verdict is None:
        findings[ConditionType.RECONCILING] = Finding(
            "True", Reason.PROGRESSING, "The run is not finished."
        )
    elif facts.verdict.phase is not Phase.SUCCEEDED:
        findings[ConditionType.STALLED] = Finding(
            "True", facts.verdict.reason, facts.verdict.message
        )
    generation = observed.run.metadata.generation
    return tuple(
        _condition(kind, finding, last.condition(kind), now, generation)
        for kind, finding in findings.items()
    )


def _condition(
    kind: ConditionType, finding: Finding, old: Condition | None, now: datetime, generation: int
) -> Condition:
    """``lastTransitionTime`` moves only when the status flips (metav1.Condition)."""
    flipped = old is None or old.status != finding.status or old.last_transition_time is None
    return Condition(
        type=kind,
        status=finding.status,
        reason=finding.reason,
        message=cut(finding.message, CONDITION_MESSAGE_BYTES),
        last_transition_time=now.replace(microsecond=0)
        if flipped or old is None
        else old.last_transition_time,
        observed_generation=generation,
    )


def _scheduled(facts: Facts) -> Finding:
    """After a disruption the cause stays until the next pod has a node."""
    following = facts.next_pod
    if following is None:
        return facts.scheduled
    return Finding("False", following.reason, following.message)


def _termination_target(facts: Facts, last: RunStatus) -> Finding:
    if facts.stop is not None:
        return Finding("True", facts.stop.reason, facts.stop.message)
    old = last.condition(ConditionType.TERMINATION_TARGET)
    if facts.verdict is not None and old is not None and old.status == "True":
        return Finding("True", old.reason, old.message)
    return Finding("False", Reason.NOT_REQUESTED)


def _finished(facts: Facts) -> Finding:
    if facts.verdict is None:
        return Finding("False", Reason.RUNNING)
    return Finding("True", FINISHED_REASONS[facts.verdict.phase], facts.verdict.message)


def _succeeded(facts: Facts) -> Finding:
    """Its reason is the one that ``kubectl get`` shows: before the end, what is waited for."""
    verdict = facts.verdict
    if verdict is None:
        missing = (facts.admitted, _scheduled(facts), facts.started)
        cause = next((finding.reason for finding in missing if finding.status == "False"), None)
        return Finding("Unknown", cause or Reason.RUNNING)
    status = "True" if verdict.phase is Phase.SUCCEEDED else "False"
    return Finding(status, verdict.reason, verdict.message)


def _differs(
    old: RunStatus, new: RunStatus, facts: Facts, now: datetime, hold_back_seconds: float
) -> bool:
    """Whether the new status is worth a write: each write costs the API server's time."""
    if any(getattr(old, name) != getattr(new, name) for name in WORTH_A_WRITE):
        return True
    first = old.observed_generation < 0
    if not first and (old.observed_generation, old.pod_name) != (
        new.observed_generation,
        new.pod_name,
    ):
        return True
    held = _held_back(facts, now, hold_back_seconds)
    before = {c.type: (c.status, c.reason) for c in old.conditions}
    changed = {c.type for c in new.conditions if before.get(c.type) != (c.status, c.reason)}
    if before.get(ConditionType.ADMITTED, ("Unknown",))[0] == "Unknown" and new.is_true(
        ConditionType.ADMITTED
    ):
        changed.discard(ConditionType.ADMITTED)  # no news without a wait: it rides along
    if not new.finished:
        changed.discard(ConditionType.SUCCEEDED)  # it says what others say
    if first:
        # Nothing was ever written: the default READY says as much as "nothing known yet".
        changed &= {kind for kind, finding in _waits(facts).items() if finding.since}
    return bool(changed - held)


def _waits(facts: Facts) -> dict[ConditionType, Finding]:
    return {
        ConditionType.ADMITTED: facts.admitted,
        ConditionType.POD_SCHEDULED: facts.scheduled,
        ConditionType.STARTED: facts.started,
    }


def _held_back(facts: Facts, now: datetime, seconds: float) -> set[ConditionType]:
    """Causes of waiting that may pass by themselves in a moment."""
    return {
        kind
        for kind, finding in _waits(facts).items()
        if finding.since and now < told_from(finding.since, seconds)
    }
