"""Invariants with a limit in time: what is asked for happens, however busy the machine is."""

from datetime import datetime

from tests.support.attempts import Attempt, attempts, is_deleted, phase_of, say
from tests.support.history import (
    NAMESPACE,
    POD,
    RUN,
    History,
    Life,
    Revision,
    condition,
    is_live,
    status_of,
)

RECOVERY_SECONDS = 60.0
"""How long an operator that was away, or a busy machine, may take on top of any limit."""

STOP_SECONDS = 35.0
"""The grace of 30 s, and what it takes to tell of the end."""

WAIT_TOLD_SECONDS = 60.0
"""After which a run that does not start says why."""

DELETION_SECONDS = 30.0
"""How long the deletion of a run or a namespace may take."""


def runs_end(history: History) -> list[str]:
    """I16: an attempt with a timeout ends soon after it."""
    found = []
    for attempt in attempts(history):
        due = status_of(attempt.revisions[-1].object).get("timeoutAt")
        if due is None or not _timeout(attempt.revisions[-1]):
            continue
        limit = _seconds(due) + STOP_SECONDS + RECOVERY_SECONDS
        if _ended_at(history, attempt) > limit:
            found.append(say("I16", attempt.revisions[-1], f"goes on after its timeout at {due}"))
    return found


def waits_are_told(history: History) -> list[str]:
    """I16: a minute after it was asked for, an attempt has started or says what it waits for."""
    return [
        say("I16", attempt.revisions[0], "waits, and does not say for what")
        for attempt in attempts(history)
        if _silent_until(history, attempt) - attempt.revisions[0].at
        > WAIT_TOLD_SECONDS + RECOVERY_SECONDS
    ]


def _silent_until(history: History, attempt: Attempt) -> float:
    """When an attempt first said anything: another phase, or what it waits for."""
    for revision in attempt.revisions:
        if phase_of(revision) != "READY" or is_deleted(revision) or _says_why(revision):
            return revision.at
    return history.ended_at


def _says_why(run: Revision) -> bool:
    """Whether a run that has not started says what it waits for."""
    conditions = (condition(run.object, kind) for kind in ("Admitted", "PodScheduled", "Started"))
    return any(
        c.get("status") != "True" and c.get("reason", "Pending") != "Pending" for c in conditions
    )


def kubelets_stop_pods(history: History) -> list[str]:
    """I18: a pod is dead a minute after its deadline, with or without an operator."""
    found = []
    for life in history.objects(POD):
        limit = _deadline(life) + RECOVERY_SECONDS
        dead = next((r.at for r in life if r.gone or not is_live(r.object)), history.ended_at)
        if dead > limit:
            found.append(say("I18", life[0], "is alive a minute after its deadline"))
    return found


def _deadline(pod: Life) -> float:
    """When a kubelet stops a pod: from its start, but not before it is told so."""
    latest = float("inf")
    told: int | None = None
    for revision in pod:
        seconds = revision.object["spec"].get("activeDeadlineSeconds")
        started = status_of(revision.object).get("startTime")
        if seconds is None or started is None or seconds == told:
            continue
        told = seconds
        latest = max(_seconds(started) + seconds, revision.at)
    return latest


def aborts_are_swift(history: History) -> list[str]:
    """I19: an attempt that was asked to abort has ended after its grace."""
    found = []
    for attempt in attempts(history):
        asked = attempt.abort_asked
        if asked is None:
            continue
        if _ended_at(history, attempt) > asked.at + STOP_SECONDS + RECOVERY_SECONDS:
            found.append(say("I19", asked, "goes on long after it was asked to abort"))
    return found


def deletions_come_to_an_end(history: History) -> list[str]:
    """I21: a run or a namespace that is deleted goes."""
    found = []
    for life in (*history.objects(RUN), *history.objects(NAMESPACE)):
        asked = next((revision for revision in life if is_deleted(revision)), None)
        gone = life[-1].at if life[-1].gone else history.ended_at
        if asked is not None and gone > asked.at + DELETION_SECONDS + RECOVERY_SECONDS:
            found.append(say("I21", asked, "is deleted and does not go"))
    return found


def nothing_is_removed_too_early(history: History) -> list[str]:
    """I14: a finished run that says itself how long it stays is there for so long."""
    found = []
    for life in history.objects(RUN):
        asked = next((revision for revision in life if is_deleted(revision)), None)
        early = _kept_until(asked) - asked.at if asked else 0.0
        if asked is not None and early > 0:
            found.append(say("I14", asked, f"removed {early:.0f} s too early"))
    return found


def _kept_until(run: Revision) -> float:
    """Until when a finished run is kept by what it says itself; 0: it says nothing."""
    keeps = run.object["spec"].get("ttlSecondsAfterFinished")
    finished = status_of(run.object).get("finishedAt")
    return 0.0 if keeps is None or finished is None else _seconds(finished) + float(keeps)


def _timeout(run: Revision) -> int:
    """The time limit of an attempt in seconds; 0: none."""
    return int((status_of(run.object).get("options") or {}).get("timeoutSecs", 0))


def _ended_at(history: History, attempt: Attempt) -> float:
    """When an attempt ended, or its run went away; else until when it was listened."""
    over = attempt.end or next((r for r in attempt.revisions if is_deleted(r)), None)
    return over.at if over else history.ended_at


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
