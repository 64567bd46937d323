"""Each invariant about pods and verdicts catches its violation in a hand-made history."""

from typing import Any

import pytest
from tests.support.history import ADDED, DELETED
from tests.support.invariants import violations
from tests.unit.support.histories import (
    DELETED_EARLIER,
    END,
    EVICTED,
    MIGRATED,
    NEXT_POD,
    POD_NAME,
    SECOND,
    START,
    Story,
    plain,
    resurrected,
    running,
    stopped,
)

ABORT = {"abort": {"attempt": 1, "mode": "Immediate"}}
"""Spec of a run that is to be aborted."""


BY_KUBELET = {
    "conditions": [
        {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "TerminationByKubelet",
            "lastTransitionTime": END,
        }
    ]
}
"""Status of a pod that its kubelet evicted: it tells of it after the container's end."""


def late_abort() -> Story:
    """An abort that is asked for and recorded after the container ended with 0."""
    story = running().pod("Succeeded", exitCode=0, reason="Completed")
    story.run("RUNNING", spec=ABORT, startedAt=START)
    story.run("ABORTING", spec=ABORT, startedAt=START, **stopped("AbortImmediate"))
    return story.secret(DELETED).end("ABORTED", spec=ABORT, **stopped("AbortImmediate"))


def early_timeout() -> Story:
    """A timeout of a run whose container had ended with 0 before its time was up."""
    times: dict[str, Any] = {"startedAt": START, "timeoutAt": END}
    story = running().pod("Succeeded", exitCode=0, reason="Completed", finishedAt=START)
    story.run("TIMING-OUT", **times, **stopped("Timeout")).secret(DELETED)
    return story.end("TIMED-OUT", timeoutAt=END, **stopped("Timeout"))


def forgotten_abort() -> Story:
    """An abort that is asked for, and lost."""
    story = running().run("RUNNING", spec=ABORT, startedAt=START)
    return story.secret(DELETED).end("FAILED", spec=ABORT, **started())


def started() -> dict[str, object]:
    """The part of a status that says that a container has run."""
    return {"conditions": [{"type": "Started", "status": "True", "lastTransitionTime": START}]}


