"""What holds for an account, and what is told of it."""

import pytest
from msgspec.structs import replace
from tests.support.builders import a_pod, a_run, a_status, at

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.account import AccountSpec, AccountView
from actor_operator.api.views.metadata import Condition, Metadata
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import Options
from actor_operator.constants import ANNOTATION_RESOLVED, LABEL_ATTEMPT
from actor_operator.lifecycle.account import (
    committed_memory,
    limits_of,
    memory_of_pod,
    never_fits,
    rejected,
    status_of,
    waits,
)
from actor_operator.lifecycle.memory import Ledger, Limits, Shortage
from actor_operator.settings_groups import AccountSettings

INSTALLATION = AccountSettings(memory_limit_mbytes=4096, max_concurrent_runs=10)


def an_account(**spec: int | bool) -> AccountView:
    metadata = Metadata(name="team", generation=3, resource_version="1")
    return AccountView(metadata=metadata, spec=AccountSpec(**spec))  # type: ignore[arg-type]


def options(memory: int) -> Options:
    return Options("latest", memory, 60, 2 * memory, "250m")


def a_ledger(limits: Limits) -> Ledger:
    """The memory of an account in which one run of 1024 MB lives."""
    ledger = Ledger(limits)
    ledger.commit("live", 1024)
    return ledger


# Limits


def test_without_an_account_the_limits_of_the_installation_hold() -> None:
    assert limits_of(None, INSTALLATION) == Limits(4096, 10)
    assert limits_of(None, AccountSettings()) == Limits()


def test_an_account_may_have_some_limits_of_its_own() -> None:
    account = an_account(memory_limit_mbytes=128, suspended=True)

    assert limits_of(account, INSTALLATION) == Limits(128, 10, suspended=True)
    assert limits_of(an_account(max_concurrent_runs=1), INSTALLATION) == Limits(4096, 1)


# Memory of runs and pods


def test_a_run_has_memory_once_its_admission_is_committed() -> None:
    reserved = (Condition("Admitted", "True", Reason.MEMORY_RESERVED),)
    run = a_run(status=replace(a_status(), conditions=reserved, options=options(512)))

    assert committed_memory(a_run(status=a_status())) is None
    assert committed_memory(run) == 512
    without = replace(run, status=replace(run.status, options=None))
    assert committed_memory(without) == 0
    assert committed_memory(replace(without, spec=replace(run.spec, memory_mbytes=256))) == 256


def test_the_memory_of_a_pod_is_what_the_status_of_its_run_says() -> None:
    run = a_run(status=replace(a_status(), options=options(512)))
    pod = with_label(a_pod(run=run, memory=2048), LABEL_ATTEMPT, "1")

    assert memory_of_pod(pod, run) == 512


@pytest.mark.parametrize("why", ["no run", "another run", "another attempt", "no options"])
def test_else_the_memory_of_a_pod_is_what_it_says_itself(why: str) -> None:
    run = a_run(status=replace(a_status(), options=options(512)))
    pod = with_label(a_pod(run=run, memory=2048), LABEL_ATTEMPT, "1")
    of = {
        "no run": None,
        "another run": a_run(uid="other", status=run.status),
        "another attempt": a_run(status=replace(run.status, attempt=2)),
        "no options": a_run(status=replace(run.status, options=None)),
    }

    assert memory_of_pod(pod, of[why]) == 2048


def test_a_pod_whose_annotation_was_spoilt_has_no_memory_that_is_known() -> None:
    pod = a_pod()
    metadata = replace(pod.metadata, annotations={ANNOTATION_RESOLVED: "{"})

    assert memory_of_pod(replace(pod, metadata=metadata), None) == 0


# Sentences


def test_a_wait_names_what_is_needed_and_what_is_allowed() -> None:
    blocked = waits("team", 1024, Limits(8192, 20), at(3))

    assert blocked.message == (
        'Waits for memory: the run needs 1024 MB, and account "team" may use 8192 MB and 20 runs'
        " at a time."
    )
    assert (blocked.reason, blocked.final) == (Reason.WAITING_FOR_ACCOUNT_MEMORY, False)
    assert (blocked.since, blocked.queued_at, blocked.retry_at) == (at(3), at(3), None)


def test_a_wait_for_a_suspended_account_says_so() -> None:
    blocked = waits("team", 1024, Limits(8192, suspended=True), at(0))

    assert blocked.message == ('Waits because account "team" is suspended; the run needs 1024 MB.')


def test_a_run_that_never_fits_is_told_what_to_do() -> None:
    blocked = never_fits("team", 16384, a_ledger(Limits(8192)), at(0))

    assert blocked.message == (
        'The run needs 16384 MB, and account "team" may use 8192 MB at a time. Give it less memory,'
        " or ask the administrator for a higher limit."
    )
    assert (blocked.reason, blocked.final) == (Reason.MEMORY_LIMIT_EXCEEDED, True)
    assert blocked.shortage == Shortage(16384, 1024, 8192)


