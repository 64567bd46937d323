"""Invariants of a run together with what it owns: whose it is, and that nothing stays."""

import re

from tests.support.attempts import ENDED, is_deleted, phase_of, say
from tests.support.history import (
    ADDED,
    HTTP_ROUTE,
    INGRESS,
    POD,
    RUN,
    SECRET,
    SERVICE,
    History,
    Revision,
    controller_uid,
    status_of,
)

RUN_UID = "actor-operator.dev/run-uid"

CHILDREN = (
    (POD, "-[0-9]+"),
    (SECRET, "-[0-9]+-[a-z2-7]{16}"),
    (SERVICE, ""),
    (INGRESS, ""),
    (HTTP_ROUTE, ""),
)
"""Kinds that a run owns, and how their names go on."""

CHILD_NAME = r"{run}-[a-z2-7]{{4}}{end}"
"""How the name of each begins."""

SEEN_SECONDS = 2.0
"""How long after a commit a busy operator may not know of it yet."""

COLLECTED_SECONDS = 60.0
"""How long after its owner the garbage collector may leave a child."""


def owners_are_right(history: History) -> list[str]:
    """I2: each child is controlled by a run of its namespace, and named after it."""
    runs = {life[0].uid: life[0] for life in history.objects(RUN)}
    found = []
    for kind, end in CHILDREN:
        for life in history.objects(kind):
            child = life[0]
            owner = runs.get(controller_uid(child.object))
            if owner is None or child.object["metadata"]["labels"].get(RUN_UID) != owner.uid:
                found.append(say("I2", child, "no run controls it"))
            elif not re.fullmatch(
                CHILD_NAME.format(run=re.escape(owner.name), end=end), child.name
            ):
                found.append(say("I2", child, f"is not named after run {owner.name}"))
    return found


def no_child_after_deletion(history: History) -> list[str]:
    """I12: nothing is made for a run that is being, or was, deleted."""
    found = []
    for kind, _ in CHILDREN:
        for run in history.objects(RUN):
            deleted = next((r for r in run if is_deleted(r)), None)
            made = [life[0] for life in history.children(kind, run[0].uid)]
            late = [first for first in made if deleted and _is_made_after(first, deleted)]
            found += [say("I12", first, "made after its run was deleted") for first in late]
    return found


def _is_made_after(child: Revision, deleted: Revision) -> bool:
    return child.change == ADDED and child.at > deleted.at + SEEN_SECONDS


def children_go_with_their_run(history: History) -> list[str]:
    """I12: a minute after a run is gone, nothing of it is left."""
    found = []
    for run in history.objects(RUN):
        if not run[-1].gone:
            continue
        limit = run[-1].at + COLLECTED_SECONDS
        for kind, _ in CHILDREN:
            for life in history.children(kind, run[0].uid):
                until = life[-1].at if life[-1].gone else history.ended_at
                if until > limit:
                    found.append(say("I12", life[0], "is there a minute after its run has gone"))
    return found


def no_secret_of_a_finished_run(history: History) -> list[str]:
    """I20: at the end of the history no run that has ended, and is cleaned up, has a Secret."""
    found = []
    for life in history.objects(RUN):
        last = life[-1]
        if phase_of(last) not in ENDED or status_of(last.object).get("cleanup"):
            continue
        left = [s for s in history.children(SECRET, last.uid) if not s[-1].gone]
        if left and not last.gone:
            found.append(say("I20", last, f"has ended, and Secret {left[0][0].name} is there"))
    return found
