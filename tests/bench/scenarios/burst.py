"""Many at once: runs beside Jobs with the tuned and with the shipped Job controller."""

from statistics import median

from tests.bench.arena import SHIPPED, Arena
from tests.bench.contenders import JOBS, RUNS
from tests.bench.plan import Plan
from tests.bench.profiles import profiled, shares
from tests.bench.report import Outcome, columns, side_by_side
from tests.bench.sample import Sample, figures, measure
from tests.bench.targets import Target, processor
from tests.cluster_tool.progress import step

WARM_UP = 10
"""Objects of each kind that are not measured."""

SHARE_SHIPPED = 0.1
"""How many Jobs the shipped controller gets: it takes seven times as long for each."""


def run(plan: Plan) -> Outcome:
    """1,000 at once, in several rounds."""
    count = plan.sized(1000)
    samples, profile = _rounds(plan, count)
    shipped = _shipped(plan, max(20, int(count * SHARE_SHIPPED)))
    runs = [sample for sample in samples if sample.kind == RUNS.kind]
    jobs = [sample for sample in samples if sample.kind == JOBS.kind]
    rate = median(sample.per_second for sample in runs)
    worst = max(runs, key=lambda sample: sample.operator_ms)
    targets = [
        Target(
            "burst: runs finished a second, over tuned Jobs",
            rate / median(sample.per_second for sample in jobs),
            1.2,
            least=True,
            why=f"Runs: {processor(runs[-1])} Jobs: {processor(jobs[-1])}",
        ),
        Target(
            "burst: runs finished a second, over Jobs as shipped",
            rate / shipped.per_second,
            5,
            least=True,
        ),
        Target("burst: writes for a run", max(s.costs.writes / s.count for s in runs), 5.05),
        Target("burst: refused writes", max(s.costs.refused for s in runs), 0),
        Target(
            "burst: processor time of the operator for a run",
            median(sample.operator_ms for sample in runs),
            2,
            "ms",
            why=_explain(profile),
        ),
        Target("burst: memory of the operator", worst.operator_mbytes, 150, "MB"),
    ]
    tables = [
        side_by_side(f"{count} at once, {len(runs)} rounds", samples),
        columns(f"{shipped.count} at once, as shipped", {JOBS.kind: figures(shipped)}),
        columns("operator, % of its time", {"share": {k: v * 100 for k, v in profile.items()}}),
    ]
    return Outcome(tables, targets, {"samples": samples, "shipped": shipped, "profile": profile})


def _rounds(plan: Plan, count: int) -> tuple[list[Sample], dict[str, float]]:
    samples = []
    with Arena(plan.folder / "burst") as arena:
        with step("Starting, and warming up"):
            arena.start_leading()
            for contender in (RUNS, JOBS):
                measure(arena, contender, WARM_UP)
        for number in range(plan.rounds):
            # Who comes second finds more objects in the store: each does once.
            for contender in (RUNS, JOBS) if number % 2 == 0 else (JOBS, RUNS):
                with step(f"{count} {contender.kind}s at once"):
                    samples.append(measure(arena, contender, count))
        path = plan.results / "burst.stacks"
        with step("The same, looked at by py-spy"), profiled(arena.leader.pid, path):
            measure(arena, RUNS, max(WARM_UP, count // 4))
    return samples, shares(path)


def _shipped(plan: Plan, count: int) -> Sample:
    with Arena(plan.folder / "shipped", jobs=SHIPPED) as arena, step(f"{count} Jobs, as shipped"):
        return measure(arena, JOBS, count)


def _explain(profile: dict[str, float]) -> str:
    largest = list(profile.items())[:3]
    return "Most of it: " + ", ".join(f"{part} {share:.0%}" for part, share in largest) + "."
