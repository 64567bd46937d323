"""Many runs reach their timeout in the same second."""

from dataclasses import replace

from tests.bench.arena import Arena
from tests.bench.contenders import RUNS
from tests.bench.costs import Meter
from tests.bench.load import Send, creations, send
from tests.bench.observer import FINISHED, RUNNING, Observer
from tests.bench.plan import Plan
from tests.bench.report import Outcome, columns
from tests.bench.sample import quantile
from tests.bench.targets import Target
from tests.cluster_tool.progress import step

from actor_operator.api.v1alpha1.phase import Phase

PER_SECOND = 10
"""How many runs are created: so few that each starts at once."""

LAST_SECONDS = 20
"""Timeout of the last ones; each second before, it is a second more."""


def run(plan: Plan) -> Outcome:
    """500 runs that time out in the same second."""
    count = plan.sized(500)
    with Arena(plan.folder / "timeouts") as arena:
        arena.start_leading()
        (place,) = arena.namespaces()
        requests = _requests(place, count)
        meter = Meter(arena)
        with meter, Observer(arena.plane, RUNS, place) as observer:
            with step(f"{count} runs start"):
                send(arena.plane, requests, PER_SECOND)
            with step("All time out"):
                observer.wait(count, 120 + count)
    moments = observer.moments
    due = {
        request.name: moments[RUNNING][request.name] + request.body["spec"]["timeoutSecs"]
        for request in requests
    }
    late = sorted(moments[FINISHED][name] - due[name] for name in due)
    told = sorted(moments[Phase.TIMING_OUT][name] - due[name] for name in due)
    found = {
        "timed out": len(moments[Phase.TIMED_OUT]),
        "due within, s": max(due.values()) - min(due.values()),
        "due → TIMING-OUT, p50, ms": quantile(told, 0.5) * 1000,
        "due → TIMING-OUT, p99, ms": quantile(told, 0.99) * 1000,
        "due → TIMED-OUT, p50, ms": quantile(late, 0.5) * 1000,
        "due → TIMED-OUT, p99, ms": quantile(late, 0.99) * 1000,
        "CPU of operator, ms": meter.costs.cpu["operator"] / count * 1000,
        "writes of operator": meter.costs.writes / count,
    }
    targets = [
        Target(
            "timeouts: runs that are TIMED-OUT", len(moments[Phase.TIMED_OUT]), count, least=True
        ),
        Target("timeouts: refused writes", meter.costs.refused, 0),
    ]
    raw = {"due": due, "moments": moments, "costs": meter.costs}
    return Outcome([columns("in the same second", {f"{count} runs": found})], targets, raw)


def _requests(place: str, count: int) -> list[Send]:
    """Runs whose timeouts, by the time of their creation, come together."""
    seconds = count // PER_SECOND
    found = []
    for number, request in enumerate(creations(RUNS.having(actor="endless"), [place], count)):
        timeout = LAST_SECONDS + seconds - number // PER_SECOND
        spec = {**request.body["spec"], "timeoutSecs": timeout}
        found.append(replace(request, body={**request.body, "spec": spec}))
    return found
