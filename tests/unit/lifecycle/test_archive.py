"""How long a finished run waits for its log to be archived, and what is told of it."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from tests.support.builders import a_run, a_status, at

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import FinishedRun, RunView, stub
from actor_operator.constants import ANNOTATION_ARCHIVED
from actor_operator.lifecycle.archive import holds, next_look, with_archived

END = at(10)
"""When the run has ended."""

MINUTES = timedelta(minutes=1)


def finished(*, archived: bool = False) -> RunView:
    annotations = {ANNOTATION_ARCHIVED: "1"} if archived else {}
    return a_run(annotations=annotations, status=a_status(started=2, end=Phase.SUCCEEDED))


def kept(run: RunView) -> FinishedRun:
    found = stub(run)
    assert isinstance(found, FinishedRun)
    return found


def pending() -> FinishedRun:
    run = finished()
    return kept(replace(run, status=with_archived(run, at(400))))


@pytest.mark.parametrize(("after", "stays"), [(0, True), (24 * 60 - 1, True), (24 * 60, False)])
def test_a_run_stays_a_day_for_its_archive(after: int, *, stays: bool) -> None:
    assert holds(kept(finished()), END + after * MINUTES) is stays


def test_a_run_that_is_archived_need_not_stay() -> None:
    assert holds(kept(finished(archived=True)), END) is False


@pytest.mark.parametrize(
    ("run", "after", "looked"),
    [
        (kept(finished()), 0, END + 5 * MINUTES),
        (pending(), 10, END + 24 * 60 * MINUTES),
        (kept(finished()), 24 * 60, None),
        (kept(finished(archived=True)), 1, None),
    ],
    ids=["to tell", "to give up", "given up", "done"],
)
def test_it_is_looked_at_again(run: FinishedRun, after: int, looked: datetime | None) -> None:
    assert next_look(run, END + after * MINUTES) == looked


def test_an_archive_that_was_told_to_be_late_is_told_at_once() -> None:
    late = finished()
    run = finished(archived=True)
    run = replace(run, status=with_archived(late, at(400)))
    now = END + 7 * MINUTES

    assert next_look(kept(run), now) == now
    (told,) = [c for c in with_archived(run, now).conditions if c.type == ConditionType.ARCHIVED]
    assert (told.status, told.reason) == ("True", Reason.ARCHIVED)
    assert told.message == "The log is archived."
