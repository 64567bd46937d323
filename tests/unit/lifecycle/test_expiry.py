"""Arithmetic of deadlines."""

from msgspec.structs import replace
from tests.support.builders import a_pod, a_run, a_status, at, observe

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.lifecycle.expiry import (
    deadline,
    kubelets_deadline,
    seconds_left,
    timeout_notice,
    told_from,
)


def test_the_deadline_is_the_pods_start_plus_the_timeout() -> None:
    assert deadline(observe(a_pod(accepted=5, timeout=60))) == at(65)


def test_timing_out_is_due_a_second_after_the_deadline() -> None:
    assert timeout_notice(observe(a_pod(accepted=5, timeout=60))) == at(66)


def test_there_is_no_deadline_without_pod_kubelet_or_timeout() -> None:
    for observed in (
        observe(None),
        observe(a_pod(scheduled="no room")),
        observe(a_pod(timeout=0), run=a_run(status=a_status(timeout=0))),
    ):
        assert deadline(observed) is None
        assert timeout_notice(observed) is None


def test_the_pods_own_deadline_holds_before_what_is_in_the_status() -> None:
    observed = observe(a_pod(timeout=60), run=a_run(status=a_status(timeout=3600)))

    assert deadline(observed) == at(61)


def test_the_deadline_that_stops_a_pod_is_not_taken_for_the_runs_timeout() -> None:
    """A graceful abort sets ``activeDeadlineSeconds`` to 1."""
    run = a_run(status=a_status(started=2, stop=Reason.ABORT_GRACEFUL, timeout=60))

    assert deadline(observe(a_pod(running=2, active_deadline=1), run=run)) == at(61)


def test_the_time_begins_when_the_pod_got_its_node_if_the_nodes_clock_is_behind() -> None:
    """Row C8: `a_pod` got its node after a second, and the node says two minutes before."""
    observed = observe(a_pod(running=-119, accepted=-119, timeout=60))

    assert deadline(observed) == at(61)
    assert kubelets_deadline(observed) == at(-59)


def test_it_begins_no_later_than_the_container_was_told_to_have_started() -> None:
    """Row C8: the node's clock is two minutes ahead."""
    run = a_run(status=a_status(started=122))
    told = replace(run.status.conditions[0], last_transition_time=at(3))
    run = replace(run, status=replace(run.status, conditions=(told, *run.status.conditions[1:])))
    assert deadline(observe(a_pod(running=122, accepted=121), run=run)) == at(63)


def test_a_cause_of_waiting_is_told_after_the_hold_back_and_the_second_that_times_are_cut_by() -> (
    None
):
    assert told_from(at(10), 1.5) == at(12.5)


def test_another_pod_gets_the_seconds_that_are_left_but_one_at_least() -> None:
    """0 would mean no limit to a kubelet."""
    moved = observe(None, run=a_run(status=a_status(timeout_at=at(61))))

    assert seconds_left(moved, at(20.5)) == 40
    assert seconds_left(moved, at(60.5)) == 1
    assert seconds_left(moved, at(100)) == 1


def test_the_first_pod_gets_all_of_the_time() -> None:
    endless = a_run(status=a_status(timeout=0, timeout_at=at(61)))

    assert seconds_left(observe(None), at(20)) is None
    assert seconds_left(observe(None, run=endless), at(20)) is None
