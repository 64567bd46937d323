"""The judge tells each violation once, and lets a test excuse what it breaks on purpose."""

from pathlib import Path
from typing import cast

import pytest
from tests.support.history import History
from tests.support.judge import Judge
from tests.support.recorder import Recorder
from tests.unit.support.histories import Story, plain, running

BROKEN = running().end("SUCCEEDED", exitCode=0)
"""A story that breaks I6: no container has ended."""


class Recorded:
    """Stands in for a recorder."""

    path = Path("history.jsonl")

    def __init__(self) -> None:
        self.story = Story()

    def __len__(self) -> int:
        return len(self.story.history)

    def namespaces(self, since: int) -> set[str]:
        return {revision.namespace for revision in self.story.history.revisions[since:]}

    def settle(self, namespace: str) -> None:
        """It has heard of everything."""

    def history(self, namespace: str) -> History:
        return self.story.history.of(namespace)


class Item:
    """Stands in for a test with markers."""

    def __init__(self, *numbers: str) -> None:
        self._markers = [pytest.mark.breaks(number, "on purpose").mark for number in numbers]

    def iter_markers(self, name: str) -> list[pytest.Mark]:
        return [marker for marker in self._markers if marker.name == name]


@pytest.fixture
def recorded() -> Recorded:
    """An empty recording."""
    return Recorded()


@pytest.fixture
def judge(recorded: Recorded) -> Judge:
    """A judge that begins with it."""
    return Judge(cast("Recorder", recorded))


def item(*numbers: str) -> pytest.Item:
    """A test that excuses invariants of these numbers."""
    return cast("pytest.Item", Item(*numbers))


def test_a_good_history_passes(recorded: Recorded, judge: Judge) -> None:
    recorded.story = plain()

    judge.judge(item())


def test_a_bad_one_fails_and_says_where_it_is(recorded: Recorded, judge: Judge) -> None:
    recorded.story = BROKEN

    with pytest.raises(AssertionError) as raised:
        judge.judge(item())

    assert "I6 ActorRun hello" in str(raised.value)
    assert "tests.support.recheck history.jsonl" in str(raised.value)


def test_what_a_test_breaks_on_purpose_is_excused(recorded: Recorded, judge: Judge) -> None:
    recorded.story = BROKEN

    judge.judge(item("I6", "I20"))


def test_an_excuse_is_for_one_invariant_only(recorded: Recorded, judge: Judge) -> None:
    recorded.story = BROKEN

    with pytest.raises(AssertionError, match="I6"):
        judge.judge(item("I20"))


def test_a_violation_is_told_of_one_test_only(recorded: Recorded, judge: Judge) -> None:
    recorded.story = BROKEN
    with pytest.raises(AssertionError):
        judge.judge(item())
    recorded.story.event("later", "Any")

    judge.judge(item())


def test_what_was_recorded_before_the_judge_came_is_not_judged(recorded: Recorded) -> None:
    recorded.story = BROKEN

    Judge(cast("Recorder", recorded)).judge(item())
