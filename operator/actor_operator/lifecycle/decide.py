"""What to do for a run, and what to say of it: from what was observed, and nothing else."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.constants import LABEL_ENVIRONMENT
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.pod import RunObjects, build_objects
from actor_operator.desired.resolve import Resolved, resolve
from actor_operator.errors import TerminalError
from actor_operator.lifecycle import waiting
from actor_operator.lifecycle.actions import Action, CreatePod, DeleteSecret, RestoreSecret
from actor_operator.lifecycle.expiry import (
    LAST_WORD,
    asked_for_at,
    forced_at,
    given_up_at,
    seconds_left,
    signal_due,
    timeout_notice,
    told_from,
)
from actor_operator.lifecycle.facts import ABORTS, ACCOUNT_WAITS, Facts, Finding, Stop, Verdict
from actor_operator.lifecycle.observed import Blocked, Observed
from actor_operator.lifecycle.removal import (
    clear_the_way,
    secret_of,
    secret_of_gone,
    stop_pods,
)
from actor_operator.lifecycle.replacement import abort_requested, after_moves, next_pod
from actor_operator.lifecycle.routing import RoutingAction
from actor_operator.lifecycle.startup import (
    CONFIG_ERROR,
    CONFIG_ERROR_WINDOW,
    RUNTIME_WINDOW,
    failed,
    pending_until,
    waiting_for,
)
from actor_operator.lifecycle.verdict import verdict_of
from actor_operator.lifecycle.web_server import (
    after,
    current_url,
    ended,
    future_url,
    keep_up,
    take_all_down,
    web_server,
)
from actor_operator.settings import Settings
from actor_operator.settings_web import WebServerSettings

MAY_COME = frozenset({Reason.ACTOR_NOT_FOUND, Reason.BUILD_NOT_FOUND})
"""What is missing may only be late: manifests are applied in any order."""

ACTOR_WINDOW = timedelta(seconds=10)
"""How long a run waits for its Actor or build."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Actions in their order, the facts for the status, and when to look again."""

    facts: Facts
    actions: tuple[Action, ...] = ()
    resolved: Resolved | None = None
    wake_at: datetime | None = None
    url: str | None = None
    """The URL of the run's web server; None: it has none, or it is not known yet."""
    routing: tuple[RoutingAction, ...] = ()
    """What is done, after the actions, to what leads requests to the web server."""


def decide(observed: Observed, now: datetime, settings: Settings, keyring: Keyring) -> Decision:
    """Decide on an unfinished run.

    Parameters
    ----------
    observed
        The run and what belongs to it.
    now
        The present moment.
    settings
        The operator's settings.
    keyring
        The keys that make names of Secrets and URLs unguessable.
    """
    decision = _decide_on_pods(observed, now, settings, keyring)
    return _with_web_server(decision, observed, now, settings.web_server, keyring)


def _decide_on_pods(
    observed: Observed, now: datetime, settings: Settings, keyring: Keyring
) -> Decision:
    verdict = verdict_of(observed, now, settings.limits)
    following = next_pod(observed, verdict, now)
    if following is not None or (verdict and verdict.disruption and abort_requested(observed)):
        verdict = None
    elif verdict is not None:
        verdict = after_moves(observed, verdict)
    facts = Facts(
        admitted=waiting.admitted(observed),
        scheduled=waiting.scheduled(observed),
        started=waiting.started(observed),
        web_server=web_server(observed, settings.web_server),
        started_at=observed.started_at,
        stop=_stop(observed, now) if verdict is None else _stop_before(verdict, observed),
        next_pod=following,
        verdict=verdict,
    )
    if facts.verdict is not None:
        return _end(observed, facts, settings, keyring)
    if facts.next_pod is not None:
        return _change_pods(observed, facts, now, settings)
    wake = _wake_at(observed, facts, now, settings)
    if observed.stopping is not None:
        return Decision(
            facts,
            stop_pods(observed, now, keep_log=settings.abort.keep_log),
            observed.resolved,
            wake,
        )
    if observed.pod is None and facts.stop is None:
        return _start(observed, facts, now, settings, keyring)
    return Decision(facts, _restore(observed, settings, keyring), observed.resolved, wake)


