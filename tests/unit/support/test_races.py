"""Which verdicts the order of revisions allows when an abort meets an end."""

import pytest
from tests.support.attempts import attempts
from tests.support.races import ABORT_FIRST, END_FIRST, MET, expected
from tests.unit.support.histories import START, Story, running, stopped

ASK = {"abort": {"attempt": 1, "mode": "Immediate"}}


def asked(story: Story) -> Story:
    """A user asks for an abort."""
    return story.run("RUNNING", spec=ASK, startedAt=START)


def told(story: Story) -> Story:
    """The operator commits to it."""
    return story.run("ABORTING", spec=ASK, startedAt=START, **stopped("AbortImmediate"))


def ended(story: Story) -> Story:
    """The container ends by itself."""
    return story.pod("Succeeded", exitCode=0, reason="Completed")


ORDERS = {
    "no request": (ended(running()), {"SUCCEEDED"}, END_FIRST),
    "the end, then the request": (asked(ended(running())), {"SUCCEEDED"}, END_FIRST),
    "the end between request and answer": (
        told(ended(asked(running()))),
        {"SUCCEEDED", "ABORTED"},
        MET,
    ),
    "the answer, then the end": (ended(told(asked(running()))), {"ABORTED"}, ABORT_FIRST),
    "no end": (told(asked(running())), {"ABORTED"}, ABORT_FIRST),
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_decides(order: str) -> None:
    story, verdicts, first = ORDERS[order]

    (attempt,) = attempts(story.history)

    assert expected(attempt, "SUCCEEDED") == (verdicts, first)