BAD = {
    "two live pods": (
        running().run("RUNNING", startedAt=START, **MIGRATED).pod("Pending", ADDED, name=NEXT_POD),
        "I1",
        "2 live pods",
    ),
    "a pod of the next attempt beside the last one": (
        running()
        .secret(DELETED)
        .end("FAILED")
        .run("READY", attempt=2)
        .pod("Pending", ADDED, name=NEXT_POD, metadata={"labels": SECOND}),
        "I1",
        "2 live pods",
    ),
    "a pod that nothing accounts for": (
        running().pod("Running", DELETED).pod("Pending", ADDED, name=NEXT_POD),
        "I1",
        "2 pods were made, 1 are accounted for",
    ),
    "a pod that is made before it is accounted for": (
        running()
        .pod("Failed", exitCode=1)
        .pod("Pending", ADDED, name=NEXT_POD)
        .run("RUNNING", startedAt=START, **MIGRATED),
        "I1",
        "2 pods were made, 1 are accounted for",
    ),
    "a second pod of one name": (
        running().pod("Failed", DELETED, exitCode=1).pod("Pending", ADDED, uid="other"),
        "I1",
        "two pods had this name",
    ),
    "a pod that does not wait for one that vanished": (
        running()
        .pod("Running", DELETED)
        .run("RUNNING", startedAt=START, **MIGRATED)
        .pod("Pending", ADDED, name=NEXT_POD),
        "I1",
        f"after {POD_NAME} went away, not 30 s",
    ),
    "a success without an end": (
        running().end("SUCCEEDED", exitCode=0),
        "I6",
        "no container ended with 0",
    ),
    "a success after a stop": (
        running()
        .run("TIMING-OUT", startedAt=START, **stopped("Timeout"))
        .pod("Succeeded", exitCode=0)
        .end("SUCCEEDED", exitCode=0),
        "I6",
        "a stop was recorded before the end",
    ),
    "a success of a pod that was evicted": (
        running()
        .pod("Running", status=EVICTED)
        .pod("Succeeded", status=EVICTED, exitCode=0, reason="Completed")
        .end("SUCCEEDED", exitCode=0),
        "I6",
        "the pod was taken away before the end",
    ),
    "a success of a pod that its kubelet evicted": (
        running()
        .pod("Succeeded", status=BY_KUBELET, exitCode=0, reason="Completed", finishedAt=START)
        .end("SUCCEEDED", exitCode=0),
        "I6",
        "the pod was taken away before the end",
    ),
    "a success of a pod that was deleted before": (
        running()
        .pod("Running", metadata=DELETED_EARLIER)
        .pod("Succeeded", metadata=DELETED_EARLIER, exitCode=0, finishedAt="2026-01-01T12:00:01Z")
        .end("SUCCEEDED", exitCode=0),
        "I6",
        "the pod was taken away before the end",
    ),
    "a success of the pod before the last one": (
        running()
        .pod("Succeeded", exitCode=0, reason="Completed")
        .run("RUNNING", startedAt=START, **MIGRATED)
        .pod("Pending", ADDED, name=NEXT_POD)
        .pod("Failed", name=NEXT_POD, exitCode=1)
        .end("SUCCEEDED", exitCode=0, **MIGRATED),
        "I6",
        "no container ended with 0",
    ),
    "a failure in spite of exit code 0": (
        running().pod("Succeeded", exitCode=0, reason="Completed").end("FAILED", exitCode=0),
        "I7",
        "FAILED, but the container had ended with 0",
    ),
    "an abort that was asked for after the end": (
        late_abort(),
        "I7",
        "ABORTED, but the container had ended",
    ),
    "a timeout that is not over yet": (
        early_timeout(),
        "I7",
        "TIMED-OUT, but the container had ended",
    ),
    "an exit code that is not the container's": (
        running().pod("Failed", exitCode=3, reason="Error").end("FAILED", exitCode=4),
        "I8",
        "exit code 4, not 3",
    ),
    "an exit code of the pod before the last one": (
        running()
        .pod("Failed", exitCode=3, reason="Error")
        .run("RUNNING", startedAt=START, **MIGRATED)
        .pod("Pending", ADDED, name=NEXT_POD)
        .pod("Failed", name=NEXT_POD, exitCode=4, reason="Error")
        .end("FAILED", exitCode=3, **MIGRATED),
        "I8",
        "exit code 3, not 4",
    ),
    "a lack of memory that is not told": (
        running().pod("Failed", exitCode=137, reason="OOMKilled").end("FAILED", exitCode=137),
        "I8",
        "the container ended with OOMKilled",
    ),
    "an abort that is lost": (forgotten_abort(), "I10", "FAILED, but an abort was asked for"),
    "an old pod beside that of the next attempt": (
        plain()
        .run("READY", attempt=2)
        .pod("Pending", ADDED, name=NEXT_POD, metadata={"labels": SECOND}),
        "I13",
        f"made while {POD_NAME} was still there",
    ),
    "a pod that runs on after the end": (
        running().secret(DELETED).end("FAILED"),
        "I20",
        f"has ended, and pod {POD_NAME} may still run",
    ),
    "a pod that runs on after the end of a later attempt": (
        resurrected()
        .pod("Running", name=NEXT_POD, metadata={"labels": SECOND})
        .end("FAILED", attempt=2),
        "I20",
        f"has ended, and pod {NEXT_POD} may still run",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_caught_is(name: str) -> None:
    story, number, words = BAD[name]

    found = [one for one in violations(story.history) if one.startswith(f"{number} ")]

    assert any(words in one for one in found), violations(story.history)
