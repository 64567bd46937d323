"""Why a run is in its phase, in one word."""

from msgspec.structs import replace
from tests.support.builders import a_status

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import Failure, RunStatus
from actor_operator.lifecycle.cause import cause_of


def test_a_run_that_nobody_has_seen_is_pending() -> None:
    assert cause_of(RunStatus()) == "Pending"


def test_a_run_that_waits_has_the_cause_of_its_first_step_that_is_not_done() -> None:
    conditions = (
        Condition(ConditionType.ADMITTED, "True", Reason.MEMORY_RESERVED),
        Condition(ConditionType.POD_SCHEDULED, "False", Reason.UNSCHEDULABLE),
        Condition(ConditionType.STARTED, "Unknown", Reason.PENDING),
    )

    assert cause_of(replace(a_status(), conditions=conditions)) == "Unschedulable"


def test_a_running_run_has_started() -> None:
    assert cause_of(a_status(started=2)) == "Started"


def test_a_run_that_is_stopped_has_the_cause_of_the_stop() -> None:
    assert cause_of(a_status(started=2, stop=Reason.TIMEOUT)) == "Timeout"


def test_a_run_that_has_ended_has_the_cause_of_its_end() -> None:
    failure = Failure(Reason.OOM_KILLED, "too much")

    assert cause_of(a_status(end=Phase.SUCCEEDED)) == "Completed"
    assert cause_of(a_status(end=Phase.FAILED, failure=failure)) == "OOMKilled"
