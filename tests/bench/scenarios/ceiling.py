"""What the API server bears: the operator's writes by something that thinks about nothing."""

from tests.bench.arena import Arena
from tests.bench.bare import BareWriter
from tests.bench.contenders import RUNS
from tests.bench.costs import Meter
from tests.bench.load import creations
from tests.bench.observer import Observer
from tests.bench.plan import Plan
from tests.bench.recipe import take_down
from tests.bench.report import Outcome, columns
from tests.bench.sample import Sample, figures, measure
from tests.bench.targets import Target, processor
from tests.cluster_tool.progress import step

WARM_UP = 10
"""Runs that are not measured."""

SHARE = 0.7
"""Of the ceiling, that is to be reached."""


def run(plan: Plan) -> Outcome:
    """The same writes by a bare load generator, beside the operator's."""
    count = plan.sized(500)
    with Arena(plan.folder / "ceiling") as arena:
        arena.start_leading()
        measure(arena, RUNS, WARM_UP)
        with step(f"{count} ActorRuns by the operator"):
            own = measure(arena, RUNS, count)
        with step(f"{count} ActorRuns by rote"):
            bare = _by_rote(arena, count)
    named = {"operator": figures(own), "by rote": figures(bare)}
    target = Target(
        "ceiling: runs finished a second, over the same writes by rote",
        own.per_second / bare.per_second,
        SHARE,
        least=True,
        why=f"Operator: {processor(own)} By rote: {processor(bare)}",
    )
    table = columns(f"{count} at once, by the operator and by rote", named)
    return Outcome([table], [target], {"operator": own, "by rote": bare})


def _by_rote(arena: Arena, count: int) -> Sample:
    (place,) = arena.namespaces()
    recipe = take_down(arena, place)
    arena.leader.stop()
    (place,) = arena.namespaces()
    meter, writer = Meter(arena), BareWriter(arena, recipe)
    with meter, writer, Observer(arena.plane, RUNS, place, writer.hear) as observer:
        for creation in creations(RUNS, [place], count):
            writer.start(creation)
        observer.wait(count, seconds=60 + count)
    return Sample(RUNS.kind, count, observer.moments, meter.costs, meter.server, 0.0)
