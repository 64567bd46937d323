"""The ledger of one account: what is held, who is admitted, in which order."""

import time
from collections import deque
from datetime import datetime, timedelta

from tests.support.builders import at

from actor_operator.lifecycle.memory import Ledger, Limits


def a_ledger(limit: int | None = 4096, runs: int | None = None) -> Ledger:
    return Ledger(Limits(limit, runs))


def ask(ledger: Ledger, uid: str, memory: int = 1024, *, place: float = 0) -> bool:
    """Let a run ask, and admit whom there is room for; returns whether it was admitted."""
    ledger.ask(uid, at(place), memory)
    ledger.admit_waiting()
    return ledger.is_admitted(uid)


def full_ledger() -> Ledger:
    """4096 MB, all of it held by the run `big`."""
    ledger = a_ledger()
    assert ask(ledger, "big", 4096)
    return ledger


# What is held


def test_what_is_granted_is_held() -> None:
    ledger = a_ledger()

    assert ask(ledger, "a", 1024)

    assert (ledger.used_mbytes, ledger.live) == (1024, 1)


def test_without_limits_everyone_is_admitted() -> None:
    ledger = a_ledger(None)

    assert all(ask(ledger, f"run-{n}", 32768) for n in range(100))


def test_a_run_counts_once_whatever_it_holds_memory_for() -> None:
    ledger = a_ledger()
    ask(ledger, "a", 1024)

    ledger.begin_creation("a")
    ledger.pod_lives("a", "pod-1", 1024)
    ledger.end_creation("a")
    ledger.commit("a", 1024)
    ledger.pod_lives("a", "pod-2", 2048)

    assert (ledger.used_mbytes, ledger.live) == (2048, 1)


def test_a_run_whose_pod_was_made_is_as_admitted() -> None:
    ledger = a_ledger()
    ledger.keep("a", 1024)
    ledger.keep("a", 512)

    assert ledger.is_admitted("a")
    assert (ledger.used_mbytes, ledger.live) == (1024, 1)
    assert not ledger.withdraw("a"), "it is used"


def test_memory_is_held_until_the_run_has_ended_and_its_pod_too() -> None:
    ledger = full_ledger()
    ledger.commit("big", 4096)
    ledger.pod_lives("big", "pod", 4096)
    assert not ask(ledger, "next")

    ledger.end("big")
    assert ledger.admit_waiting() == []
    assert ledger.pod_ended("big", "pod")

    assert ledger.admit_waiting() == ["next"]


def test_a_pod_that_has_ended_frees_nothing_before_its_run_has() -> None:
    ledger = full_ledger()
    ledger.pod_lives("big", "pod", 4096)

    ledger.pod_ended("big", "pod")

    assert not ask(ledger, "next")


def test_the_pod_of_a_deleted_run_holds_its_memory() -> None:
    ledger = a_ledger()

    ledger.pod_lives("gone", "pod", 4096)

    assert not ask(ledger, "next")


def test_a_creation_without_an_answer_holds_memory_also_when_its_run_is_gone() -> None:
    ledger = full_ledger()
    ledger.begin_creation("big")

    ledger.end("big")
    assert not ask(ledger, "next")
    ledger.end_creation("big")

    assert ledger.admit_waiting() == ["next"]


def test_a_refused_run_gives_its_memory_back() -> None:
    ledger = full_ledger()
    ledger.begin_creation("big")
    ledger.end_creation("big")

    ledger.refuse("big")

    assert ask(ledger, "next")
    assert not ledger.is_admitted("big")


def test_a_refused_run_whose_admission_is_committed_keeps_its_memory() -> None:
    ledger = full_ledger()
    ledger.commit("big", 4096)

    ledger.refuse("big")

    assert ledger.is_admitted("big")


def test_a_grant_that_is_not_used_is_given_back() -> None:
    ledger = full_ledger()

    assert ledger.withdraw("big")

    assert ledger.is_empty


def test_a_grant_that_was_used_is_kept_until_the_run_ends() -> None:
    ledger = full_ledger()
    ledger.begin_creation("big")
    ledger.pod_lives("big", "pod", 4096)
    ledger.end_creation("big")

    assert not ledger.withdraw("big")
    ledger.pod_ended("big", "pod")

    assert ledger.is_admitted("big")


def test_a_pod_that_nobody_knows_of_ends_without_effect() -> None:
    ledger = full_ledger()

    assert not ledger.pod_ended("big", "other")
    assert not ledger.pod_ended("other", "pod")
    assert ledger.used_mbytes == 4096


# The line


def test_the_line_is_ordered_by_place_and_then_by_uid() -> None:
    ledger = full_ledger()
    for uid, place in (("d", 3), ("b", 2), ("c", 2), ("a", 5)):
        assert not ask(ledger, uid, place=place)

    ledger.end("big")

    assert ledger.admit_waiting() == ["b", "c", "d", "a"]


def test_the_first_that_does_not_fit_keeps_out_all_behind_it() -> None:
    ledger = a_ledger()
    ask(ledger, "live", 1024)
    ask(ledger, "big", 4096, place=1)

    assert not ask(ledger, "small", 128, place=2)

    assert ledger.waiting == 2
    assert ledger.first == ("big", 4096)


def test_who_comes_later_but_stands_in_front_goes_first() -> None:
    ledger = a_ledger()
    ask(ledger, "live", 1024)
    ask(ledger, "big", 4096, place=2)

    assert ask(ledger, "resurrected", 1024, place=1)


