"""Why a run is not running, or why it ended, in a few sentences; and what to do. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from actor_operator.api.v1alpha1.advice import NOTHING, advice_for
from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
from actor_operator.cli.events import EventView
from actor_operator.cli.format import UNSEEN, age, duration, printable
from actor_operator.cli.standing import Standing, memory_in_use, memory_of
from actor_operator.quantities import MEMORY_STEPS

MOST_EVENTS = 3
"""How many Events are told."""

FEWEST_WORDS = 3
"""Words of an Event's message that make a sentence."""

PROBE_FAILED = "Unhealthy"
"""Reason of the Events that the kubelet makes when a probe fails."""

STEPS_TO_START = (ConditionType.ADMITTED, ConditionType.POD_SCHEDULED, ConditionType.STARTED)
"""What a run needs before it runs, in this order."""

STOPPING = frozenset({Phase.TIMING_OUT, Phase.ABORTING})
"""Phases in which a container is being stopped."""

UNREACHABLE = frozenset({Reason.NO_INGRESS, Reason.NOT_LISTENING})
"""Why the web server of a run that runs is not reached, as far as somebody can do something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a run."""

    run: RunView
    now: datetime
    pod: PodView | None = None
    """Its pod, if there is one that may be read."""
    events: Sequence[EventView] = ()
    """Its Events and its pod's, oldest first."""
    account: Standing | None = None
    """Its account, if the run waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is said of a run."""

    name: str
    namespace: str
    phase: str
    reason: str
    """Why, as a word for machines; empty when nothing is to be explained."""
    headline: str
    sentences: tuple[str, ...]
    advice: str
    """What to do; empty for nothing."""
    command: str
    """A command line that helps, as words that are still to be addressed to the cluster."""


def explain_run(evidence: Evidence) -> Explanation:
    """Say why a run is where it is, and what to do."""
    run = evidence.run
    reason, message = _cause(run)
    said = [message, *_details(evidence, reason)]
    said += _events(evidence, said)
    advice, command = _advice(run, reason)
    return Explanation(
        name=run.name,
        namespace=run.namespace,
        phase=str(run.status.phase),
        reason=reason,
        headline=printable(_headline(evidence, reason)),
        sentences=tuple(printable(sentence) for sentence in said if sentence),
        advice=advice,
        command=_filled(command, run),
    )


def _cause(run: RunView) -> tuple[str, str]:
    """Reason and message of what decides where the run is."""
    status = run.status
    if status.finished:
        return _end(run)
    if status.observed_generation == UNSEEN:
        return Reason.PENDING, "The operator has not seen the run yet."
    if status.phase in STOPPING:
        target = status.condition(ConditionType.TERMINATION_TARGET)
        return (target.reason, target.message) if target else ("", "")
    return _missing(run) or _running(run)


def _missing(run: RunView) -> tuple[str, str] | None:
    """The first thing that the run lacks, if it lacks something."""
    for step in STEPS_TO_START:
        found = run.status.condition(step)
        if found is not None and found.status != "True" and found.reason != Reason.PENDING:
            return found.reason, found.message
    return None


def _running(run: RunView) -> tuple[str, str]:
    if run.status.phase is Phase.READY:
        return Reason.PENDING, "Its pod is about to be made."
    started = run.status.condition(ConditionType.STARTED)
    if started is not None and started.reason == Reason.NODE_UNREACHABLE:
        return started.reason, started.message
    web = run.status.condition(ConditionType.WEB_SERVER_READY)
    if web is not None and web.reason in UNREACHABLE:
        return web.reason, f"Requests by its URL do not reach it: {web.message}"
    return Reason.RUNNING, ""


def _end(run: RunView) -> tuple[str, str]:
    failure = run.status.failure
    if failure is not None:
        return failure.reason, failure.message
    succeeded = run.status.condition(ConditionType.SUCCEEDED)
    return (succeeded.reason, succeeded.message) if succeeded else ("", "")


def _headline(evidence: Evidence, reason: str) -> str:
    run, status = evidence.run, evidence.run.status
    attempt = f", attempt {status.attempt}" if status.attempt > 1 else ""
    since = _since(run)
    for_ = f" since {age(since, evidence.now)}" if since else ""
    why = f": {reason}" if reason != Reason.RUNNING else ""
    return f"{run.name} is {status.phase}{for_}{attempt}{why}."


def _since(run: RunView) -> datetime | None:
    """Since when the run is in its phase, as far as its status tells."""
    status = run.status
    if status.finished:
        return status.finished_at
    if status.phase in STOPPING:
        target = status.condition(ConditionType.TERMINATION_TARGET)
        return target.last_transition_time if target else None
    return status.started_at if status.phase is Phase.RUNNING else run.attempt_began


def _details(evidence: Evidence, reason: str) -> Iterator[str]:
    run, status = evidence.run, evidence.run.status
    if reason == Reason.WAITING_FOR_ACCOUNT_MEMORY and evidence.account is not None:
        yield from _queue(evidence.account, run)
    yield _current_message(evidence)
    if status.migrations:
        times = "once" if status.migrations == 1 else f"{status.migrations} times"
        yield f"In this attempt the run lost its pod and got another one {times}."
    if status.finished:
        yield from _after_the_end(run)
    elif status.phase in STOPPING:
        yield _stopping(evidence)
    else:
        yield from _clock(evidence)
        abort = run.spec.abort
        if abort is not None and abort.attempt == status.attempt:
            yield "An abort is asked for; the operator has not begun with it yet."


