"""Invariants of an ActorRun's own revisions."""

import itertools
from collections.abc import Iterator
from datetime import datetime

import msgspec
from tests.support.attempts import ENDED, attempt_of, phase_of, say
from tests.support.history import EVENT, RUN, History, Object, Revision, status_of

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

GROWING = ("attempt", "observedGeneration")
"""Fields of a status that never fall."""

COUNTERS = ("resurrectCount", "restartCount", "migrationCount", "rebootCount")
"""Fields of ``status.stats`` that never fall."""

MOST_MIGRATIONS = 3
"""Of one attempt."""

STORAGES = ("defaultKeyValueStoreId", "defaultDatasetId", "defaultRequestQueueId", "runId")
"""Fields of a status that are the same for the whole life of a run."""

REPEAT_SECONDS = 60
"""An Event for the same cause comes at most so often."""

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
            phase = phase_of(revision)
            if phase != before and phase not in STEPS[before]:
                found.append(say("I3", revision, f"step from {before or 'nothing'} to {phase}"))
            before = phase
    return found


def verdict_is_final(history: History) -> list[str]:
    """I4: after its end nothing of an attempt's verdict changes, and the next is one more."""
    found = []
    for before, after in _pairs(history):
        old, new = status_of(before.object), status_of(after.object)
        step = new.get("attempt", 1) - old.get("attempt", 1)
        if step not in {0, 1} or (step == 1 and old.get("phase") not in ENDED):
            found.append(say("I4", after, f"attempt goes up by {step} from {old.get('phase')}"))
        if step == 0 and old.get("phase") in ENDED:
            changed = [field for field in VERDICT if old.get(field) != new.get(field)]
            if changed:
                found.append(say("I4", after, f"{', '.join(changed)} changed after the end"))
    return found


def what_grows_never_falls(history: History) -> list[str]:
    """I5: counters never fall, startedAt stands, finishedAt is there if and only if it ended."""
    found = []
    for before, after in _pairs(history):
        fallen = list(_fallen(status_of(before.object), status_of(after.object)))
        if fallen:
            found.append(say("I5", after, f"{', '.join(fallen)} fell"))
        if attempt_of(before) == attempt_of(after) and _moved(before, after, "startedAt"):
            found.append(say("I5", after, "startedAt changed within an attempt"))
    for life in history.objects(RUN):
        found += [text for revision in life for text in _end_times(revision)]
    return found


def _fallen(old: Object, new: Object) -> Iterator[str]:
    """Names of counters that are smaller than they were."""
    same = old.get("attempt") == new.get("attempt")
    # Migrations are counted anew in each attempt.
    growing = (*GROWING, "migrations") if same else GROWING
    yield from (name for name in growing if new.get(name, 0) < old.get(name, 0))
    stats_before, stats = old.get("stats") or {}, new.get("stats") or {}
    yield from (name for name in COUNTERS if stats.get(name, 0) < stats_before.get(name, 0))


def _moved(before: Revision, after: Revision, field: str) -> bool:
    """Whether a field of a status that was there is another, or none, now."""
    old = status_of(before.object).get(field)
    return bool(old) and old != status_of(after.object).get(field)


def migrations_are_few(history: History) -> list[str]:
    """I5: an attempt migrates at most three times."""
    return [
        say("I5", revision, f"{status_of(revision.object)['migrations']} migrations")
        for life in history.objects(RUN)
        for revision in life
        if status_of(revision.object).get("migrations", 0) > MOST_MIGRATIONS
    ]


def storages_are_kept(history: History) -> list[str]:
    """I13: a run keeps its ids and those of its storages over attempts and pods."""
    return [
        say("I13", after, f"{field} changed")
        for before, after in _pairs(history)
        for field in STORAGES
        if _moved(before, after, field)
    ]


def _end_times(revision: Revision) -> Iterator[str]:
    status = status_of(revision.object)
    ended = status.get("phase") in ENDED
    begin, end = status.get("startedAt"), status.get("finishedAt")
    if ended != bool(end) or ended != status.get("finished", False):
        yield say("I5", revision, f"{status.get('phase')} with finishedAt {end}")
    if begin and end and datetime.fromisoformat(end) < datetime.fromisoformat(begin):
        yield say("I5", revision, f"ended {end} before it started {begin}")


def spec_is_frozen(history: History) -> list[str]:
    """I15: what a run was made with never changes, nor its image unless a build is asked for."""
    found = []
    for before, after in _pairs(history):
        old, new = (_frozen(revision.object) for revision in (before, after))
        if old != new:
            found.append(say("I15", after, "the spec changed"))
        pinned = "@" in status_of(before.object).get("image", "")
        if pinned and _moved(before, after, "image") and not _begins_other_build(before, after):
            image = status_of(after.object).get("image")
            found.append(say("I15", after, f"the image changed to {image}"))
    return found


def _begins_other_build(before: Revision, after: Revision) -> bool:
    """Whether an attempt begins for which a build was asked for."""
    request = after.object["spec"].get("resurrect") or {}
    return attempt_of(after) == attempt_of(before) + 1 and "build" in request


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
            found.append(say("I22", life[-1], f"{len(written)} status writes"))
        many = MOST_WRITES_A_SECOND * 5
        for first, last in zip(written, written[many:], strict=False):
            if last.at - first.at < 5:
                found.append(say("I22", last, f"{many} status writes within 5 s"))
    return found


def writes_say_something(history: History) -> list[str]:
    """I22: no status is written only for the sake of a message."""
    return [
        say("I22", after, "a status was written that says nothing new")
        for before, after in _pairs(history)
        if _status_written(before, after)
        and _without_messages(status_of(before.object))
        == _without_messages(status_of(after.object))
    ]


def _without_messages(status: Object) -> Object:
    conditions = [
        {field: value for field, value in condition.items() if field != "message"}
        for condition in status.get("conditions") or ()
    ]
    return {**status, "conditions": conditions}


def events_are_not_repeated(history: History) -> list[str]:
    """I22: an Event for the same cause comes at most once a minute."""
    found = []
    last: dict[tuple[str, ...], float] = {}
    for life in history.objects(EVENT):
        event = life[0].object
        cause = (event["regarding"].get("uid", ""), event["reason"], event.get("note", ""))
        if life[0].at - last.get(cause, float("-inf")) < REPEAT_SECONDS:
            found.append(say("I22", life[0], f"{event['reason']} was told twice in a minute"))
        last[cause] = life[0].at
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
                found.append(say("I22", after, f"{new['type']} moved its time without a flip"))
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
                found.append(say("I26", revision, "the status is too large"))
            if max(len(message.encode()) for message in messages) > MOST_MESSAGE_BYTES:
                found.append(say("I26", revision, "a message is too long"))
            if len(conditions) > MOST_CONDITIONS:
                found.append(say("I26", revision, f"{len(conditions)} conditions"))
    return found


def _pairs(history: History) -> Iterator[Pair]:
    """Each revision of a run with the one after it."""
    for life in history.objects(RUN):
        yield from itertools.pairwise(life)
