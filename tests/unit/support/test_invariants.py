"""Each invariant catches its violation in a hand-made history, and lets a good one pass."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.history import ADDED, DELETED, History
from tests.support.invariants import violations
from tests.unit.support.histories import (
    DELETED_LATER,
    START,
    TIMED,
    Story,
    migrated,
    plain,
    resurrected,
    running,
    stopped,
)


def aborted() -> Story:
    """A run that is aborted while it runs."""
    story = running().run("ABORTING", startedAt=START, **stopped("AbortImmediate"))
    story.secret(DELETED).pod("Running", DELETED)
    return story.end("ABORTED", **stopped("AbortImmediate"))


def ready_with_condition(status: str, since: str, **more: str) -> dict[str, Any]:
    """A condition of a status."""
    condition = {"type": "Admitted", "status": status, "lastTransitionTime": since, **more}
    return {"conditions": [condition]}


ABORT = {"abort": {"attempt": 1, "mode": "Immediate"}}
"""Spec of a run that is to be aborted."""

GOOD = {
    "a run that succeeds": plain(),
    "a run that is aborted": aborted(),
    "a run that fails": running()
    .pod("Failed", exitCode=3, reason="Error")
    .secret(DELETED)
    .end("FAILED", exitCode=3, failure={"reason": "ContainerFailed"}),
    "a run that never starts": Story().run("READY").run("FAILED", finished=True, finishedAt=START),
    "a second attempt": resurrected(),
    "a pod that is replaced": migrated(),
    "an end that is told after the pod was deleted": running()
    .pod("Running", metadata=DELETED_LATER, exitCode=0, reason="Completed", finishedAt=START)
    .secret(DELETED)
    .end("SUCCEEDED", exitCode=0),
    "a timeout at which the actor ends well": running(**TIMED)
    .pod("Running", exitCode=0, reason="Completed")
    .pod("Failed", status={"reason": "DeadlineExceeded"}, exitCode=0, reason="Completed")
    .wait(5)
    .run("TIMING-OUT", startedAt=START, **stopped("Timeout"))
    .secret(DELETED)
    .end("TIMED-OUT", exitCode=0, **stopped("Timeout")),
    "a run that is deleted": running().delete_run().pod("Running", DELETED),
    "an abort that crosses the end": running()
    .run("RUNNING", spec=ABORT, startedAt=START)
    .pod("Succeeded", exitCode=0, reason="Completed")
    .run("ABORTING", spec=ABORT, startedAt=START, **stopped("AbortImmediate"))
    .secret(DELETED)
    .end("ABORTED", spec=ABORT, **stopped("AbortImmediate")),
}


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_wrong_with(name: str) -> None:
    assert violations(GOOD[name].history) == []


def child_of_a_deleted_run() -> Story:
    """A Secret that is made long after its run was deleted."""
    story = Story().run("READY").delete_run()
    story.clock += 60
    return story.secret(ADDED)


def many_writes(count: int, pause: float) -> Story:
    """A run whose status is written again and again."""
    story = Story().run("READY")
    for number in range(count):
        story.clock += pause - 1
        story.run("READY", nodeName=str(number))
    return story


BAD = {
    "a Secret without an owner": (
        Story().run("READY").secret(ADDED, ownerReferences=[]),
        "I2",
        "no run controls it",
    ),
    "a Secret with a name of its own": (
        Story().run("READY").secret(ADDED, name="mine"),
        "I2",
        "is not named after run hello",
    ),
    "a step that is left out": (
        Story().run("READY").run("SUCCEEDED", finished=True, finishedAt=START),
        "I3",
        "step from READY to SUCCEEDED",
    ),
    "a verdict that changes": (
        plain().end("SUCCEEDED", exitCode=1),
        "I4",
        "exitCode changed after the end",
    ),
    "an attempt that begins before the last has ended": (
        running().run("READY", attempt=2),
        "I4",
        "attempt goes up by 1 from RUNNING",
    ),
    "a counter that falls": (
        Story().run("READY", migrations=1).run("READY", migrations=0),
        "I5",
        "migrations fell",
    ),
    "a start that moves": (
        running().run("RUNNING", startedAt="2026-01-01T12:00:05Z"),
        "I5",
        "startedAt changed",
    ),
    "an end without its time": (
        running().run("FAILED", startedAt=START, finished=True),
        "I5",
        "FAILED with finishedAt None",
    ),
    "an end before the start": (
        running().end("FAILED", finishedAt="2026-01-01T11:00:00Z"),
        "I5",
        "before it started",
    ),
    "a child of a deleted run": (child_of_a_deleted_run(), "I12", "after its run was deleted"),
    "a spec that changes": (
        Story().run("READY").run("READY", spec={"memoryMbytes": 256}),
        "I15",
        "the spec changed",
    ),
    "an image that moves": (
        Story().run("READY", image="a@sha256:1").run("READY", image="a@sha256:2"),
        "I15",
        "the image changed",
    ),
    "a Secret that is left": (
        running().pod("Succeeded", exitCode=0).end("SUCCEEDED", exitCode=0),
        "I20",
        "Secret hello-abcd-1-abcdefghijklmnop is there",
    ),
    "more than three migrations": (
        Story().run("READY", migrations=4),
        "I5",
        "4 migrations",
    ),
    "a counter of the whole run that falls": (
        Story().run("READY", stats={"migrationCount": 1}).run("READY", stats={}),
        "I5",
        "migrationCount fell",
    ),
    "a storage that is another": (
        Story().run("READY", defaultDatasetId="a").run("READY", defaultDatasetId="b"),
        "I13",
        "defaultDatasetId changed",
    ),
    "many writes": (many_writes(41, 10.0), "I22", "41 status writes"),
    "many writes at once": (many_writes(30, 0.1), "I22", "25 status writes within 5 s"),
    "a time that moves without a flip": (
        Story()
        .run("READY", **ready_with_condition("False", "2026-01-01T12:00:00Z"))
        .run("READY", **ready_with_condition("False", "2026-01-01T12:00:01Z")),
        "I22",
        "Admitted moved its time without a flip",
    ),
    "a write without news": (
        Story()
        .run("READY", **ready_with_condition("False", START, message="one"))
        .run("READY", **ready_with_condition("False", START, message="two")),
        "I22",
        "says nothing new",
    ),
    "an Event that is repeated": (
        running().event("first", "Disrupted").event("second", "Disrupted"),
        "I22",
        "Disrupted was told twice in a minute",
    ),
    "a large status": (Story().run("READY", nodeName="x" * 40_000), "I26", "too large"),
    "a long message": (
        Story().run("READY", failure={"message": "x" * 1025}),
        "I26",
        "a message is too long",
    ),
    "many conditions": (
        Story().run(
            "READY",
            conditions=[{"type": f"T{n}", "status": "True"} for n in range(10)],
        ),
        "I26",
        "10 conditions",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_caught_is(name: str) -> None:
    story, number, words = BAD[name]

    found = [one for one in violations(story.history) if one.startswith(f"{number} ")]

    assert any(words in one for one in found), violations(story.history)


def test_a_history_is_the_same_after_it_was_written_and_read(tmp_path: Path) -> None:
    plain().history.write(tmp_path / "history.jsonl")

    read = History.read(tmp_path / "history.jsonl")

    assert read.revisions == plain().history.revisions
    assert read.phases("hello") == ["READY", "RUNNING", "SUCCEEDED"]


def test_revisions_are_sorted_by_their_number() -> None:
    revisions = plain().history.revisions

    assert History(reversed(revisions)).revisions == revisions
