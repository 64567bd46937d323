"""The operator crashes at each write of runs that end by themselves, or by their timeout."""

import pytest
from tests.cluster.operator.faults.crashes import WRITES, plans
from tests.faults.lanes import Lanes
from tests.faults.trial import Result

pytestmark = pytest.mark.cluster

WORKLOADS = (
    "succeeds",
    "times-out",
)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_write_is_known(lanes: Lanes, workload: str) -> None:
    reference = lanes.reference(workload).result()

    assert sorted(reference.writes) == sorted(WRITES[workload])


@pytest.mark.parametrize("plan", plans(*WORKLOADS))
def test_a_run_ends_as_ever_when_the_operator_crashes(result: Result) -> None:
    assert result.violations == []
    assert result.missed == []