def _with_web_server(
    decision: Decision,
    observed: Observed,
    now: datetime,
    web: WebServerSettings,
    keyring: Keyring,
) -> Decision:
    """Add what is done to Service and route: they are there while a pod is, and not after the end.

    Between two pods of an attempt they stay.
    """
    url = current_url(observed, decision.resolved, keyring, web)
    finding, over = decision.facts.web_server, decision.facts.verdict is not None
    told = ended(finding) if over else after(finding, decision.facts)
    decision = replace(decision, facts=replace(decision.facts, web_server=told), url=url)
    if over:
        return replace(decision, routing=take_all_down(observed, url))
    has_pod = observed.pod is not None and observed.pod_exists and not observed.pod.has_ended
    made = any(isinstance(action, CreatePod) for action in decision.actions)
    if url is None or not (has_pod or made):
        return decision
    return replace(decision, routing=keep_up(observed, url, web, now))


def admit_first(observed: Observed, decision: Decision, now: datetime) -> Decision:
    """Memory was reserved for a run that has waited for it: that is told before its pod is made.

    So a new leader counts it, and the times in the container's environment begin here. An earlier
    try, before it had to wait, may have left a Secret with other times, and so with another name.
    """
    waited = observed.status.condition(ConditionType.ADMITTED)
    if waited is None or waited.status == "True" or waited.reason not in ACCOUNT_WAITS:
        return decision
    room = Finding("True", Reason.MEMORY_RESERVED, "The account has room for the run.")
    facts = replace(decision.facts, admitted=room, admitted_at=now)
    stale = tuple(
        DeleteSecret(observed.run.namespace, action.objects.secret_name)
        for action in decision.actions
        if isinstance(action, CreatePod)
    )
    return replace(decision, facts=facts, actions=stale, routing=())


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
    if says_so or (due is not None and now >= due and observed.may_run(now)):
        return Stop(Reason.TIMEOUT, f"The timeout of {observed.timeout_secs} s is over.")
    return None


def _stop_before(verdict: Verdict, observed: Observed) -> Stop | None:
    """The stop that led to a verdict; an abort that was not committed in time had no effect."""
    if verdict.phase is not Phase.TIMED_OUT:
        return None
    return Stop(Reason.TIMEOUT, f"The timeout of {observed.timeout_secs} s is over.")


def _end(observed: Observed, facts: Facts, settings: Settings, keyring: Keyring) -> Decision:
    """The verdict is known: what no container needs any more goes before the verdict is told."""
    if facts.verdict is None or facts.verdict.cleanup:
        return Decision(facts, (), observed.resolved)
    if observed.pod is None:
        return Decision(facts, _secret_without_pod(observed, settings, keyring), observed.resolved)
    actions = (secret_of if observed.pod_exists else secret_of_gone)(observed.pod)
    return Decision(facts, actions, observed.resolved)


def _change_pods(observed: Observed, facts: Facts, now: datetime, settings: Settings) -> Decision:
    """Another pod is to come: it is told before anything is made."""
    actions = secret_of(observed.pod) if observed.pod is not None else ()
    return Decision(facts, actions, observed.resolved, _wake_at(observed, facts, now, settings))


