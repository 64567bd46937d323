"""One plan for each kind of fault beside crashes, and all plans that once found something."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults import generate
from tests.faults.plan import Plan
from tests.faults.trial import Result

pytestmark = pytest.mark.cluster

KEPT = Path(generate.__file__).parent / "plans"
"""Plans that once found something."""


def kept() -> Iterator[Plan]:
    """The plans that are kept."""
    for file in sorted(KEPT.glob("*.yaml")):
        yield Plan.read(file)


def made() -> Iterator[Plan]:
    """Each kind of fault once, each with another workload."""
    yield from generate.errors("aborted-gracefully", ["update actorruns/status subject #2"])
    yield from generate.watches("times-out", ["create pods subject-1 #1"], generate.KINDS[2:3])
    yield from generate.others("succeeds", ["update actorruns/status subject #1"])


PLANS = [pytest.param(plan, id=plan.name) for plan in (*kept(), *made())]


@pytest.mark.parametrize("plan", PLANS)
def test_a_run_ends_as_ever(result: Result) -> None:
    assert result.violations == []
    assert result.missed == []
