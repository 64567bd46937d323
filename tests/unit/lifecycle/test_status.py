"""What is said of a run: conditions, phase and figures."""

import dataclasses
from datetime import datetime

import pytest
from msgspec.structs import replace
from tests.support.builders import (
    CREATED,
    KEYRING,
    SETTINGS,
    a_pod,
    a_run,
    a_status,
    an_actor,
    at,
    blocked,
    ended,
    observe,
)

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import Failure, Options, RunStatus, Stats
from actor_operator.constants import CONDITION_MESSAGE_BYTES, MAX_INPUT_BYTES
from actor_operator.desired.environment import input_sha256
from actor_operator.desired.names import ids
from actor_operator.lifecycle.decide import decide
from actor_operator.lifecycle.memory import Shortage
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.status import derive_phase, summarise
from actor_operator.settings import Settings
from actor_operator.settings_groups import ResurrectionSettings

C = ConditionType


def statuses(observed: Observed, now: float = 20) -> tuple[RunStatus, ...]:
    decision = decide(observed, at(now), SETTINGS, KEYRING)
    return summarise(observed, decision, at(now), SETTINGS)


STAYS = an_actor(restart_on_disruption=False)
"""An Actor whose runs do not move."""


def last(observed: Observed, now: float = 20) -> RunStatus:
    return statuses(observed, now)[-1]


def told(status: RunStatus) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status, c.reason) for c in status.conditions}


WAITS = {
    C.ADMITTED: ("True", Reason.MEMORY_RESERVED),
    C.POD_SCHEDULED: ("True", Reason.SCHEDULED),
    C.STARTED: ("True", Reason.STARTED),
    C.WEB_SERVER_READY: ("False", Reason.DISABLED),
}
"""Conditions of a run whose container has started."""


# Conditions


def test_a_running_run() -> None:
    assert told(last(observe(a_pod(running=2)))) == WAITS | {
        C.TERMINATION_TARGET: ("False", Reason.NOT_REQUESTED),
        C.FINISHED: ("False", Reason.RUNNING),
        C.SUCCEEDED: ("Unknown", Reason.RUNNING),
        C.RECONCILING: ("True", Reason.PROGRESSING),
    }


def test_a_run_that_succeeded_is_neither_reconciling_nor_stalled() -> None:
    assert told(last(observe(a_pod(ended=ended(0))))) == WAITS | {
        C.TERMINATION_TARGET: ("False", Reason.NOT_REQUESTED),
        C.FINISHED: ("True", "Succeeded"),
        C.SUCCEEDED: ("True", Reason.COMPLETED),
    }


def test_a_run_that_failed_is_stalled_with_its_cause() -> None:
    assert told(last(observe(a_pod(ended=ended(137, reason="OOMKilled"))))) == WAITS | {
        C.TERMINATION_TARGET: ("False", Reason.NOT_REQUESTED),
        C.FINISHED: ("True", "Failed"),
        C.SUCCEEDED: ("False", Reason.OOM_KILLED),
        C.STALLED: ("True", Reason.OOM_KILLED),
    }


def test_a_run_that_timed_out_keeps_the_stop_that_led_to_it() -> None:
    pod = a_pod(ended=ended(143, after=61), phase="Failed", reason="DeadlineExceeded")

    assert told(last(observe(pod), now=63)) == WAITS | {
        C.TERMINATION_TARGET: ("True", Reason.TIMEOUT),
        C.FINISHED: ("True", "TimedOut"),
        C.SUCCEEDED: ("False", Reason.TIMED_OUT),
        C.STALLED: ("True", Reason.TIMED_OUT),
    }


