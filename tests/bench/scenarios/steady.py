"""So many a second, for a while: runs beside Jobs."""

from tests.bench.arena import Arena
from tests.bench.contenders import JOBS, RUNS
from tests.bench.observer import CREATED, POD
from tests.bench.plan import Plan
from tests.bench.report import Outcome, side_by_side
from tests.bench.sample import Sample, measure
from tests.bench.targets import Target, processor
from tests.cluster_tool.progress import step

WARM_UP = 10
"""Objects of each kind that are not measured."""


def run_steady(plan: Plan) -> Outcome:
    """20 a second for 60 seconds: the pace that Kubernetes promises to bear."""
    samples = _both(plan, 20, plan.sized(1200))
    (runs,) = (sample for sample in samples if sample.kind == RUNS.kind)
    target = Target(
        "20 a second: created → pod, p99",
        runs.quantile(CREATED, POD, 0.99),
        0.5,
        "s",
        why=processor(runs),
    )
    table = side_by_side(f"20 a second, {runs.count} in all", samples)
    return Outcome([table], [target], samples)


def run_rush(plan: Plan) -> Outcome:
    """100 a second for 15 seconds: more than two cores bear, so what matters is how it recovers."""
    samples = _both(plan, 100, plan.sized(1500))
    (runs,) = (sample for sample in samples if sample.kind == RUNS.kind)
    target = Target("100 a second: refused writes", runs.costs.refused, 0)
    table = side_by_side(f"100 a second, {runs.count} in all", samples)
    return Outcome([table], [target], samples)


def _both(plan: Plan, per_second: int, count: int) -> list[Sample]:
    samples = []
    with Arena(plan.folder / f"steady-{per_second}") as arena:
        arena.start_leading()
        for contender in (RUNS, JOBS):
            measure(arena, contender, WARM_UP)
        for contender in (RUNS, JOBS):
            with step(f"{count} {contender.kind}s, {per_second} a second"):
                samples.append(measure(arena, contender, count, per_second=per_second))
    return samples
