"""Invariants of an ActorRun's own revisions."""

import itertools
from collections.abc import Iterator
from datetime import datetime

import msgspec
from tests.support.history import RUN, History, Object, Revision, status_of

ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"})
"""Phases that end an attempt."""

STEPS = {
    "": {"READY"},
    "READY": {"RUNNING", "FAILED", "TIMING-OUT", "ABORTING"},
    "RUNNING": {"SUCCEEDED", "FAILED", "TIMING-OUT", "ABORTING"},
    "TIMING-OUT": {"TIMED-OUT", "SUCCEEDED", "FAILED", "ABORTING"},
    "ABORTING": {"ABORTED"},
    **{phase: {"READY"} for phase in ENDED},
}
"""The steps that a run may take, written down once more: the operator's own table is under test."""

VERDICT = ("phase", "finished", "exitCode", "failure", "startedAt", "finishedAt", "stats")
"""Fields of a status that never change once an attempt has ended."""

GROWING = ("attempt", "observedGeneration", "migrations")
"""Fields of a status that never fall."""

CHANGEABLE = frozenset({"abort", "resurrect", "reboot", "ttlSecondsAfterFinished"})
"""Fields of a spec that users may change."""

MOST_STATUS_WRITES = 40
"""For one attempt, however much happens to it."""

MOST_WRITES_A_SECOND = 5
"""Of one object, in the mean over five seconds."""

MOST_STATUS_BYTES = 32 * 1024
MOST_MESSAGE_BYTES = 1024
MOST_CONDITIONS = 9
"""The types of the design, of which Reconciling and Stalled are never there together."""

Pair = tuple[Revision, Revision]


def path_is_legal(history: History) -> list[str]:
    """I3: only steps of the table, each of them committed."""
    found = []
    for life in history.objects(RUN):
        before = ""
        for revision in life:
            phase = str(status_of(revision.object).get("phase", ""))
            if phase != before and phase not in STEPS[before]:
                found.append(_say("I3", revision, f"step from {before or 'nothing'} to {phase}"))
            before = phase
    return found


def verdict_is_final(history: History) -> list[str]:
    """I4: after its end nothing of an attempt's verdict changes, and the next is one more."""
    found = []
    for before, after in _pairs(history):
        old, new = status_of(before.object), status_of(after.object)
        step = new.get("attempt", 1) - old.get("attempt", 1)
        if step not in {0, 1} or (step == 1 and old.get("phase") not in ENDED):
            found.append(_say("I4", after, f"attempt goes up by {step} from {old.get('phase')}"))
        if step == 0 and old.get("phase") in ENDED:
            changed = [field for field in VERDICT if old.get(field) != new.get(field)]
            if changed:
                found.append(_say("I4", after, f"{', '.join(changed)} changed after the end"))
    return found


def what_grows_never_falls(history: History) -> list[str]:
    """I5: counters never fall, startedAt stands, finishedAt is there if and only if it ended."""
    found = []
    for before, after in _pairs(history):
        old, new = status_of(before.object), status_of(after.object)
        fallen = [f for f in GROWING if f in old and new.get(f, 0) < old[f]]
        if fallen:
            found.append(_say("I5", after, f"{', '.join(fallen)} fell"))
        same = old.get("attempt") == new.get("attempt")
        if same and old.get("startedAt") and old["startedAt"] != new.get("startedAt"):
            found.append(_say("I5", after, "startedAt changed within an attempt"))
    for life in history.objects(RUN):
        found += [text for revision in life for text in _end_times(revision)]
    return found


def _end_times(revision: Revision) -> Iterator[str]:
    status = status_of(revision.object)
    ended = status.get("phase") in ENDED
    begin, end = status.get("startedAt"), status.get("finishedAt")
    if ended != bool(end) or ended != status.get("finished", False):
        yield _say("I5", revision, f"{status.get('phase')} with finishedAt {end}")
    if begin and end and datetime.fromisoformat(end) < datetime.fromisoformat(begin):
        yield _say("I5", revision, f"ended {end} before it started {begin}")


def spec_is_frozen(history: History) -> list[str]:
    """I15: what a run was made with never changes, nor its image within an attempt."""
    found = []
    for before, after in _pairs(history):
        old, new = (_frozen(revision.object) for revision in (before, after))
        if old != new:
            found.append(_say("I15", after, "the spec changed"))
        first, second = status_of(before.object), status_of(after.object)
        pinned = "@" in first.get("image", "")
        if pinned and first["image"] != second.get("image"):
            found.append(_say("I15", after, f"the image changed to {second.get('image')}"))
    return found


def _frozen(run: Object) -> Object:
    return {name: value for name, value in run["spec"].items() if name not in CHANGEABLE}


def writes_are_few(history: History) -> list[str]:
    """I22: few status writes for a run, and never many in a short time."""
    found = []
    for life in history.objects(RUN):
        written = [
            after for before, after in itertools.pairwise(life) if _status_written(before, after)
        ]
        if len(written) > MOST_STATUS_WRITES:
            found.append(_say("I22", life[-1], f"{len(written)} status writes"))
        many = MOST_WRITES_A_SECOND * 5
        for first, last in zip(written, written[many:], strict=False):
            if last.at - first.at < 5:
                found.append(_say("I22", last, f"{many} status writes within 5 s"))
    return found


def _status_written(before: Revision, after: Revision) -> bool:
    return not after.gone and status_of(before.object) != status_of(after.object)


def transition_times_move_on_flips_only(history: History) -> list[str]:
    """I22: `lastTransitionTime` moves if and only if the condition's status flips."""
    found = []
    for before, after in _pairs(history):
        old = {c["type"]: c for c in status_of(before.object).get("conditions", ())}
        for new in status_of(after.object).get("conditions", ()):
            last = old.get(new["type"])
            if last is None or last["status"] != new["status"]:
                continue
            if last["lastTransitionTime"] != new["lastTransitionTime"]:
                found.append(_say("I22", after, f"{new['type']} moved its time without a flip"))
    return found


def status_is_small(history: History) -> list[str]:
    """I26: statuses, messages and the list of conditions keep their limits."""
    found = []
    for life in history.objects(RUN):
        for revision in life:
            status = status_of(revision.object)
            conditions = status.get("conditions", ())
            messages = [c["message"] for c in conditions if "message" in c]
            messages.append((status.get("failure") or {}).get("message", ""))
            if len(msgspec.json.encode(status)) > MOST_STATUS_BYTES:
                found.append(_say("I26", revision, "the status is too large"))
            if max(len(message.encode()) for message in messages) > MOST_MESSAGE_BYTES:
                found.append(_say("I26", revision, "a message is too long"))
            if len(conditions) > MOST_CONDITIONS:
                found.append(_say("I26", revision, f"{len(conditions)} conditions"))
    return found


def _pairs(history: History) -> Iterator[Pair]:
    """Each revision of a run with the one after it."""
    for life in history.objects(RUN):
        yield from itertools.pairwise(life)


def _say(number: str, revision: Revision, text: str) -> str:
    return f"{number} run {revision.name} at {revision.number}: {text}"