def test_a_run_that_was_aborted_keeps_the_stop_that_led_to_it() -> None:
    run = a_run(status=a_status(started=2, stop=Reason.ABORT_IMMEDIATE))

    assert told(last(observe(a_pod(ended=ended(137)), run=run))) == WAITS | {
        C.TERMINATION_TARGET: ("True", Reason.ABORT_IMMEDIATE),
        C.FINISHED: ("True", "Aborted"),
        C.SUCCEEDED: ("False", Reason.ABORTED),
        C.STALLED: ("True", Reason.ABORTED),
    }


def test_a_timing_out_run_that_ended_by_itself_keeps_the_stop_that_came_too_late() -> None:
    run = a_run(status=a_status(started=2, stop=Reason.TIMEOUT))
    status = last(observe(a_pod(ended=ended(0, after=61), phase="Succeeded"), run=run), now=63)

    assert status.phase is Phase.SUCCEEDED
    assert told(status)[C.TERMINATION_TARGET] == ("True", Reason.TIMEOUT)


def test_the_first_write_sets_every_condition_with_the_generation_it_was_judged_for() -> None:
    status = last(observe(a_pod(running=2), run=a_run(generation=4)))

    assert {c.observed_generation for c in status.conditions} == {4}
    assert {c.last_transition_time for c in status.conditions} == {at(20)}
    assert status.observed_generation == 4


def test_a_transition_time_moves_only_when_the_status_of_its_condition_flips() -> None:
    first = last(observe(a_pod(running=2)), now=20)
    second = last(observe(a_pod(ended=ended(0)), run=a_run(status=first)), now=30)

    moved = {c.type for c in second.conditions if c.last_transition_time == at(30)}
    assert moved == {C.FINISHED, C.SUCCEEDED}


def test_a_transition_time_stays_when_only_the_reason_changes() -> None:
    run = a_run(status=a_status(started=2, stop=Reason.ABORT_GRACEFUL), abort="Immediate")
    status = last(observe(a_pod(running=2), run=run))

    target = status.condition(C.TERMINATION_TARGET)
    assert target is not None
    assert (target.reason, target.last_transition_time) == (Reason.ABORT_IMMEDIATE, CREATED)


def test_transition_times_are_whole_seconds_as_kubernetes_writes_them() -> None:
    status = last(observe(a_pod(running=2)), now=20.7)

    assert {c.last_transition_time for c in status.conditions} == {at(20)}


def test_a_long_message_is_cut_in_whole_characters() -> None:
    refusal = blocked(Reason.POD_REJECTED, final=True, message="€" * 1000)
    status = last(observe(None, blocked=refusal))

    assert status.failure is not None
    texts = [status.failure.message, *(c.message for c in status.conditions)]
    assert all(len(text.encode()) <= CONDITION_MESSAGE_BYTES for text in texts)
    assert status.failure.message == "€" * 340 + "…"


# Phase

PHASES = [
    ({}, Phase.READY),
    ({C.STARTED: Reason.STARTED}, Phase.RUNNING),
    ({C.TERMINATION_TARGET: Reason.TIMEOUT}, Phase.TIMING_OUT),
    ({C.STARTED: Reason.STARTED, C.TERMINATION_TARGET: Reason.TIMEOUT}, Phase.TIMING_OUT),
    ({C.TERMINATION_TARGET: Reason.ABORT_IMMEDIATE}, Phase.ABORTING),
    ({C.TERMINATION_TARGET: Reason.ABORT_GRACEFUL}, Phase.ABORTING),
    ({C.FINISHED: Reason.FINISHED_SUCCEEDED}, Phase.SUCCEEDED),
    ({C.FINISHED: Reason.FAILED}, Phase.FAILED),
    ({C.FINISHED: Reason.TIMED_OUT}, Phase.TIMED_OUT),
    ({C.FINISHED: Reason.ABORTED, C.TERMINATION_TARGET: Reason.ABORT_GRACEFUL}, Phase.ABORTED),
]


