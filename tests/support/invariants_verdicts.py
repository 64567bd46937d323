"""Invariants of verdicts: each is the one that the container's end, and the stop, call for."""

from datetime import datetime, timedelta

from tests.support.attempts import Attempt, attempts, phase_of, say
from tests.support.history import History, Life, Object, Revision, condition, status_of, terminated
from tests.support.invariants_pods import disrupted_before_its_end

STARTED = "Started"
"""Condition: a container of the attempt has run."""


def successes_are_real(history: History) -> list[str]:
    """I6: SUCCEEDED only if the container ended with 0 and nothing had told it to stop before."""
    found = []
    for attempt in attempts(history):
        end = attempt.end
        if end is None or attempt.verdict != "SUCCEEDED":
            continue
        ended = attempt.container_end
        if ended is None or terminated(ended.object).get("exitCode") != 0:
            found.append(say("I6", end, "SUCCEEDED, but no container ended with 0"))
        elif attempt.stop is not None and attempt.stop.number < ended.number:
            found.append(say("I6", end, "SUCCEEDED, but a stop was recorded before the end"))
        elif disrupted_before_its_end(attempt.last_pod) and not _told_late(ended.object):
            found.append(say("I6", end, "SUCCEEDED, but the pod was taken away before the end"))
    return found


def _told_late(pod: Object) -> bool:
    """Whether the container had ended before its pod was told to go, of which we heard later."""
    ended, sign = terminated(pod).get("finishedAt"), condition(pod, "DisruptionTarget")
    if sign.get("reason") == "TerminationByKubelet":
        return False  # told only after the kubelet has ended it
    told = [sign.get("lastTransitionTime"), _deletion_asked(pod)]
    return ended is not None and all(ended <= moment for moment in told if moment)


def _deletion_asked(pod: Object) -> str | None:
    """When a pod's deletion was asked for: its time of deletion is later by the grace."""
    metadata = pod["metadata"]
    if "deletionTimestamp" not in metadata:
        return None
    grace = timedelta(seconds=metadata.get("deletionGracePeriodSeconds", 0))
    asked = datetime.fromisoformat(metadata["deletionTimestamp"]) - grace
    return asked.strftime("%Y-%m-%dT%H:%M:%SZ")


def failures_are_real(history: History) -> list[str]:
    """I7: a container that ended with 0 by itself makes no other verdict than SUCCEEDED.

    Unless the abort was asked for, or the time was up, before it ended: the news of an end may
    still be on its way when a stop is recorded.
    """
    found = []
    for attempt in attempts(history):
        end, ended = attempt.end, attempt.container_end
        if end is None or attempt.verdict == "SUCCEEDED" or ended is None:
            continue
        if not _by_itself(attempt.last_pod) or disrupted_before_its_end(attempt.last_pod):
            continue
        if not _was_to_stop(attempt, ended):
            found.append(say("I7", end, f"{attempt.verdict}, but the container had ended with 0"))
    return found


def _was_to_stop(attempt: Attempt, ended: Revision) -> bool:
    """Whether an attempt was to stop before its container ended."""
    if attempt.verdict == "ABORTED":
        return attempt.abort_asked is not None and attempt.abort_asked.number < ended.number
    if attempt.verdict == "TIMED-OUT":
        due: str = status_of(attempt.revisions[-1].object).get("timeoutAt", "")
        return str(terminated(ended.object).get("finishedAt", "")) >= due
    return False


def _by_itself(pod: Life) -> bool:
    """Whether exit code 0 is the container's own end: no deadline had told it to stop.

    The kubelet gives the pod's reason about a second after the container's end.
    """
    code = next((terminated(r.object)["exitCode"] for r in pod if terminated(r.object)), None)
    return code == 0 and not any(status_of(revision.object).get("reason") for revision in pod)


def cause_is_exact(history: History) -> list[str]:
    """I8: the exit code, and OOMKilled, are those of the container's end."""
    found = []
    for attempt in attempts(history):
        end, ended = attempt.end, attempt.container_end
        if end is None or ended is None or end.number < ended.number:
            continue
        status, state = status_of(end.object), terminated(ended.object)
        told = status.get("exitCode")
        if told != state["exitCode"] and (told is not None or attempt.verdict in BY_CONTAINER):
            found.append(say("I8", end, f"exit code {told}, not {state['exitCode']}"))
        if attempt.verdict in BY_CONTAINER and _oom_told(status) != _oom(state):
            found.append(say("I8", end, f"the container ended with {state.get('reason')}"))
    return found


BY_CONTAINER = frozenset({"SUCCEEDED", "FAILED"})
"""Verdicts that must tell how the container ended."""


def _oom_told(status: Object) -> bool:
    return (status.get("failure") or {}).get("reason") == "OOMKilled"


def _oom(state: Object) -> bool:
    """Whether the container ended for lack of memory; a child's death may not be its end."""
    return state.get("reason") == "OOMKilled" and state["exitCode"] != 0


def aborts_are_kept(history: History) -> list[str]:
    """I10: an attempt that was asked to abort ends as ABORTED, unless its end came first."""
    found = []
    for attempt in attempts(history):
        asked, end = attempt.abort_asked, attempt.end
        if asked is None or end is None or attempt.verdict == "ABORTED":
            continue
        if not _ended_first(attempt):
            found.append(say("I10", end, f"{attempt.verdict}, but an abort was asked for"))
    return found


def _ended_first(attempt: Attempt) -> bool:
    """Whether an attempt had ended by itself when its verdict was told."""
    end, ended = attempt.end, attempt.container_end
    if end is None or any(phase_of(revision) == "ABORTING" for revision in attempt.revisions):
        return False
    never_started = condition(end.object, STARTED).get("status") != "True"
    return never_started or (ended is not None and ended.number < end.number)
