"""What to do for a run, and what to say of it: from what was observed, and nothing else."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import PodView
from actor_operator.constants import LABEL_ENVIRONMENT
from actor_operator.desired.pod import RunObjects, build_objects
from actor_operator.desired.resolve import Resolved, resolve
from actor_operator.errors import TerminalError
from actor_operator.lifecycle import waiting
from actor_operator.lifecycle.expiry import LAST_WORD, timeout_notice, told_from
from actor_operator.lifecycle.facts import ABORTS, Facts, Finding, Stop, Verdict
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.startup import (
    CONFIG_ERROR_WINDOW,
    RUNTIME_WINDOW,
    failed,
    pending_until,
)
from actor_operator.lifecycle.verdict import verdict_of
from actor_operator.settings import Settings

ABORT_GRACE_SECONDS = 1
"""Grace of an immediate abort; 0 would remove the pod object while its container still runs."""

MAY_COME = frozenset({Reason.ACTOR_NOT_FOUND, Reason.BUILD_NOT_FOUND})
"""What is missing may only be late: manifests are applied in any order."""

ACTOR_WINDOW = timedelta(seconds=10)
"""How long a run waits for its Actor or build."""


@dataclass(frozen=True, slots=True)
class CreatePod:
    """Create the environment Secret, then the pod."""

    objects: RunObjects


@dataclass(frozen=True, slots=True)
class DeleteSecret:
    """Delete an environment Secret that no container needs any more."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Delete a pod, that very one, with a grace in seconds."""

    namespace: str
    name: str
    uid: str
    grace_seconds: int


@dataclass(frozen=True, slots=True)
class StopPod:
    """Let the kubelet stop a pod with SIGTERM and its grace; the pod and its log stay."""

    namespace: str
    name: str
    uid: str


Action = CreatePod | DeleteSecret | DeletePod | StopPod
"""What a decision may ask for; the only writes to children."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Actions in their order, the facts for the status, and when to look again."""

    facts: Facts
    actions: tuple[Action, ...] = ()
    resolved: Resolved | None = None
    wake_at: datetime | None = None


def decide(observed: Observed, now: datetime, settings: Settings, key: bytes) -> Decision:
    """Decide on an unfinished run.

    Parameters
    ----------
    observed
        The run and what belongs to it.
    now
        The present moment.
    settings
        The operator's settings.
    key
        The key that makes names of Secrets unguessable.
    """
    verdict = verdict_of(observed, now, settings.limits)
    facts = Facts(
        admitted=waiting.admitted(observed),
        scheduled=waiting.scheduled(observed),
        started=waiting.started(observed),
        web_server=waiting.web_server(observed),
        started_at=observed.started_at,
        stop=_stop(observed, now) if verdict is None else _stop_before(verdict, observed),
        verdict=verdict,
    )
    if facts.verdict is not None:
        return _end(observed, facts, settings, key)
    if observed.stopping in ABORTS:
        return Decision(
            facts,
            _carry_out_abort(observed),
            observed.resolved,
            _wake_at(observed, facts, now, settings),
        )
    if observed.pod is None and facts.stop is None:
        return _start(observed, facts, now, settings, key)
    return Decision(facts, (), observed.resolved, _wake_at(observed, facts, now, settings))


def tidy(observed: Observed) -> tuple[tuple[Action, ...], tuple[str, ...]]:
    """What to do for a finished run, and what is still left of it (``status.cleanup``)."""
    pod = observed.pod
    if pod is None or not observed.status.cleanup:
        return (), ()
    if pod.is_over:
        return _secret_of(pod), ()
    return _removal_of(pod), observed.status.cleanup


def remove_stray(pod: PodView) -> tuple[Action, ...]:
    """What to do with a pod of a finished run: nothing needs it, and it must not run on."""
    ended = pod.is_over or pod.terminated is not None
    return () if ended or pod.metadata.deletion_timestamp is not None else _removal_of(pod)


def _stop(observed: Observed, now: datetime) -> Stop | None:
    """The stop that is committed or due. An abort comes before a timeout, also a later one."""
    run, committed = observed.run, observed.stopping
    request = run.spec.abort
    if request is not None and request.attempt == run.status.attempt:
        if request.mode == "Graceful" and committed is not Reason.ABORT_IMMEDIATE:
            return Stop(Reason.ABORT_GRACEFUL, "A user asked to stop the run gracefully.")
        return Stop(Reason.ABORT_IMMEDIATE, "A user asked to stop the run at once.")
    if committed is not None:
        target = run.status.condition(ConditionType.TERMINATION_TARGET)
        return Stop(committed, target.message if target else "")
    due = timeout_notice(observed)
    says_so = observed.pod is not None and observed.pod.status.reason == "DeadlineExceeded"
    if says_so or (due is not None and now >= due and observed.may_run):
        return Stop(Reason.TIMEOUT, f"The timeout of {observed.timeout_secs} s is over.")
    return None


def _stop_before(verdict: Verdict, observed: Observed) -> Stop | None:
    """The stop that led to a verdict; an abort that was not committed in time had no effect."""
    if verdict.phase is not Phase.TIMED_OUT:
        return None
    return Stop(Reason.TIMEOUT, f"The timeout of {observed.timeout_secs} s is over.")


