"""Many accounts whose memory is not enough for all of their runs."""

import itertools
from collections import defaultdict

from tests.bench.arena import Arena, must
from tests.bench.contenders import RUNS
from tests.bench.observer import ENDED, POD, Moments
from tests.bench.plan import Plan
from tests.bench.report import Outcome, columns
from tests.bench.sample import figures, measure
from tests.bench.targets import Target
from tests.cluster_tool.progress import step
from tests.support.rest import GROUP_PATH

ACCOUNTS = 200
"""Each with a limit of its own."""

AT_ONCE = 2
"""Runs that an account has memory for."""

RUNS_EACH = 5
"""Of an account."""


def run(plan: Plan) -> Outcome:
    """200 accounts with memory for 2 runs each, and 5 runs each at once."""
    count = plan.sized(ACCOUNTS)
    with Arena(plan.folder / "accounts") as arena:
        arena.start_leading()
        with step(f"{count} accounts"):
            places = arena.namespaces(count)
            client = arena.client()
            for place in places:
                must(client, "POST", f"{GROUP_PATH}/actoraccounts", _account(place))
            client.close()
        with step(f"{RUNS_EACH} ActorRuns for each"):
            sample = measure(arena, RUNS, count * RUNS_EACH, namespaces=places)
    most = most_at_once(sample.moments, ENDED)
    targets = [
        Target("accounts: most pods of an account at once", most, AT_ONCE),
        Target("accounts: refused writes", sample.costs.refused, 0),
    ]
    table = columns(f"{count} accounts with {RUNS_EACH} runs each", {RUNS.kind: figures(sample)})
    return Outcome([table], targets, sample)


def _account(name: str) -> dict[str, object]:
    return {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorAccount",
        "metadata": {"name": name},
        "spec": {"memoryLimitMbytes": 128 * AT_ONCE},
    }


def most_at_once(moments: Moments, until: str) -> int:
    """Most runs of one namespace between their pod and another moment."""
    steps: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for key, at in moments.get(until, {}).items():
        steps[key.split("/")[0]] += [(moments[POD][key], 1), (at, -1)]
    return max((_most(sorted(each)) for each in steps.values()), default=0)


def _most(steps: list[tuple[float, int]]) -> int:
    return max(itertools.accumulate(change for _, change in steps))