@pytest.mark.parametrize(
    ("limits", "reason", "sentence"),
    [
        (
            Limits(1536, 2),
            Reason.MEMORY_LIMIT_EXCEEDED,
            (
                'There was no room for the run\'s 1024 MB: account "team" may use 1536 MB and 2'
                " runs at a time, of which 1024 MB and 1 run were in use, and it was not to wait"
                " (whenMemoryExceeded: Reject)."
            ),
        ),
        (
            Limits(8192, 1),
            Reason.CONCURRENT_RUNS_LIMIT_EXCEEDED,
            (
                'There was no room for the run\'s 1024 MB: account "team" may use 8192 MB and 1 run'
                " at a time, of which 1024 MB and 1 run were in use, and it was not to wait"
                " (whenMemoryExceeded: Reject)."
            ),
        ),
        (
            Limits(1024, 1, suspended=True),
            Reason.ACCOUNT_SUSPENDED,
            'Account "team" is suspended: no run is started.',
        ),
    ],
    ids=["memory", "runs", "suspended"],
)
def test_a_rejection_says_why_and_how_much_there_was(
    limits: Limits, reason: Reason, sentence: str
) -> None:
    blocked = rejected("team", 1024, a_ledger(limits), at(0))

    assert blocked.message == sentence
    assert (blocked.reason, blocked.final) == (reason, True)
    assert blocked.shortage == Shortage(1024, 1024, limits.memory_mbytes)


# Status


def test_the_status_of_an_account_without_runs_says_that_there_is_room() -> None:
    status = status_of(an_account(), None, Limits(4096), at(1.5))

    assert (status.memory_used_mbytes, status.live_runs, status.waiting_runs) == (0, 0, 0)
    assert (status.memory_limit_mbytes, status.max_concurrent_runs) == (4096, None)
    (condition,) = status.conditions
    assert (condition.type, condition.status, condition.reason) == (
        "Admitting",
        "True",
        "RoomAvailable",
    )
    assert status.observed_generation == condition.observed_generation == 3
    assert condition.last_transition_time == at(1)


def test_the_status_says_what_the_first_in_the_line_needs() -> None:
    ledger = Ledger(Limits(1024))
    for uid, memory in (("a", 1024), ("b", 512), ("c", 128)):
        ledger.ask(uid, at(0), memory)
        ledger.admit_waiting()

    status = status_of(an_account(), ledger, ledger.limits, at(0))

    assert (status.memory_used_mbytes, status.live_runs, status.waiting_runs) == (1024, 1, 2)
    assert status.conditions[0].reason == "RunsWait"
    assert status.conditions[0].message == "The first of the waiting runs needs 512 MB."


def test_the_status_of_a_new_leader_does_not_know_yet_what_the_first_needs() -> None:
    ledger = Ledger(Limits(1024))
    ledger.expect("a", at(0))

    status = status_of(an_account(), ledger, ledger.limits, at(0))

    assert status.conditions[0].message == "The first of the waiting runs is looked at again."


def test_the_transition_time_moves_only_when_admitting_flips() -> None:
    account, limits = an_account(suspended=True), Limits(suspended=True)
    first = status_of(account, None, limits, at(0))
    again = status_of(replace(account, status=first), None, limits, at(9))
    flipped = status_of(replace(account, status=first), None, Limits(), at(9))

    assert first.conditions[0].reason == "Suspended"
    assert again == first
    assert flipped.conditions[0].last_transition_time == at(9)


def with_label(pod: PodView, name: str, value: str) -> PodView:
    metadata = replace(pod.metadata, labels={**pod.metadata.labels, name: value})
    return replace(pod, metadata=metadata)


def test_what_an_account_says_of_itself() -> None:
    """Its one condition, with the sentences that an administrator reads."""
    waiting, idle = a_ledger(Limits(1024)), a_ledger(Limits(4096))
    waiting.ask("second", at(1), 512)
    suspended = Limits(4096, suspended=True)

    def told(ledger: Ledger | None, limits: Limits) -> tuple[str, str, str]:
        (condition,) = status_of(an_account(), ledger, limits, at(5)).conditions
        assert condition.type == "Admitting"
        assert (condition.last_transition_time, condition.observed_generation) == (at(5), 3)
        return condition.status, condition.reason, condition.message

    assert told(None, Limits()) == (
        "True",
        "RoomAvailable",
        "A run that fits is started at once.",
    )
    assert told(idle, Limits(4096))[:2] == ("True", "RoomAvailable")
    assert told(waiting, Limits(1024)) == (
        "False",
        "RunsWait",
        "The first of the waiting runs needs 512 MB.",
    )
    assert told(a_ledger(suspended), suspended) == (
        "False",
        "Suspended",
        "No further run is started (spec.suspended); live runs go on.",
    )
