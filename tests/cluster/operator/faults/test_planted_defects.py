"""Plans find what is broken on purpose, and find nothing without that."""

import pytest
from tests.faults.kinds import Crash, Freeze, Moment, Reset, Twin
from tests.faults.plan import Plan
from tests.faults.trial import Result

pytestmark = pytest.mark.cluster

DEFECTS = {
    "second-pod": Plan(
        workload="succeeds",
        faults=(Reset(at="create pods subject-1", moment=Moment.COMMITTED),),
    ),
    "lost-abort": Plan(
        workload="aborted-at-once",
        faults=(Crash(at="update actorruns/status subject #1"),),
        patience=30,
    ),
    "unlocked-status": Plan(
        workload="changed-while-it-runs",
        faults=(Twin(), Freeze(at="work actorruns/status subject #1", seconds=22)),
    ),
}
"""A plan that each defect breaks."""

FOUND_BY = {
    "second-pod": "I1 ",
    "lost-abort": "I17 run subject is",
    "unlocked-status": "I5 ",
}
"""How the violation begins that tells of it."""

BROKEN = [plan.model_copy(update={"planted": name}) for name, plan in DEFECTS.items()]


@pytest.mark.parametrize("plan", BROKEN, ids=list(DEFECTS))
def test_a_defect_is_found(plan: Plan, result: Result) -> None:
    found = [text for text in result.violations if text.startswith(FOUND_BY[plan.planted])]

    assert found
    assert result.missed == []


@pytest.mark.parametrize("plan", DEFECTS.values(), ids=list(DEFECTS))
def test_nothing_is_found_without_it(result: Result) -> None:
    assert result.violations == []
    assert result.missed == []
