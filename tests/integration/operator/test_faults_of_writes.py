"""Whatever happens to one write, the run ends as it would have ended without that."""

from collections.abc import Callable

import pytest
from tests.integration.operator.bench import Bench, Workload, is_work
from tests.support.apiserver import Fault, Faults, on
from tests.support.apiserver.faults import Which

WRITES = ("create secrets", "create pods", "RUNNING", "delete secrets", "SUCCEEDED")
"""The writes of a plain run, in their order."""

FAULTS: dict[str, Callable[[Faults, Which], Fault]] = {
    "a real conflict": lambda faults, which: faults.touch(which),
    "409": lambda faults, which: faults.fail(409, which),
    "429": lambda faults, which: faults.fail(429, which, retry_after=1),
    "500": lambda faults, which: faults.fail(500, which),
    "500 after it was applied": lambda faults, which: faults.fail(500, which, applied=True),
    "503": lambda faults, which: faults.fail(503, which),
    "a reset before": lambda faults, which: faults.reset(which),
    "a reset after it was applied": lambda faults, which: faults.reset(which, applied=True),
    "a reset during the answer": lambda faults, which: faults.reset(which, during=True),
    "no answer": lambda faults, which: faults.hang(which),
    "no answer, but applied": lambda faults, which: faults.hang(which, applied=True),
}
"""What may happen to a write."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("nth", range(len(WRITES)), ids=WRITES)
async def test_a_run_ends_as_ever(bench: Bench, nth: int, fault: str) -> None:
    await bench.leading(bench.start())
    await bench.drive(Workload(), "reference")

    hit = FAULTS[fault](bench.server.faults, on("write", when=is_work, nth=nth + 1))
    await bench.drive(Workload())

    assert len(hit.hits) == 1
    assert bench.difference() is None


@pytest.mark.parametrize("times", [2, 5])
async def test_a_run_outlasts_errors_at_all_writes(bench: Bench, times: int) -> None:
    await bench.leading(bench.start())
    await bench.drive(Workload(), "reference")

    bench.server.faults.fail(503, on("write", when=is_work, times=times))
    await bench.drive(Workload())

    assert bench.difference() is None
