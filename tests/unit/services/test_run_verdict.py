"""Whether a new run was admitted."""

import pytest
from tests.support.builders import a_run

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition, Metadata
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import Failure, RunStatus, RunView
from actor_operator.services.run_verdict import is_admitted, is_settled, refusal
from actor_operator.services.run_watch import RunState

POD = PodView(metadata=Metadata(name="pod"))


def admitted(status: str) -> tuple[Condition, ...]:
    return (Condition(type=ConditionType.ADMITTED, status=status),)


def refused(reason: str, admission: str = "False") -> RunView:
    failure = Failure(reason, "Why.", requested_mbytes=512, used_mbytes=1024, limit_mbytes=1100)
    return a_run(
        status=RunStatus(
            phase=Phase.FAILED, finished=True, failure=failure, conditions=admitted(admission)
        )
    )


@pytest.mark.parametrize(
    "state",
    [
        RunState(a_run(), (POD,)),
        RunState(a_run(status=RunStatus(phase=Phase.RUNNING))),
        RunState(a_run(status=RunStatus(conditions=admitted("True")))),
        RunState(refused(Reason.PENDING)),
        RunState(refused(Reason.MEMORY_LIMIT_EXCEEDED, "True")),
    ],
)
def test_a_pod_or_a_later_phase_says_that_the_run_was_admitted(state: RunState) -> None:
    assert is_admitted(state)
    assert is_settled(state)


@pytest.mark.parametrize(
    "state", [RunState(None), RunState(None, (POD,)), RunState(a_run()),
              RunState(a_run(status=RunStatus(conditions=admitted("False"))))]
)  # fmt: skip
def test_before_the_operator_has_decided_there_is_no_verdict(state: RunState) -> None:
    assert not is_settled(state)


@pytest.mark.parametrize(
    ("reason", "status", "kind"),
    [
        (Reason.MEMORY_LIMIT_EXCEEDED, 402, "actor-memory-limit-exceeded"),
        (Reason.CONCURRENT_RUNS_LIMIT_EXCEEDED, 402, "concurrent-runs-limit-exceeded"),
        (Reason.ACCOUNT_SUSPENDED, 403, "insufficient-permissions"),
        (Reason.BUILD_NOT_FOUND, 400, "unknown-build-tag"),
    ],
)
def test_a_refusal_is_told_in_apifys_words(reason: Reason, status: int, kind: str) -> None:
    run = refused(reason)
    error = refusal(run)
    assert error is not None
    assert (error.status, error.error_type) == (status, kind)
    assert is_settled(RunState(run))
    assert not is_admitted(RunState(run))


def test_a_refusal_for_memory_says_how_much_is_used_and_requested() -> None:
    error = refusal(refused(Reason.MEMORY_LIMIT_EXCEEDED))
    assert error is not None
    assert "limit of 1100 MB" in error.message
    assert "currently used: 1024 MB, requested: 512 MB" in error.message
