"""What runs show of themselves."""

from typing import Any

import msgspec
import pytest
from tests.support.builders import a_run

from actor_operator.api.v1alpha1.phase import FINISHED, STEPS, Phase
from actor_operator.api.views.run import ResurrectRequest, RunStatus, RunView
from actor_operator.services.run_shown import RANKS, shown


def in_phase(phase: Phase, **more: Any) -> RunView:
    status = RunStatus(phase=phase, finished=phase in FINISHED, exit_code=1)
    return a_run(status=status, **more)


@pytest.mark.parametrize("phase", Phase)
def test_without_a_request_the_phase_is_the_operators(phase: Phase) -> None:
    assert shown(in_phase(phase)).phase is phase


@pytest.mark.parametrize("phase", sorted(set(Phase) - FINISHED))
def test_a_run_that_is_to_be_aborted_says_so_at_once(phase: Phase) -> None:
    assert shown(in_phase(phase, abort="Graceful")).phase is Phase.ABORTING


@pytest.mark.parametrize("phase", sorted(FINISHED))
def test_an_abort_changes_nothing_of_a_finished_run(phase: Phase) -> None:
    assert shown(in_phase(phase, abort="Graceful")).phase is phase


def test_an_abort_of_an_earlier_attempt_is_over() -> None:
    run = a_run(
        status=RunStatus(phase=Phase.RUNNING, attempt=2), abort="Immediate", abort_attempt=1
    )
    assert shown(run).phase is Phase.RUNNING


@pytest.mark.parametrize("phase", sorted(FINISHED))
def test_a_run_that_is_to_be_resurrected_is_not_finished_any_more(phase: Phase) -> None:
    seen = shown(in_phase(phase, resurrect=ResurrectRequest(attempt=2)))
    assert (seen.attempt, seen.phase, seen.exit_code) == (2, Phase.READY, None)
    assert not seen.is_finished


def test_a_resurrection_that_was_carried_out_is_over() -> None:
    run = in_phase(Phase.FAILED, resurrect=ResurrectRequest(attempt=2))
    run = msgspec.structs.replace(run, status=msgspec.structs.replace(run.status, attempt=2))
    assert shown(run).phase is Phase.FAILED


def test_within_an_attempt_every_step_has_a_higher_rank() -> None:
    for before, afters in STEPS.items():
        for after in afters:
            if before not in FINISHED:
                assert RANKS[after] > RANKS[before], (before, after)