def test_when_the_first_leaves_those_behind_it_go_in() -> None:
    ledger = a_ledger()
    ask(ledger, "live", 1024)
    ask(ledger, "big", 4096, place=1)
    ask(ledger, "small", 1024, place=2)

    assert ledger.withdraw("big")

    assert ledger.admit_waiting() == ["small"]


def test_asking_again_keeps_the_place() -> None:
    ledger = full_ledger()
    ask(ledger, "first", place=1)
    ask(ledger, "second", place=2)

    ask(ledger, "first", place=1)

    assert ledger.waiting == 2
    assert ledger.first == ("first", 1024)


def test_asking_from_another_place_moves_the_run() -> None:
    ledger = full_ledger()
    ask(ledger, "first", place=1)
    ask(ledger, "second", place=2)

    ask(ledger, "first", place=3)

    assert ledger.waiting == 2
    assert ledger.first == ("second", 1024)


def test_whoever_is_admitted_already_need_not_wait() -> None:
    ledger = full_ledger()
    ask(ledger, "waits", place=1)
    ledger.commit("committed", 1024)

    assert ask(ledger, "committed", 1024, place=9)
    assert ask(ledger, "big", 4096, place=9)


def test_a_run_whose_pod_lives_need_not_wait_for_it() -> None:
    ledger = full_ledger()
    ask(ledger, "waits", place=1)
    ledger.pod_lives("found", "pod", 1024)

    assert ask(ledger, "found", 1024, place=9)
    assert not ask(ledger, "other", 1024, place=9)


def test_a_run_with_a_smaller_pod_needs_only_what_is_more() -> None:
    ledger = a_ledger(runs=1)
    ledger.pod_lives("grows", "old", 2048)

    assert ask(ledger, "grows", 4096)


def test_nobody_passes_a_run_that_waited_under_another_leader_and_has_not_asked_yet() -> None:
    ledger = a_ledger()
    ledger.expect("before", at(1))

    assert not ask(ledger, "after", place=2)
    assert ledger.first == ("before", None)
    assert ask(ledger, "before", place=1)

    assert ledger.is_admitted("after")


def test_a_run_that_waited_under_another_leader_and_does_not_ask_makes_way() -> None:
    ledger = a_ledger()
    ledger.expect("before", at(1))
    ask(ledger, "after", place=2)

    assert ledger.withdraw("before")

    assert ledger.admit_waiting() == ["after"]


def test_a_run_whose_admission_is_committed_does_not_wait_any_more() -> None:
    ledger = full_ledger()
    ledger.expect("before", at(1))

    ledger.commit("before", 1024)

    assert ledger.waiting == 0


def test_a_run_that_is_admitted_is_not_expected_in_the_line() -> None:
    ledger = a_ledger()
    ledger.commit("live", 1024)

    ledger.expect("live", at(1))

    assert ledger.waiting == 0


# Limits


def test_no_more_runs_than_allowed_are_admitted() -> None:
    ledger = a_ledger(None, runs=2)

    assert [ask(ledger, uid) for uid in "abc"] == [True, True, False]


def test_nobody_is_admitted_to_a_suspended_account() -> None:
    ledger = Ledger(Limits(4096, suspended=True))
    assert not ask(ledger, "a")

    ledger.limits = Limits(4096)

    assert ledger.admit_waiting() == ["a"]


def test_a_higher_limit_admits_those_that_wait() -> None:
    ledger = full_ledger()
    for n in range(3):
        ask(ledger, f"run-{n}", place=n)

    ledger.limits = Limits(6144)

    assert ledger.admit_waiting() == ["run-0", "run-1"]


def test_a_lower_limit_takes_nothing_away_and_admits_nobody_until_it_holds() -> None:
    ledger = a_ledger(4096)
    for uid in "abcd":
        ask(ledger, uid)
    ask(ledger, "next", place=1)

    ledger.limits = Limits(2048)
    assert [uid for uid in "abcd" if ledger.is_admitted(uid)] == list("abcd")
    for uid in "ab":
        ledger.end(uid)
        assert ledger.admit_waiting() == []
    ledger.end("c")

    assert ledger.admit_waiting() == ["next"]


def test_those_that_can_never_fit_are_named() -> None:
    ledger = full_ledger()
    ask(ledger, "small", 1024, place=1)
    ask(ledger, "large", 4096, place=2)
    ledger.expect("silent", at(3))
    assert ledger.hopeless() == []

    ledger.limits = Limits(2048)

    assert ledger.hopeless() == ["large"]
    ledger.limits = Limits()
    assert ledger.hopeless() == []


# Cost


def go_through(count: int) -> float:
    """Seconds of the processor in which so many wait and go in, one after the other."""
    ledger = a_ledger(8192)
    begun = time.process_time()
    live = deque(f"run-{n}" for n in range(count) if ask(ledger, f"run-{n}", place=n))
    order: list[str] = []
    while live:
        order.append(live.popleft())
        ledger.end(order[-1])
        live += ledger.admit_waiting()
    assert order == [f"run-{n}" for n in range(count)]
    return time.process_time() - begun


def test_ten_thousand_that_wait_cost_as_much_each_as_a_thousand() -> None:
    few = min(go_through(1_000) for _ in range(3))
    many = go_through(10_000)

    # Ten times as much, if the cost of one does not grow; a hundred times, if it grows with all.
    assert many < 40 * few


def test_places_are_exact_to_the_microsecond() -> None:
    ledger = full_ledger()
    first: datetime = at(1)
    ledger.ask("b", first, 1024)
    ledger.ask("a", first + timedelta(microseconds=1), 1024)

    assert ledger.first == ("b", 1024)
