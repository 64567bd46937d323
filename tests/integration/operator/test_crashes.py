"""The operator crashes at each of its writes, before or after it was committed, and comes back."""

import pytest
from tests.integration.operator.bench import Bench, Workload, is_work
from tests.support.apiserver import on

CREATE = ("create secrets", "create pods")
STATUS = "update actorruns/status"

WORKLOADS = {
    "succeeds": Workload(),
    "times out": Workload("endless", {"timeoutSecs": 1}),
    "aborted at once": Workload("endless", abort=("RUNNING", "Immediate")),
    "aborted gracefully": Workload("endless", abort=("RUNNING", "Graceful")),
    "aborted before it starts": Workload("unpullable", abort=("READY", "Immediate")),
}
"""Ways to end."""

WRITES = {
    "succeeds": [*CREATE, STATUS, "delete secrets", STATUS],
    "times out": [*CREATE, STATUS, "delete secrets", STATUS, STATUS],
    "aborted at once": [*CREATE, STATUS, STATUS, "delete secrets", "delete pods", STATUS],
    "aborted gracefully": [*CREATE, STATUS, STATUS, "patch pods", "delete secrets", STATUS],
    "aborted before it starts": [*CREATE, STATUS, "delete secrets", "delete pods", STATUS],
}
"""The writes of each, in their order."""

POINTS = [(name, n) for name, writes in WRITES.items() for n in range(len(writes))]


@pytest.mark.parametrize("name", WORKLOADS)
async def test_the_writes_of_a_run_are(bench: Bench, name: str) -> None:
    await bench.leading(bench.start())

    await bench.drive(WORKLOADS[name])

    assert bench.writes() == WRITES[name]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("name", "nth"), POINTS, ids=[f"{name}: {n} {WRITES[name][n]}" for name, n in POINTS]
)
async def test_a_run_ends_as_ever_when_the_operator_crashes(
    bench: Bench, name: str, nth: int, moment: str
) -> None:
    workload = WORKLOADS[name]
    first = bench.start()
    await bench.leading(first)
    await bench.drive(workload, "reference")
    bench.server.faults.call(
        first.crash, on("write", when=is_work, nth=nth + 1), applied=moment == "after"
    )

    bench.expect_crash(first)
    await bench.drive(workload)

    assert first.crashed
    assert bench.difference() is None
    assert bench.pods_made() == 1


@pytest.mark.parametrize("mode", ["Immediate", "Graceful"])
async def test_a_run_that_is_aborted_between_its_secret_and_its_pod_leaves_no_secret(
    bench: Bench, mode: str
) -> None:
    first = bench.start()
    await bench.leading(first)
    crash = bench.server.faults.call(
        first.crash, on("create", "secrets", when=is_work), applied=True
    )

    bench.create(Workload())
    await bench.until("it crashes", lambda: bool(crash.hits))
    bench.abort(mode=mode)
    await bench.leading(bench.start())
    await bench.phase("ABORTED")

    assert bench.pods_made() == 0
    assert bench.outcome()["children"] == []
