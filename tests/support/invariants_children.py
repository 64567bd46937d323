"""Invariants of a run together with its pods and Secrets."""

import re
from collections.abc import Iterator

from tests.support.history import (
    ADDED,
    POD,
    RUN,
    SECRET,
    History,
    Object,
    Revision,
    condition,
    controller_uid,
    status_of,
    terminated,
)
from tests.support.invariants_status import ENDED

RUN_UID = "actor-operator.dev/run-uid"
ATTEMPT = "actor-operator.dev/attempt"

FINAL = frozenset({"Succeeded", "Failed"})
"""Phases of a pod of which nothing runs any more."""

SEEN_SECONDS = 2.0
"""How long after a commit a busy operator may not know of it yet."""

CHILD_NAME = r"{run}-[a-z2-7]{{4}}-{number}"
"""Name of a pod; that of its Secret goes on with 16 symbols."""


def one_pod_at_a_time(history: History) -> list[str]:
    """I1: at each revision one live pod an attempt; ever one more than was recorded as replaced."""
    found = []
    live: dict[tuple[str, str], set[str]] = {}
    for revision in history.revisions:
        if revision.kind != POD:
            continue
        labels = revision.object["metadata"]["labels"]
        key = (labels[RUN_UID], labels.get(ATTEMPT, "1"))
        pods = live.setdefault(key, set())
        if revision.gone or status_of(revision.object).get("phase") in FINAL:
            pods.discard(revision.uid)
        else:
            pods.add(revision.uid)
        if len(pods) > 1:
            found.append(_say("I1", revision, f"{len(pods)} live pods of one attempt"))
    for life in history.objects(RUN):
        status = status_of(life[-1].object)
        restarts = (status.get("stats") or {}).get("restartCount", 0)
        allowed = status.get("attempt", 1) + status.get("migrations", 0) + restarts
        made = len(history.children(POD, life[0].uid))
        if made > allowed:
            found.append(
                _say("I1", life[-1], f"{made} pods were made, {allowed} are accounted for")
            )
    return found


def owners_are_right(history: History) -> list[str]:
    """I2: each child is controlled by a run of its namespace, and named after it."""
    runs = {life[0].uid: life[0] for life in history.objects(RUN)}
    found = []
    for kind, end in ((POD, ""), (SECRET, "-[a-z2-7]{16}")):
        for life in history.objects(kind):
            child = life[0]
            owner = runs.get(controller_uid(child.object))
            if owner is None or child.object["metadata"]["labels"].get(RUN_UID) != owner.uid:
                found.append(_say("I2", child, "no run controls it"))
            elif not re.fullmatch(_name_of(owner, child, end), child.name):
                found.append(_say("I2", child, f"is not named after run {owner.name}"))
    return found


def _name_of(owner: Revision, child: Revision, end: str) -> str:
    return CHILD_NAME.format(run=re.escape(owner.name), number="[0-9]+") + end


def successes_are_real(history: History) -> list[str]:
    """I6: SUCCEEDED only if the container ended with 0 and no stop was recorded before."""
    found = []
    for life in history.objects(RUN):
        end = _revision_of(life, "SUCCEEDED")
        if end is None:
            continue
        ended = _end_of_container(history, life[0].uid)
        if ended is None or terminated(ended.object).get("exitCode") != 0:
            found.append(_say("I6", end, "SUCCEEDED, but no container ended with 0"))
            continue
        stop = _first_stop(life)
        if stop is not None and stop.number < ended.number:
            found.append(_say("I6", end, "SUCCEEDED, but a stop was recorded before the end"))
    return found


def failures_are_real(history: History) -> list[str]:
    """I7: no other verdict if the container ended with 0 by itself before a stop was recorded.

    A stop may be recorded while the news of the end is still on its way.
    """
    found = []
    for life in history.objects(RUN):
        end = next((r for r in life if _phase(r) in ENDED - {"SUCCEEDED"}), None)
        ended = _end_of_container(history, life[0].uid)
        if end is None or ended is None or not _by_itself(ended.object):
            continue
        stop = _first_stop(life)
        if stop is None or ended.at + SEEN_SECONDS < stop.at:
            found.append(_say("I7", end, f"{_phase(end)}, but the container had ended with 0"))
    return found


def _by_itself(pod: Object) -> bool:
    """Whether exit code 0 is the container's own end: nothing had told it to stop."""
    told = status_of(pod).get("reason") == "DeadlineExceeded"
    told |= condition(pod, "DisruptionTarget").get("status") == "True"
    told |= "deletionTimestamp" in pod["metadata"]
    return terminated(pod).get("exitCode") == 0 and not told


def cause_is_exact(history: History) -> list[str]:
    """I8: the exit code, and OOMKilled, are those of the container's end."""
    found = []
    for life in history.objects(RUN):
        end = next((r for r in life if _phase(r) in {"SUCCEEDED", "FAILED"}), None)
        ended = _end_of_container(history, life[0].uid)
        if end is None or ended is None or end.number < ended.number:
            continue
        status, state = status_of(end.object), terminated(ended.object)
        if status.get("exitCode") != state["exitCode"]:
            found.append(_say("I8", end, f"exit code {status.get('exitCode')}"))
        killed = (status.get("failure") or {}).get("reason") == "OOMKilled"
        if killed != (state.get("reason") == "OOMKilled"):
            found.append(_say("I8", end, f"the container ended with {state.get('reason')}"))
    return found


def no_child_after_deletion(history: History) -> list[str]:
    """I12: nothing is made for a run that is being, or was, deleted."""
    deleted = {
        life[0].uid: next(r for r in life if _deleted(r))
        for life in history.objects(RUN)
        if any(_deleted(r) for r in life)
    }
    found = []
    for kind in (POD, SECRET):
        for life in history.objects(kind):
            end = deleted.get(controller_uid(life[0].object))
            late = end is not None and life[0].at > end.at + SEEN_SECONDS
            if late and life[0].change == ADDED:
                found.append(_say("I12", life[0], "made after its run was deleted"))
    return found


def no_secret_of_a_finished_run(history: History) -> list[str]:
    """I20: at the end of the history no run that has ended, and is cleaned up, has a Secret."""
    found = []
    for life in history.objects(RUN):
        last = life[-1]
        if _phase(last) not in ENDED or status_of(last.object).get("cleanup"):
            continue
        left = [s for s in history.children(SECRET, last.uid) if not s[-1].gone]
        if left and not last.gone:
            found.append(_say("I20", last, f"has ended, and Secret {left[0][0].name} is there"))
    return found


def _say(number: str, revision: Revision, text: str) -> str:
    return f"{number} {revision.kind} {revision.name} at {revision.number}: {text}"


def _phase(revision: Revision) -> str:
    return str(status_of(revision.object).get("phase", ""))


def _deleted(revision: Revision) -> bool:
    return revision.gone or "deletionTimestamp" in revision.object["metadata"]


def _revision_of(life: list[Revision], phase: str) -> Revision | None:
    return next((revision for revision in life if _phase(revision) == phase), None)


def _first_stop(life: list[Revision]) -> Revision | None:
    """The first revision in which a stop is decided."""
    decided = (r for r in life if condition(r.object, "TerminationTarget").get("status") == "True")
    return next(decided, None)


def _end_of_container(history: History, run_uid: str) -> Revision | None:
    """The revision in which the last pod's container was first seen to have ended."""
    return next(_ends(history, run_uid), None)


def _ends(history: History, run_uid: str) -> Iterator[Revision]:
    for life in reversed(history.children(POD, run_uid)):
        yield from (revision for revision in life if terminated(revision.object))