@pytest.mark.parametrize(("true", "phase"), PHASES)
def test_the_phase_is_derived_from_what_is_true(
    true: dict[ConditionType, Reason], phase: Phase
) -> None:
    conditions = tuple(
        Condition(kind, str(kind in true), true.get(kind, "Other"))
        for kind in (C.STARTED, C.TERMINATION_TARGET, C.FINISHED)
    )

    assert derive_phase(conditions) is phase


# What else is said


def test_ids_and_options_are_told() -> None:
    run = a_run(input={"a": 1})
    status = last(observe(a_pod(running=2, timeout=60), run=run))

    known = ids(run)
    assert (status.run_id, status.default_key_value_store_id) == (known.run, known.key_value_store)
    assert (status.default_dataset_id, status.default_request_queue_id) == (
        known.dataset,
        known.request_queue,
    )
    assert status.options == Options("latest", 1024, 60, 2048, "250m")
    assert (status.actor_namespace, status.actor_generation) == ("team", 3)
    assert status.build_number == "1.0.1"
    assert status.input_sha256 == input_sha256(run)


def test_ids_that_were_told_stay_whatever_they_are_derived_from_today() -> None:
    """The API server refuses a status in which one of them changes."""
    told = a_status(
        run_id="r" * 17,
        default_key_value_store_id="k" * 17,
        default_dataset_id="d" * 17,
        default_request_queue_id="q" * 17,
    )
    status = last(observe(a_pod(running=2), run=a_run(status=told)))

    assert (status.run_id, status.default_key_value_store_id) == ("r" * 17, "k" * 17)
    assert (status.default_dataset_id, status.default_request_queue_id) == ("d" * 17, "q" * 17)


def test_a_refusal_by_the_account_says_in_numbers_what_there_was() -> None:
    refused = dataclasses.replace(
        blocked(Reason.MEMORY_LIMIT_EXCEEDED, final=True, message="No room."),
        shortage=Shortage(1024, 1536, 2048),
    )
    status = last(observe(None, blocked=refused))

    assert status.failure == Failure(
        Reason.MEMORY_LIMIT_EXCEEDED,
        "No room.",
        requested_mbytes=1024,
        used_mbytes=1536,
        limit_mbytes=2048,
    )


def test_the_digest_of_the_input_is_that_of_the_first_time() -> None:
    run = a_run(input={"a": 1}, status=a_status(input_sha256="first"))

    assert last(observe(a_pod(running=2), run=run)).input_sha256 == "first"


def test_an_input_that_is_too_large_has_no_digest() -> None:
    run = a_run(input={"a": "x" * MAX_INPUT_BYTES})
    status = last(observe(None, run=run))

    assert status.input_sha256 is None
    assert status.failure is not None
    assert status.failure.reason == Reason.INPUT_TOO_LARGE


def test_the_pod_its_node_and_its_deadline_are_told() -> None:
    status = last(observe(a_pod(running=2, accepted=1, timeout=60)))

    assert status.pod_name == a_pod().name
    assert (status.node_name, status.timeout_at) == ("node-1", at(61))
    assert status.started_at == at(2)


@pytest.mark.parametrize(
    ("image_id", "image"),
    [
        ("registry.example/hello@sha256:abc", "registry.example/hello@sha256:abc"),
        ("sha256:abc", "registry.example/hello:1"),
        ("", "registry.example/hello:1"),
    ],
    ids=["a digest that can be pulled", "an id of the runtime", "nothing"],
)
def test_the_image_is_told_with_its_digest_once_that_is_known(image_id: str, image: str) -> None:
    assert last(observe(a_pod(running=2, image_id=image_id))).image == image


def test_what_was_known_of_a_pod_stays_when_it_is_gone() -> None:
    first = last(observe(a_pod(running=2)))
    gone = observe(None, run=a_run(status=first), actor=STAYS, gone_since=at(30))
    status = last(gone, now=30)

    assert status.phase is Phase.FAILED
    assert (status.pod_name, status.node_name) == (first.pod_name, first.node_name)
    assert (status.options, status.started_at) == (first.options, at(2))


