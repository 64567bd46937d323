"""Invariants of the pods of a run: never two at a time, and each of them accounted for."""

import itertools
from collections.abc import Iterator

from tests.support.attempts import attempt_of, pod_attempt, say
from tests.support.history import (
    POD,
    RUN,
    History,
    Life,
    Object,
    Revision,
    condition,
    has_started,
    is_live,
    status_of,
    terminated,
)

REPLACEMENTS = ("migrationCount", "restartCount", "rebootCount")
"""Counters of ``status.stats`` that rise by one before a pod is replaced."""

DEFAULT_GRACE_SECONDS = 30
"""Grace of a pod that does not say it."""

HEARD_SECONDS = 2.0
"""By how much two moments may be heard of nearer to each other than they were."""


def one_pod_at_a_time(history: History) -> list[str]:
    """I1: at each revision of any pod a run has at most one of which something may run."""
    found = []
    for run in history.objects(RUN):
        live: set[str] = set()
        for revision in _in_order(history.children(POD, run[0].uid)):
            if revision.gone or not is_live(revision.object):
                live.discard(revision.uid)
            else:
                live.add(revision.uid)
            if len(live) > 1:
                found.append(say("I1", revision, f"{len(live)} live pods of one run"))
    return found


def pods_are_accounted_for(history: History) -> list[str]:
    """I1: the n-th pod is made when attempts and counters allow n, and no name is used twice."""
    found = []
    for run in history.objects(RUN):
        pods = history.children(POD, run[0].uid)
        names = [life[0].name for life in pods]
        found += [
            say("I1", life[0], "two pods had this name")
            for number, life in enumerate(pods)
            if life[0].name in names[:number]
        ]
        for count, life in enumerate(pods, start=1):
            allowed = _pods_allowed(run, life[0])
            if count > allowed:
                text = f"{count} pods were made, {allowed} are accounted for"
                found.append(say("I1", life[0], text))
    return found


def _pods_allowed(run: Life, at: Revision) -> int:
    """How many pods a run may have had at a revision: it is committed before the pod is made."""
    earlier = [revision for revision in run if revision.number < at.number]
    status = status_of((earlier or run)[-1 if earlier else 0].object)
    stats = status.get("stats") or {}
    return int(status.get("attempt", 1) + sum(stats.get(name, 0) for name in REPLACEMENTS))


def the_next_pod_waits(history: History) -> list[str]:
    """I1: after a pod that went away unseen to end, its grace passes before the next is made.

    Its container may run on for so long after the object was removed by force.
    """
    found = []
    for run in history.objects(RUN):
        for before, after in itertools.pairwise(history.children(POD, run[0].uid)):
            last = before[-1]
            if not last.gone or not is_live(last.object) or not has_started(last.object):
                continue
            waited, grace = after[0].at - last.at, _grace(last.object)
            if waited < grace - HEARD_SECONDS:
                text = f"made {waited:.0f} s after {last.name} went away, not {grace} s"
                found.append(say("I1", after[0], text))
    return found


def _grace(pod: Object) -> int:
    return int(pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS))


def old_pods_are_gone(history: History) -> list[str]:
    """I13: the pods of earlier attempts, and their logs, are gone before the next one's is made."""
    found = []
    for run in history.objects(RUN):
        pods = history.children(POD, run[0].uid)
        for older, newer in itertools.combinations(pods, 2):
            if pod_attempt(older) == pod_attempt(newer):
                continue
            left = older[-1]
            if not left.gone or left.number > newer[0].number:
                found.append(say("I13", newer[0], f"made while {left.name} was still there"))
    return found


def nothing_runs_after_the_end(history: History) -> list[str]:
    """I20: a run that has ended and is cleaned up has no pod of which something may run."""
    found = []
    for run in history.objects(RUN):
        pods = history.children(POD, run[0].uid)
        for revision in _clean_ends(run):
            live = [pod[0].name for pod in pods if _live_at(pod, revision)]
            if live:
                found.append(say("I20", revision, f"has ended, and pod {live[0]} may still run"))
    return found


def _clean_ends(run: Life) -> Iterator[Revision]:
    """For each attempt, the first revision in which it has ended and nothing is left of it."""
    told: set[int] = set()
    for revision in run:
        status, attempt = status_of(revision.object), attempt_of(revision)
        if status.get("finished") and not status.get("cleanup") and attempt not in told:
            told.add(attempt)
            yield revision


def _live_at(pod: Life, moment: Revision) -> bool:
    """Whether something of a pod may run at a revision."""
    before = [revision for revision in pod if revision.number < moment.number]
    return bool(before) and not before[-1].gone and is_live(before[-1].object)


def disrupted_before_its_end(pod: Life) -> bool:
    """Whether a pod was told to go before its container ended by itself."""
    for revision in pod:
        disrupted = condition(revision.object, "DisruptionTarget").get("status") == "True"
        if disrupted or "deletionTimestamp" in revision.object["metadata"]:
            return True
        if terminated(revision.object):
            return False
    return False


def _in_order(lives: list[Life]) -> Life:
    return sorted((r for life in lives for r in life), key=lambda revision: revision.number)
