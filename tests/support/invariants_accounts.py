"""Invariants of accounts: their limits hold at each revision, and nobody is passed unfairly."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.support.attempts import ENDED, attempt_of, is_deleted, is_true, phase_of, say
from tests.support.history import (
    ACCOUNT,
    POD,
    RUN,
    History,
    Life,
    Object,
    Revision,
    condition,
    status_of,
)

WAITS = "WaitingForAccountMemory"

RUN_UID = "actor-operator.dev/run-uid"
"""Label of pods with the uid of their run, also of one that is gone."""

RESOLVED = "actor-operator.dev/resolved"
"""Annotation of pods with what was resolved, as JSON."""

FINAL = frozenset({"Succeeded", "Failed"})
"""Phases of a pod of which nothing runs any more."""

SEEN_SECONDS = 2.0
"""How long after a commit a busy operator may not know of it yet."""


Place = tuple[datetime, str]
"""Where a run stands in the line: since when, and its uid."""


@dataclass(frozen=True)
class Limits:
    """What an account may use; None: as much as it likes."""

    memory: int | None = None
    runs: int | None = None
    suspended: bool = False


@dataclass
class Account:
    """What is committed about one account, revision by revision."""

    limits: list[tuple[float, Limits]] = field(default_factory=lambda: [(0.0, Limits())])
    """Each with the moment since when it was in force."""

    runs: dict[str, int] = field(default_factory=dict)
    """Memory of those that are admitted and not finished, by uid."""

    pods: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Run and memory of those that may run, by uid."""

    def take(self, revision: Revision) -> None:
        """One more revision was committed."""
        if revision.kind == ACCOUNT:
            spec = {} if revision.gone else revision.object["spec"]
            now = Limits(
                spec.get("memoryLimitMbytes"),
                spec.get("maxConcurrentRuns"),
                bool(spec.get("suspended")),
            )
            if now != self.limits[-1][1]:
                self.limits.append((revision.at, now))
        elif revision.kind == RUN:
            self.runs.pop(revision.uid, None)
            if is_admitted(revision):
                self.runs[revision.uid] = memory_of_run(revision.object)
        elif revision.kind == POD:
            self.pods.pop(revision.uid, None)
            if not revision.gone and status_of(revision.object).get("phase") not in FINAL:
                owner = revision.object["metadata"]["labels"][RUN_UID]
                self.pods[revision.uid] = (owner, memory_of_pod(revision.object))

    def held(self) -> dict[str, int]:
        """Memory that is held, by run."""
        held = dict(self.runs)
        for owner, memory in self.pods.values():
            held[owner] = max(memory, held.get(owner, 0))
        return held

    def allows(self, memory: int, runs: int, at: float) -> bool:
        """Whether so much was allowed at a moment, or a little before: news take their time."""
        ends = [begin for begin, _ in self.limits[1:]] + [float("inf")]
        recent = [
            limits
            for (_, limits), end in zip(self.limits, ends, strict=True)
            if end > at - SEEN_SECONDS
        ]
        return any(
            not limits.suspended
            and (limits.memory is None or memory <= limits.memory)
            and (limits.runs is None or runs <= limits.runs)
            for limits in recent
        )


def limits_of_accounts_hold(history: History) -> list[str]:
    """I9: at no revision more is admitted than the account may use."""
    found = []
    account = Account()
    before: dict[str, int] = {}
    for revision in history.revisions:
        account.take(revision)
        held = account.held()
        memory, runs = sum(held.values()), len(held)
        more = memory > sum(before.values()) or runs > len(before)
        if more and not account.allows(memory, runs, revision.at):
            limits = account.limits[-1][1]
            found.append(say("I9", revision, f"{memory} MB by {runs} runs, but {limits}"))
        before = held
    return found


def lines_of_accounts_are_kept(history: History) -> list[str]:
    """I9: who is passed by one that came later had his own room already.

    Several are admitted at the same moment, and their pods are made in any order.
    """
    found = []
    lives = {life[0].uid: life for life in history.objects(RUN)}
    account = Account()
    held: dict[str, int] = {}
    waiting: dict[str, Place] = {}
    for revision in history.revisions:
        before = held
        account.take(revision)
        held = account.held()
        for uid in (held.keys() - before.keys()) & lives.keys():
            passed = _passed_by(lives[uid], waiting, held)
            memory = sum(held.values()) + sum(_need(lives[other]) for other in passed)
            if passed and not account.allows(memory, len(held) + len(passed), revision.at):
                names = ", ".join(lives[other][0].name for other in passed)
                found.append(say("I9", revision, f"was admitted before {names}"))
        if revision.kind == RUN:
            waiting.pop(revision.uid, None)
            if _waits(revision) and not _was_refused(lives[revision.uid], revision):
                waiting[revision.uid] = _place_of(revision)
    return found


def _passed_by(life: Life, waiting: dict[str, Place], held: dict[str, int]) -> list[str]:
    """Those who wait, stand before a run by all that is known, and hold nothing yet."""
    if not waiting:
        return []
    made = str(life[0].object["metadata"]["creationTimestamp"])
    told = [_place_of(r) for r in life if "queuedAt" in status_of(r.object)]
    place = min(told, default=(_moment(made), life[0].uid))
    return [uid for uid, other in waiting.items() if other < place and uid not in held]


def _place_of(run: Revision) -> Place:
    return _moment(str(status_of(run.object)["queuedAt"])), run.uid


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def is_admitted(run: Revision) -> bool:
    """Whether a run holds memory by its status."""
    return not run.gone and phase_of(run) not in ENDED and is_true(run, "Admitted")


def memory_of_run(run: Object) -> int:
    """Memory of a run, by its status or else by its spec."""
    options = status_of(run).get("options") or {}
    return int(options.get("memoryMbytes") or run["spec"].get("memoryMbytes") or 0)


def memory_of_pod(pod: Object) -> int:
    """Memory of a pod, as its annotation has it."""
    text = (pod["metadata"].get("annotations") or {}).get(RESOLVED, "{}")
    return int(json.loads(text).get("memoryMbytes", 0))


def _need(life: Life) -> int:
    return max(memory_of_run(revision.object) for revision in life)


def _waits(run: Revision) -> bool:
    """Whether a run stands in the line of its account, and wants to go on."""
    unfinished = not is_deleted(run) and phase_of(run) == "READY"
    request: dict[str, Any] = run.object["spec"].get("abort") or {}
    aborted = request.get("attempt") == attempt_of(run)
    reason = condition(run.object, "Admitted").get("reason")
    return unfinished and not aborted and reason == WAITS and "queuedAt" in status_of(run.object)


def _was_refused(life: Life, until: Revision) -> bool:
    """Whether the API server has refused the run's pod: then others go first."""
    reasons = {
        condition(revision.object, "Admitted").get("reason")
        for revision in life
        if revision.number <= until.number
    }
    refusals = {"QuotaExceeded", "PodRejected", "AdmissionUnavailable", "NetworkPolicyRefused"}
    return bool(reasons & refusals)