def _queue(account: Standing, run: RunView) -> Iterator[str]:
    place, length = account.place(run), len(account.queue)
    if account.suspended:
        yield f"The account {account.namespace} is suspended: no further run is started."
    if place is not None:
        yield f"It is number {place} of {length} in the queue of the account {account.namespace}."
    runs = "1 live run" if account.live_runs == 1 else f"{account.live_runs} live runs"
    limit = "" if account.max_runs is None else f" of at most {account.max_runs}"
    yield f"The account has {memory_in_use(account)}, by {runs}{limit}."


def _current_message(evidence: Evidence) -> str:
    """What scheduler or kubelet say now: the status has it as it was when the reason changed."""
    pod, status = evidence.pod, evidence.run.status
    if pod is None or status.phase is not Phase.READY:
        return ""
    scheduled = pod.condition(ConditionType.POD_SCHEDULED)
    if scheduled is not None and scheduled.status == "False":
        return _unless_said("The scheduler", scheduled.message, evidence.run)
    if pod.waiting is not None:
        return _unless_said("The kubelet", pod.waiting.message, evidence.run)
    return ""


def _unless_said(who: str, message: str, run: RunView) -> str:
    said = " ".join(condition.message for condition in run.status.conditions)
    return "" if not message or message in said else f"{who} says: {message}"


def _after_the_end(run: RunView) -> Iterator[str]:
    status = run.status
    if status.failure is not None and status.failure.platform:
        yield "The platform is at fault, not the actor."
    if status.cleanup:
        yield f"Of the run is still left: {', '.join(status.cleanup)}."
    wish = run.spec.resurrect
    if wish is not None and wish.attempt == status.attempt + 1:
        yield f"Attempt {wish.attempt} is asked for; the operator has not begun with it yet."


def _stopping(evidence: Evidence) -> str:
    status = evidence.run.status
    return f"Its container on node {status.node_name} is being stopped." if status.node_name else ""


def _clock(evidence: Evidence) -> Iterator[str]:
    """Where the container runs, and how much time is left."""
    status = evidence.run.status
    if status.phase is Phase.RUNNING and status.node_name:
        yield f"The current pod is {status.pod_name} on node {status.node_name}."
    if status.timeout_at is not None:
        left = duration((status.timeout_at - evidence.now).total_seconds())
        counts = "" if status.started_at else " The time to fetch the image counts."
        yield f"Of its time {left} are left.{counts}"


def _events(evidence: Evidence, said: Sequence[str]) -> Iterator[str]:
    """The newest warnings about the pod that say something new.

    Not those about the run: they are the operator's own, told from the same conditions.
    """
    began = evidence.run.attempt_began
    warnings = {
        event.message: event
        for event in evidence.events
        if event.type == "Warning"
        and event.involved_object.kind == "Pod"
        and (event.last_seen is None or event.last_seen >= began)
        # The only probe asks whether the web server listens: of no interest once it does.
        and (event.reason != PROBE_FAILED or _waits_for_probe(evidence.run))
    }
    new = [event for message, event in warnings.items() if _says_something_new(message, said)]
    for event in new[-MOST_EVENTS:]:
        often = f", {event.times} times" if event.times > 1 else ""
        when = age(event.last_seen, evidence.now)
        yield f"Event {event.reason} of the pod ({when} ago{often}): {event.message}"


def _waits_for_probe(run: RunView) -> bool:
    web = run.status.condition(ConditionType.WEB_SERVER_READY)
    return web is not None and web.reason == Reason.NOT_LISTENING


def _says_something_new(message: str, said: Sequence[str]) -> bool:
    """Whether a message is a sentence, and not one that was said already, or more words around it.

    The kubelet also has messages like "Error: ErrImagePull".
    """
    known = any(message in sentence or sentence in message for sentence in said if sentence)
    return len(message.split()) >= FEWEST_WORDS and not known


def _advice(run: RunView, reason: str) -> tuple[str, str]:
    advice = advice_for(reason)
    if advice is None or advice == NOTHING:
        return "", ""
    if run.status.finished and advice.failed:
        return advice.failed, "actorctl resurrect NAME"
    return advice.text, advice.command


def _filled(command: str, run: RunView) -> str:
    """A command with the run's own names; none when something that it needs is not known."""
    values = _values(run)
    words = [values.get(word, _in_label(word, run)) for word in command.split()]
    return " ".join(word for word in words if word is not None) if None not in words else ""


def _in_label(word: str, run: RunView) -> str:
    label, is_label, value = word.partition("=")
    return f"{label}={run.name}" if is_label and value == "NAME" else word


def _values(run: RunView) -> dict[str, str | None]:
    status = run.status
    memory = memory_of(run)
    seconds = status.options.timeout_secs if status.options else None
    return {
        "NAME": run.name,
        "NAMESPACE": run.namespace,
        "POD": status.pod_name,
        "NODE": status.node_name,
        "MORE_MB": _step(memory, 1),
        "LESS_MB": _step(memory, -1),
        "MORE_SECONDS": str(2 * seconds) if seconds else None,
    }


def _step(memory: int | None, by: int) -> str | None:
    """The next size of memory; ``None`` beyond the ends."""
    if memory not in MEMORY_STEPS:
        return None
    place = MEMORY_STEPS.index(memory) + by
    return str(MEMORY_STEPS[place]) if 0 <= place < len(MEMORY_STEPS) else None