def test_a_success_has_an_exit_code_and_no_failure() -> None:
    status = last(observe(a_pod(ended=ended(0, after=12))))

    assert (status.exit_code, status.failure, status.finished) == (0, None, True)
    assert status.finished_at == at(12)


def test_a_failure_says_why_and_whose_fault_it_is() -> None:
    ours = last(observe(a_pod(phase="Failed", reason="OutOfcpu"), actor=STAYS))
    theirs = last(observe(a_pod(ended=ended(3))))

    assert ours.failure == Failure(Reason.NODE_REJECTED, "The node refused the pod: OutOfcpu", True)
    assert theirs.failure == Failure(
        Reason.CONTAINER_FAILED, "The actor ended with exit code 3.", False
    )


def test_what_may_still_start_is_said_to_be_removed() -> None:
    assert last(observe(a_pod(waiting="InvalidImageName"))).cleanup == ("Pod",)


# Figures


def test_times_and_compute_units_of_an_attempt() -> None:
    """1024 MB for an hour is one unit; the run counts from its creation."""
    pod = a_pod(timeout=0, ended=ended(0, after=3602))

    stats = last(observe(pod), now=3610).stats
    assert stats == Stats(duration_millis=3_602_000, run_time_secs=3600, compute_units=1.0)


@pytest.mark.parametrize(("gap", "millis"), [(True, 110_000), (False, 60_000)])
def test_the_time_between_two_attempts_counts_if_the_settings_say_so(
    *, gap: bool, millis: int
) -> None:
    """50 s, a gap of 50 s, 10 s; the container ran for 48 s and for 8 s."""
    before = Stats(resurrect_count=1, duration_millis=50_000, run_time_secs=48)
    status = a_status(attempt=2, queued_at=at(100), stats=before, timeout=0)
    pod = a_pod(attempt=2, number=2, timeout=0, ended=ended(0, started_at=at(102), after=110))
    settings = Settings(resurrection=ResurrectionSettings(duration_includes_gap=gap))
    observed = observe(pod, run=a_run(status=status))
    decision = decide(observed, at(111), settings, KEYRING)

    stats = summarise(observed, decision, at(111), settings)[-1].stats
    assert (stats.duration_millis, stats.run_time_secs) == (millis, 56)


def test_what_a_run_waits_for_stands_where_kubectl_shows_it() -> None:
    waiting = observe(a_pod(waiting="ImagePullBackOff", message="not found"))
    running = observe(a_pod(running=2))

    reasons = [
        condition.reason
        for observed in (waiting, running)
        if (condition := last(observed).condition(ConditionType.SUCCEEDED))
    ]
    assert reasons == [Reason.IMAGE_PULL_BACK_OFF, Reason.RUNNING]


def test_a_run_that_never_started_used_nothing() -> None:
    refused = observe(a_pod(phase="Failed", reason="OutOfcpu"), actor=STAYS)
    assert last(refused).stats == Stats()


def test_no_run_ends_before_it_has_started_whatever_the_clocks_say() -> None:
    """The node's clock is ahead, and only ours knows when the pod was gone."""
    run = a_run(status=a_status(started=50))
    status = last(observe(None, run=run, actor=STAYS, gone_since=at(20)), now=20)

    assert status.finished_at == status.started_at == at(50)
    assert status.stats.run_time_secs == 0


def test_an_end_without_any_time_is_not_invented() -> None:
    run = a_run(status=replace(a_status(started=2), options=None))
    status = last(observe(a_pod(ended=ended(0), annotated=False), run=run))

    assert status.stats.run_time_secs == 8
    assert status.stats.compute_units == 0


def test_moments_are_told_in_utc() -> None:
    status = last(observe(a_pod(running=2)))
    moments = [status.started_at, status.timeout_at]

    assert all(isinstance(m, datetime) and m.utcoffset() == at(0).utcoffset() for m in moments)