def _start(
    observed: Observed, facts: Facts, now: datetime, settings: Settings, keyring: Keyring
) -> Decision:
    """No pod, and nothing speaks against one."""
    wake = _wake_at(observed, facts, now, settings)
    blocked, clearing = observed.blocked, clear_the_way(observed, settings.pod.grace_period_seconds)
    if observed.in_the_way or observed.may_run(now) or _must_wait(blocked, now):
        return Decision(facts, clearing, None, wake)
    url = future_url(observed, keyring, settings.web_server)
    try:
        resolution = resolve(observed.run, observed.actor, settings, url)
        objects = build_objects(
            observed.run,
            resolution,
            keyring=keyring,
            settings=settings,
            seconds_left=seconds_left(observed, now),
        )
    except TerminalError as error:
        return _cannot_start(observed, facts, now, settings, error)
    return Decision(facts, (*clearing, CreatePod(objects)), resolution.resolved, wake)


def _restore(observed: Observed, settings: Settings, keyring: Keyring) -> tuple[RestoreSecret, ...]:
    """Make the pod's Secret once more when the kubelet misses one, before that is told.

    What it misses may also be a Secret that the Actor names: ours is there then, and stays. Once
    the Actor has changed nobody knows any more what was in it.
    """
    told = observed.status.condition(ConditionType.STARTED)
    is_told = told is not None and told.reason == Reason.CONTAINER_CONFIG_ERROR
    if observed.pod is None or is_told or waiting_for(observed)[0] != CONFIG_ERROR:
        return ()
    objects = _objects_now(observed, settings, keyring)
    mine = f"{observed.pod.name}-{observed.pod.metadata.labels.get(LABEL_ENVIRONMENT)}"
    return (RestoreSecret(objects),) if objects and objects.secret_name == mine else ()


def _objects_now(observed: Observed, settings: Settings, keyring: Keyring) -> RunObjects | None:
    """The current pod and its Secret as they would be made now; None: they would not."""
    url = future_url(observed, keyring, settings.web_server)
    try:
        resolution = resolve(observed.run, observed.actor, settings, url)
        return build_objects(observed.run, resolution, keyring=keyring, settings=settings)
    except TerminalError:
        return None


def _must_wait(blocked: Blocked | None, now: datetime) -> bool:
    return blocked is not None and (blocked.retry_at is None or now < blocked.retry_at)


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


def _secret_without_pod(
    observed: Observed, settings: Settings, keyring: Keyring
) -> tuple[DeleteSecret, ...]:
    """The Secret of a pod that vanished, or that was never made because we died before.

    Only while the Actor is as it was then can its name be known; else it goes with the run.
    """
    run = observed.run
    aborted = observed.stopping in ABORTS and observed.status.pod_name is not None
    if observed.blocked is not None or aborted:
        return ()  # deleted with the pod, or when the pod was refused
    objects = _objects_now(observed, settings, keyring)
    return (DeleteSecret(run.namespace, objects.secret_name),) if objects else ()


def _wake_at(
    observed: Observed, facts: Facts, now: datetime, settings: Settings
) -> datetime | None:
    """The next moment at which the passing of time alone changes the decision."""
    moments = [timeout_notice(observed), observed.lingers_until]
    moments += [signal_due(observed), forced_at(observed), given_up_at(observed)]
    moments += [asked_for_at(pod) for pod in observed.previous]
    findings = (facts.admitted, facts.scheduled, facts.started)
    hold_back = settings.limits.hold_back_seconds
    moments += [told_from(f.since, hold_back) for f in findings if f.since]
    pod, refused = observed.pod, observed.routing.refused
    if observed.blocked:
        moments.append(observed.blocked.retry_at)
    if refused is not None:
        moments.append(refused.retry_at)
    if observed.pod_started_at is None:
        moments.append(pending_until(observed, now, settings.limits))
        if pod and pod.accepted_at:
            pull_window = timedelta(seconds=settings.limits.image_pull_seconds)
            windows = (pull_window, CONFIG_ERROR_WINDOW, RUNTIME_WINDOW)
            moments += [pod.accepted_at + window for window in windows]
    if pod and pod.terminated and pod.terminated.finished_at:
        moments.append(pod.terminated.finished_at + LAST_WORD)
    return min((moment for moment in moments if moment and moment > now), default=None)
