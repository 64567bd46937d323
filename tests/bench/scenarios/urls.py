"""Runs with a URL: a Service and an Ingress for each."""

from tests.bench.arena import Arena, must
from tests.bench.contenders import RUNS
from tests.bench.plan import Plan
from tests.bench.report import Outcome, columns
from tests.bench.sample import figures, measure
from tests.bench.targets import Target
from tests.chart.helm import INGRESS
from tests.cluster_tool.progress import step

CLASS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "web"},
    "spec": {"controller": "example.com/none"},
}
"""The class of the Ingresses; nothing serves it."""

WARM_UP = 10
"""Runs that are not measured."""


def run(plan: Plan) -> Outcome:
    """1,000 at once, each with a Service and an Ingress."""
    count = plan.sized(1000)
    with Arena(plan.folder / "urls", values=INGRESS) as arena:
        client = arena.client()
        must(client, "POST", "/apis/networking.k8s.io/v1/ingressclasses", CLASS)
        client.close()
        arena.start_leading()
        measure(arena, RUNS, WARM_UP)
        with step(f"{count} ActorRuns with a URL at once"):
            sample = measure(arena, RUNS, count)
    targets = [
        Target("with a URL: writes for a run", sample.costs.writes / count, 9.05),
        Target("with a URL: refused writes", sample.costs.refused, 0),
    ]
    table = columns(f"{count} at once, with a URL", {RUNS.kind: figures(sample)})
    return Outcome([table], targets, sample)
