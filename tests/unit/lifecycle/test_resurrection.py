"""What the next attempt of a finished run begins with."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.builders import a_run, a_status, at

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import (
    Attempt,
    Failure,
    Options,
    ResurrectRequest,
    RunLimits,
    RunStatus,
    RunView,
    Stats,
)
from actor_operator.lifecycle.resurrection import resurrect, resurrection_due
from actor_operator.lifecycle.status import derive_phase

OPTIONS = Options("latest", 1024, 60, 2048, "250m", restart_on_error=True, max_items=5)

ENDED = a_status(
    started=2,
    end=Phase.FAILED,
    options=OPTIONS,
    run_id="r" * 17,
    build_number="1.0.1",
    image="registry.example/hello@sha256:1",
    actor_generation=3,
    pod_name="hello-mzx7-3",
    node_name="node-1",
    exit_code=1,
    failure=Failure("ContainerFailed", "It failed."),
    timeout_at=at(62),
    migrations=1,
    restarted_at=(at(4),),
    cleanup=("NodeUnreachable",),
    attempts=(Attempt(1, "FAILED"),),
    stats=Stats(restart_count=1, migration_count=1, run_time_secs=8, compute_units=0.5),
)
"""How a run ended that had moved once and was restarted once."""


def next_attempt(**request: Any) -> RunStatus:
    wish = ResurrectRequest(2, **request)
    return resurrect(a_run(status=ENDED, generation=4), wish, at(100))


def test_nothing_of_the_end_is_left() -> None:
    status = next_attempt()

    assert (status.phase, status.attempt, status.finished) == (Phase.READY, 2, False)
    ends = ("started_at", "finished_at", "timeout_at", "exit_code", "failure", "node_name")
    assert {name: getattr(status, name) for name in ends} == dict.fromkeys(ends)
    assert (status.migrations, status.restarted_at, status.cleanup) == (0, (), ())
    assert status.observed_generation == 4
    assert status.queued_at == at(100)


def test_what_belongs_to_the_run_stays() -> None:
    status = next_attempt()

    assert (status.run_id, status.attempts) == (ENDED.run_id, ENDED.attempts)
    assert status.stats == replace(ENDED.stats, resurrect_count=1)
    assert status.pod_name == "hello-mzx7-4"


def test_without_wishes_the_attempt_is_like_the_one_before() -> None:
    status = next_attempt()

    assert (status.options, status.build_number, status.image) == (
        OPTIONS,
        ENDED.build_number,
        ENDED.image,
    )
    assert status.actor_generation is None


def test_wishes_hold() -> None:
    status = next_attempt(
        memory_mbytes=4096, timeout_secs=0, restart_on_error=False, limits=RunLimits(7, 1.5)
    )

    assert status.options == Options(
        "latest", 4096, 0, 8192, "1", max_items=7, max_total_charge_usd=1.5
    )
    assert status.image == ENDED.image


def test_another_build_is_looked_up_anew() -> None:
    status = next_attempt(build="beta")

    assert (status.build_number, status.image) == (None, None)
    assert status.options is not None
    assert status.options.build == "beta"


def test_a_run_that_failed_before_anything_was_resolved_has_no_options_to_keep() -> None:
    run = a_run(status=replace(ENDED, options=None))

    assert resurrect(run, ResurrectRequest(2), at(100)).options is None


def test_its_conditions_say_that_it_begins() -> None:
    status = next_attempt()

    assert derive_phase(status.conditions) is Phase.READY
    assert {c.type for c in status.conditions} == set(ConditionType) - {
        ConditionType.STALLED,
        ConditionType.ARCHIVED,
    }
    scheduled = status.condition(ConditionType.POD_SCHEDULED)
    assert scheduled is not None
    assert (scheduled.reason, scheduled.message) == (Reason.RESURRECTED, "Attempt 2 begins.")
    finished, target = (
        status.condition(kind)
        for kind in (ConditionType.FINISHED, ConditionType.TERMINATION_TARGET)
    )
    assert finished is not None
    assert target is not None
    assert finished.last_transition_time == at(100), "it was True before"
    assert target.last_transition_time == at(0), "it was False before"


@pytest.mark.parametrize(
    ("run", "due"),
    [
        (a_run(status=ENDED, resurrect=ResurrectRequest(2)), True),
        (a_run(status=ENDED, resurrect=ResurrectRequest(3)), False),
        (a_run(status=replace(ENDED, attempt=2), resurrect=ResurrectRequest(2)), False),
        (a_run(status=a_status(started=2), resurrect=ResurrectRequest(2)), False),
        (a_run(status=ENDED), False),
    ],
    ids=["asked for", "not the next one", "done", "not finished", "not asked for"],
)
def test_when_a_resurrection_is_due(run: RunView, *, due: bool) -> None:
    assert (resurrection_due(run) is not None) is due
