"""Many runs are aborted at once."""

from tests.bench.arena import Arena
from tests.bench.contenders import RUNS
from tests.bench.costs import Meter
from tests.bench.load import Send, creations, send
from tests.bench.observer import FINISHED, Observer
from tests.bench.plan import Plan
from tests.bench.report import Outcome, columns
from tests.bench.sample import quantile, stretch
from tests.bench.targets import Target
from tests.cluster_tool.progress import step
from tests.support.rest import MERGE_PATCH

from actor_operator.api.v1alpha1.phase import Phase

ABORT = {"spec": {"abort": {"attempt": 1, "mode": "Immediate"}}}
"""The request."""


def run(plan: Plan) -> Outcome:
    """500 runs that are running are aborted at once."""
    count = plan.sized(500)
    endless = RUNS.having(actor="endless")
    with Arena(plan.folder / "aborts") as arena:
        arena.start_leading()
        (place,) = arena.namespaces()
        with Observer(arena.plane, RUNS, place) as observer:
            with step(f"{count} runs start"):
                requests = creations(endless, [place], count)
                send(arena.plane, requests)
                observer.wait(count, 60 + count, Phase.RUNNING)
            meter = Meter(arena)
            with step("All are aborted"), meter:
                sent = send(arena.plane, [_abort(request) for request in requests])
                observer.wait(count, 60 + count)
    moments = observer.moments
    to_aborting = stretch(sent, moments[Phase.ABORTING])
    to_end = stretch(sent, moments[FINISHED])
    found = {
        "aborted": len(moments[Phase.ABORTED]),
        "asked → ABORTING, p50, ms": quantile(to_aborting, 0.5) * 1000,
        "asked → ABORTING, p99, ms": quantile(to_aborting, 0.99) * 1000,
        "asked → ABORTED, p50, ms": quantile(to_end, 0.5) * 1000,
        "asked → ABORTED, p99, ms": quantile(to_end, 0.99) * 1000,
        "CPU of operator, ms": meter.costs.cpu["operator"] / count * 1000,
        "writes of operator": meter.costs.writes / count,
    }
    targets = [
        Target("aborts: runs that are ABORTED", len(moments[Phase.ABORTED]), count, least=True),
        Target("aborts: refused writes", meter.costs.refused, 0),
    ]
    raw = {"sent": sent, "moments": moments, "costs": meter.costs}
    return Outcome([columns("aborted at once", {f"{count} runs": found})], targets, raw)


def _abort(creation: Send) -> Send:
    name = creation.name.split("/")[1]
    return Send(creation.name, "PATCH", f"{creation.path}/{name}", ABORT, MERGE_PATCH)
