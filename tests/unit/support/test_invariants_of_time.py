"""Each invariant with a limit in time catches its violation in a hand-made history."""

import pytest
from tests.support.history import ADDED, DELETED, NAMESPACE, History
from tests.support.invariants import violations
from tests.unit.support.histories import START, TIMED, Story, plain, running

LIMIT = {"activeDeadlineSeconds": 5}
"""Spec of a pod that a kubelet stops five seconds after its start."""

STARTED = {"startTime": "1970-01-01T00:00:01Z"}
"""Status of a pod that started when a story's clock said 1."""

DELETION = {"deletionTimestamp": START}
"""Metadata of an object that is being deleted."""

ABORT = {"abort": {"attempt": 1, "mode": "Graceful"}}
"""Spec of a run that is to be aborted."""


def child_of_a_deleted_run() -> Story:
    """A Secret that is made long after its run was deleted."""
    return Story().run("READY").delete_run().wait(60).secret(ADDED)


def namespace(story: Story, change: str, **metadata: str) -> Story:
    """The namespace is written."""
    body = {"metadata": {"name": "team", **metadata}}
    return story.tell(NAMESPACE, change, "namespace-uid", body)


BAD = {
    "a child of a deleted run": (child_of_a_deleted_run(), "I12", "after its run was deleted"),
    "a child that outlives its run": (
        running().delete_run().wait(90).pod("Running", DELETED),
        "I12",
        "is there a minute after its run has gone",
    ),
    "a run that is removed before its time": (
        Story()
        .run("READY", spec={"ttlSecondsAfterFinished": 60})
        .run(
            "FAILED",
            spec={"ttlSecondsAfterFinished": 60},
            finished=True,
            finishedAt="1970-01-01T00:00:02Z",
        )
        .wait(10)
        .delete_run(),
        "I14",
        "removed 49 s too early",
    ),
    "a run that goes on after its timeout": (
        running(**TIMED).wait(120).pod("Running"),
        "I16",
        "goes on after its timeout at 1970-01-01T00:00:10Z",
    ),
    "a run that waits in silence": (
        Story().run("READY").wait(150).event("any", "Any"),
        "I16",
        "waits, and does not say for what",
    ),
    "a pod that outlives its deadline": (
        running().pod("Running", spec=LIMIT, status=STARTED).wait(90).pod("Running", spec=LIMIT),
        "I18",
        "is alive a minute after its deadline",
    ),
    "an abort that takes too long": (
        running().run("RUNNING", spec=ABORT, startedAt=START).wait(120).pod("Running"),
        "I19",
        "goes on long after it was asked to abort",
    ),
    "a run that is deleted and stays": (
        plain().run("READY", attempt=2, metadata=DELETION).wait(120).event("any", "Any"),
        "I21",
        "is deleted and does not go",
    ),
    "a namespace that is deleted and stays": (
        namespace(namespace(Story(), ADDED), "MODIFIED", **DELETION).wait(120).event("any", "Any"),
        "I21",
        "is deleted and does not go",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_caught_is(name: str) -> None:
    story, number, words = BAD[name]

    found = [one for one in violations(story.history) if one.startswith(f"{number} ")]

    assert any(words in one for one in found), violations(story.history)


def test_silence_counts_until_the_recording_ended() -> None:
    revisions = running(**TIMED).history.revisions

    assert violations(History(revisions, until=50)) == []
    assert violations(History(revisions, until=150)) != []
