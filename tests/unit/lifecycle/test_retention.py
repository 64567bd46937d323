"""When finished runs go: the order of an account, and what a run says of itself."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.builders import a_pod, a_run, at

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.account import Retention
from actor_operator.api.views.run import FinishedRun, RunStatus, RunView
from actor_operator.lifecycle.retention import (
    Shelf,
    Terms,
    is_marked,
    may_remove,
    remove_pods,
    terms_of,
)
from actor_operator.settings_groups import GITOPS_MARKERS, RetentionSettings

HOUR = Terms(timedelta(hours=1), keep_last=0)


def a_stub(number: int, end: float, ttl: int | None = None) -> FinishedRun:
    """A finished run that ended so many seconds after its creation."""
    name = f"run-{number}"
    return FinishedRun("team", name, f"uid-{number:04}", "7", Phase.SUCCEEDED, at(end), ttl)


def a_shelf(*runs: FinishedRun) -> Shelf:
    shelf = Shelf()
    for run in runs:
        shelf.put(run)
    return shelf


def names(shelf: Shelf, terms: Terms, now: datetime) -> list[str]:
    return [run.name for run in shelf.plan(terms, now).due]


# What holds in an account


def test_without_an_account_the_installations_terms_hold() -> None:
    settings = RetentionSettings(ttl_seconds_after_finished=60, keep_last=3)

    assert terms_of(None, settings) == Terms(timedelta(seconds=60), 3)


@pytest.mark.parametrize(
    ("account", "terms"),
    [
        (Retention(), Terms(timedelta(seconds=60), 3)),
        (Retention(ttl_seconds_after_finished=0), Terms(timedelta(0), 3)),
        (Retention(keep_last=0), Terms(timedelta(seconds=60), 0)),
        (Retention(ttl_seconds_after_finished=5, keep_last=1), Terms(timedelta(seconds=5), 1)),
    ],
)
def test_an_account_says_otherwise_in_what_it_says(account: Retention, terms: Terms) -> None:
    settings = RetentionSettings(ttl_seconds_after_finished=60, keep_last=3)

    assert terms_of(account, settings) == terms


# The order of an account


def test_a_run_is_due_when_its_time_is_over_and_not_a_moment_before() -> None:
    shelf = a_shelf(a_stub(1, 0))

    assert shelf.plan(HOUR, at(3599.9)).due == ()
    assert shelf.plan(HOUR, at(3599.9)).next_at == at(3600)
    assert names(shelf, HOUR, at(3600)) == ["run-1"]
    assert shelf.plan(HOUR, at(3600)).next_at is None


def test_a_time_of_its_own_holds_before_that_of_the_account() -> None:
    shelf = a_shelf(a_stub(1, 0, ttl=10), a_stub(2, 0, ttl=7200))

    assert names(shelf, HOUR, at(10)) == ["run-1"]
    assert names(shelf, HOUR, at(3600)) == ["run-1"]
    assert shelf.plan(HOUR, at(3600)).next_at == at(7200)


def test_the_newest_stay_whatever_their_age() -> None:
    shelf = a_shelf(*(a_stub(number, number) for number in range(5)))
    terms = Terms(timedelta(hours=1), keep_last=2)

    assert names(shelf, terms, at(10**9)) == ["run-0", "run-1", "run-2"]
    assert shelf.plan(terms, at(10**9)).next_at is None


def test_a_newer_run_pushes_an_older_one_out() -> None:
    shelf = a_shelf(a_stub(1, 0))
    terms = Terms(timedelta(hours=1), keep_last=1)
    assert names(shelf, terms, at(9000)) == []

    shelf.put(a_stub(2, 9000))

    assert names(shelf, terms, at(9000)) == ["run-1"]


def test_runs_with_a_time_of_their_own_do_not_count_as_the_newest() -> None:
    """Else many short-lived ones would push out the others, and then go themselves."""
    shelf = a_shelf(a_stub(1, 0), a_stub(2, 100, ttl=50))
    terms = Terms(timedelta(hours=1), keep_last=1)

    assert names(shelf, terms, at(9000)) == ["run-2"]


def test_of_runs_that_ended_in_the_same_second_always_the_same_stay() -> None:
    runs = [a_stub(number, 0) for number in range(4)]
    terms = Terms(timedelta(0), keep_last=2)

    assert names(a_shelf(*runs), terms, at(1)) == names(a_shelf(*reversed(runs)), terms, at(1))


def test_a_run_whose_end_is_unknown_is_never_due() -> None:
    run = replace(a_stub(1, 0), finished_at=None)
    shelf = a_shelf(run)

    assert len(shelf) == 0
    assert not shelf.is_due(run, HOUR, at(10**9))
    shelf.take(run)


def test_the_longest_time_to_live_can_be_reckoned_with() -> None:
    ever = 2_147_483_647
    shelf = a_shelf(a_stub(1, 0), a_stub(2, 0, ttl=ever))
    terms = Terms(timedelta(seconds=ever), keep_last=0)

    assert shelf.plan(terms, at(10**9)).due == ()
    assert shelf.plan(terms, at(10**9)).next_at == at(ever)


RUNS = st.lists(st.tuples(st.integers(0, 60), st.none() | st.integers(0, 40)), max_size=30).map(
    lambda ends: [a_stub(n, end, ttl) for n, (end, ttl) in enumerate(ends)]
)


@given(runs=RUNS, taken=st.sets(st.integers(0, 29)), ttl=st.integers(0, 60), now=st.integers(0, 99))
@pytest.mark.parametrize("keep_last", [0, 1, 5])
def test_the_shelf_says_what_sorting_all_runs_would_say(
    runs: list[FinishedRun], taken: set[int], ttl: int, now: int, keep_last: int
) -> None:
    terms, moment = Terms(timedelta(seconds=ttl), keep_last), at(now)
    shelf = a_shelf(*runs)
    left = [run for number, run in enumerate(runs) if number not in taken]
    for number in taken & set(range(len(runs))):
        shelf.take(runs[number])

    due, coming = by_sorting(left, terms, moment)

    plan = shelf.plan(terms, moment)
    assert {run.uid for run in plan.due} == due
    assert plan.next_at == coming
    assert {run.uid for run in left if shelf.is_due(run, terms, moment)} == due
    assert len(shelf) == len(left)


def by_sorting(
    runs: list[FinishedRun], terms: Terms, now: datetime
) -> tuple[set[str], datetime | None]:
    """What is due, and when the next one will be: the rule as it is written down."""
    plain = [run for run in runs if run.ttl_seconds_after_finished is None]
    plain.sort(key=lambda run: (run.finished_at, run.uid), reverse=True)
    ends = {run.uid: end(run, terms.ttl) for run in plain[terms.keep_last :]}
    for run in runs:
        if run.ttl_seconds_after_finished is not None:
            ends[run.uid] = end(run, timedelta(seconds=run.ttl_seconds_after_finished))
    due = {uid for uid, moment in ends.items() if moment <= now}
    return due, min((moment for moment in ends.values() if moment > now), default=None)


def end(run: FinishedRun, ttl: timedelta) -> datetime:
    assert run.finished_at is not None
    return run.finished_at + ttl


# What a run says of itself


def a_finished_run(end: float = 0, labels: dict[str, str] | None = None, **fields: Any) -> RunView:
    status = RunStatus(
        phase=Phase.FAILED, finished=True, finished_at=at(end), observed_generation=1
    )
    run = a_run(status=status, **fields)
    return replace(run, metadata=replace(run.metadata, labels=labels or {}))


def allowed(run: RunView, now: float = 3600) -> bool:
    return may_remove(run, HOUR, at(now), GITOPS_MARKERS)


def test_a_run_is_removed_after_its_time_only() -> None:
    assert allowed(a_finished_run())
    assert not allowed(a_finished_run(), now=3599)
    assert allowed(a_finished_run(ttl_seconds_after_finished=5), now=5)
    assert not allowed(a_finished_run(ttl_seconds_after_finished=9000))


def test_a_run_that_is_going_already_is_left_alone() -> None:
    run = a_finished_run()

    assert not allowed(replace(run, metadata=replace(run.metadata, deletion_timestamp=at(9))))


@pytest.mark.parametrize(
    "status",
    [
        {"finished": False, "phase": Phase.RUNNING},
        {"cleanup": ("NodeUnreachable",)},
        {"observed_generation": 0},
        {"finished_at": None},
    ],
    ids=["lives again", "is not cleaned up", "was asked for something", "ended at no time"],
)
def test_a_run_is_not_removed_that(status: dict[str, object]) -> None:
    run = a_finished_run()

    assert not allowed(replace(run, status=replace(run.status, **status)), now=10**6)


def test_a_run_that_a_gitops_tool_owns_stays_unless_it_has_a_time_of_its_own() -> None:
    flux = {"kustomize.toolkit.fluxcd.io/name": "apps"}

    assert not allowed(a_finished_run(labels=flux), now=10**6)
    assert allowed(a_finished_run(labels=flux, ttl_seconds_after_finished=5), now=5)


@pytest.mark.parametrize(
    ("labels", "annotations", "marked"),
    [
        ({}, {}, False),
        ({"app.kubernetes.io/managed-by": "Helm"}, {}, True),
        ({"app.kubernetes.io/managed-by": "kustomize"}, {}, False),
        ({}, {"argocd.argoproj.io/tracking-id": "apps:g/ActorRun:team/hello"}, True),
        ({"helm.toolkit.fluxcd.io/name": "x"}, {}, True),
        ({}, {"kubectl.kubernetes.io/last-applied-configuration": "{}"}, False),
    ],
)
def test_an_owner_is_known_by_its_marks(
    labels: dict[str, str], annotations: dict[str, str], *, marked: bool
) -> None:
    metadata = replace(a_run().metadata, labels=labels, annotations=annotations)

    assert is_marked(metadata, GITOPS_MARKERS) is marked


# Pods


def test_pods_are_removed_that_very_ones_and_only_once() -> None:
    pod = a_pod()
    going = replace(pod, metadata=replace(pod.metadata, name="other", deletion_timestamp=at(0)))

    (removal,) = remove_pods([pod, going])

    assert (removal.name, removal.uid) == (pod.name, pod.uid)