def _end(observed: Observed, facts: Facts, settings: Settings, key: bytes) -> Decision:
    """The verdict is known: what no container needs any more goes before the verdict is told."""
    if facts.verdict is None or facts.verdict.cleanup:
        return Decision(facts, (), observed.resolved)
    if observed.pod is None:
        return Decision(facts, _secret_without_pod(observed, settings, key), observed.resolved)
    return Decision(facts, _secret_of(observed.pod), observed.resolved)


def _carry_out_abort(observed: Observed) -> tuple[Action, ...]:
    pod = observed.pod
    if pod is None:
        return ()
    deleted = pod.metadata.deletion_timestamp is not None
    if observed.stopping is Reason.ABORT_GRACEFUL and observed.started_at is not None:
        stopped = deleted or pod.spec.active_deadline_seconds == 1
        return () if stopped else (StopPod(pod.namespace, pod.name, pod.uid),)
    if deleted and (pod.metadata.deletion_grace_period_seconds or 0) <= ABORT_GRACE_SECONDS:
        return ()
    return _removal_of(pod)


def _removal_of(pod: PodView) -> tuple[Action, ...]:
    """Remove a pod at once; its Secret first: once the pod is gone, nobody knows its name."""
    delete = DeletePod(pod.namespace, pod.name, pod.uid, ABORT_GRACE_SECONDS)
    return (*_secret_of(pod), delete)


def _start(
    observed: Observed, facts: Facts, now: datetime, settings: Settings, key: bytes
) -> Decision:
    """No pod, and nothing speaks against one."""
    wake = _wake_at(observed, facts, now, settings)
    blocked = observed.blocked
    if observed.previous or (blocked and now < blocked.retry_at):
        return Decision(facts, (), None, wake)
    try:
        resolution = resolve(observed.run, observed.actor, settings)
        objects = build_objects(observed.run, resolution, key=key, settings=settings)
    except TerminalError as error:
        return _cannot_start(observed, facts, now, settings, error)
    return Decision(facts, (CreatePod(objects),), resolution.resolved, wake)


def _cannot_start(
    observed: Observed, facts: Facts, now: datetime, settings: Settings, error: TerminalError
) -> Decision:
    """The run cannot become a pod; what is applied together with it may only be late."""
    reason, until = Reason(error.reason), observed.attempt_began + ACTOR_WINDOW
    refused = Finding("False", reason, str(error), observed.attempt_began)
    if reason in MAY_COME and now < until:
        wake = told_from(observed.attempt_began, settings.limits.hold_back_seconds)
        return Decision(replace(facts, admitted=refused), wake_at=wake if now < wake else until)
    verdict = failed(observed, now, reason, str(error))
    return Decision(replace(facts, admitted=refused, verdict=verdict))


def _secret_of(pod: PodView) -> tuple[DeleteSecret, ...]:
    suffix = pod.metadata.labels.get(LABEL_ENVIRONMENT)
    return (DeleteSecret(pod.namespace, f"{pod.name}-{suffix}"),) if suffix else ()


def _secret_without_pod(
    observed: Observed, settings: Settings, key: bytes
) -> tuple[DeleteSecret, ...]:
    """The Secret of a pod that vanished, or that was never made because we died before.

    Only while the Actor is as it was then can its name be known; else it goes with the run.
    """
    aborted = observed.stopping in ABORTS and observed.status.pod_name is not None
    if observed.blocked is not None or aborted:
        return ()  # deleted with the pod, or when the pod was refused
    # The content, and so the name, is of before the container had started.
    before = msgspec.structs.replace(observed.status, started_at=None)
    run = msgspec.structs.replace(observed.run, status=before)
    try:
        resolution = resolve(run, observed.actor, settings)
        objects = build_objects(run, resolution, key=key, settings=settings)
    except TerminalError:
        return ()
    return (DeleteSecret(run.namespace, objects.secret_name),)


def _wake_at(
    observed: Observed, facts: Facts, now: datetime, settings: Settings
) -> datetime | None:
    """The next moment at which the passing of time alone changes the decision."""
    moments = [timeout_notice(observed)]
    findings = (facts.admitted, facts.scheduled, facts.started)
    hold_back = settings.limits.hold_back_seconds
    moments += [told_from(f.since, hold_back) for f in findings if f.since]
    pod = observed.pod
    if observed.blocked:
        moments.append(observed.blocked.retry_at)
    if observed.started_at is None:
        moments.append(pending_until(observed, now, settings.limits))
        if pod and pod.status.start_time:
            pull_window = timedelta(seconds=settings.limits.image_pull_seconds)
            windows = (pull_window, CONFIG_ERROR_WINDOW, RUNTIME_WINDOW)
            moments += [pod.status.start_time + window for window in windows]
    if pod and pod.terminated and pod.terminated.finished_at:
        moments.append(pod.terminated.finished_at + LAST_WORD)
    return min((moment for moment in moments if moment and moment > now), default=None)
