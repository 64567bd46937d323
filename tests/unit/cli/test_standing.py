"""How an account stands."""

from datetime import timedelta
from typing import Any

from tests.support.builders import a_run, a_status, at

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.account import AccountSpec, AccountStatus, AccountView
from actor_operator.api.views.metadata import Condition, Metadata
from actor_operator.api.views.run import Options, RunView
from actor_operator.cli.standing import memory_in_use, memory_of, standing


def an_account(status: AccountStatus | None = None, **spec: Any) -> AccountView:
    """An ActorAccount."""
    return AccountView(
        metadata=Metadata("team"), spec=AccountSpec(**spec), status=status or AccountStatus()
    )


def a_live_run(uid: str, memory: int = 1024) -> RunView:
    """A run that has memory."""
    options = Options("latest", memory, 60, 2 * memory, "250m")
    conditions = (Condition(ConditionType.ADMITTED, "True", Reason.MEMORY_RESERVED),)
    return a_run(uid, uid=uid, status=a_status(options=options, conditions=conditions))


def a_waiting_run(uid: str, since: timedelta | None) -> RunView:
    """A run that waits for memory, so long after the first of all runs was made."""
    waits = Condition(ConditionType.ADMITTED, "False", Reason.WAITING_FOR_ACCOUNT_MEMORY)
    queued_at = at(0) + since if since is not None else None
    return a_run(uid, uid=uid, status=a_status(conditions=(waits,), queued_at=queued_at))


def test_what_the_account_says_of_memory_counts_more_than_its_runs() -> None:
    stands = standing(
        "team",
        an_account(AccountStatus(memory_used_mbytes=2048, live_runs=2), memory_limit_mbytes=8192),
        [a_live_run("one")],
    )

    assert (stands.used_mbytes, stands.live_runs, stands.free_mbytes) == (2048, 2, 6144)
    assert memory_in_use(stands) == "2048 of 8192 MB in use, 6144 MB free"


def test_without_an_account_that_may_be_read_the_runs_are_counted() -> None:
    stands = standing("team", None, [a_live_run("one"), a_live_run("two", 512)])

    assert (stands.used_mbytes, stands.live_runs, stands.free_mbytes) == (1536, 2, None)
    assert memory_in_use(stands) == "1536 MB in use"


def test_the_limits_that_hold_are_those_of_the_status() -> None:
    status = AccountStatus(memory_limit_mbytes=4096, max_concurrent_runs=5)

    stands = standing("team", an_account(status, suspended=True), ())

    assert (stands.limit_mbytes, stands.max_runs, stands.suspended) == (4096, 5, True)


def test_more_in_use_than_allowed_leaves_nothing() -> None:
    status = AccountStatus(memory_used_mbytes=2048)

    assert standing("team", an_account(status, memory_limit_mbytes=1024), ()).free_mbytes == 0


def test_runs_wait_in_the_order_of_microseconds_and_then_of_uids() -> None:
    first, second = a_waiting_run("b", timedelta(microseconds=1)), a_waiting_run("c", timedelta(0))
    third, last = a_waiting_run("a", timedelta(microseconds=1)), a_waiting_run("0", None)

    stands = standing("team", None, [last, first, second, third])

    assert [run.uid for run in stands.queue] == ["c", "a", "b", "0"]
    assert [stands.place(run) for run in (second, third, first, last)] == [1, 2, 3, 4]
    assert stands.place(a_live_run("x")) is None


def test_finished_runs_do_not_count() -> None:
    admitted = (Condition(ConditionType.ADMITTED, "True", Reason.MEMORY_RESERVED),)
    finished = a_run(status=a_status(end=Phase.SUCCEEDED, conditions=admitted))

    stands = standing("team", None, [finished])

    assert (stands.live, stands.queue, stands.used_mbytes) == ((), (), 0)


def test_of_a_run_without_options_counts_what_was_asked_for() -> None:
    assert memory_of(a_live_run("x", 512)) == 512
    assert memory_of(a_run(memory_mbytes=256)) == 256
    assert memory_of(a_run()) is None
