"""The leader goes while runs come: for how long nothing is done."""

import itertools
import threading
import time
from collections.abc import Callable

from tests.bench.arena import Arena
from tests.bench.contenders import RUNS
from tests.bench.load import creations, send
from tests.bench.observer import POD, Observer
from tests.bench.plan import Plan
from tests.bench.report import Outcome, columns
from tests.bench.targets import Target
from tests.cluster_tool.progress import step
from tests.support.operators import OperatorProcess

PER_SECOND = 20
"""How many runs come."""

BEFORE_SECONDS = 5.0
"""How long they come before the leader goes."""

WAYS: dict[str, tuple[Callable[[OperatorProcess], object], float]] = {
    "crash": (OperatorProcess.kill, 20),
    "graceful": (OperatorProcess.stop, 2),
}
"""How the leader goes, and for how many seconds nothing may be done."""


def run(plan: Plan) -> Outcome:
    """The leader of two replicas goes under 20 runs a second: killed, and in order."""
    gaps: dict[str, float] = {}
    raw = {}
    with Arena(plan.folder / "failover") as arena:
        arena.start_leading()
        for way, (end, _) in WAYS.items():
            arena.start().wait_ready()
            with step(f"The leader goes: {way}"):
                gaps[way], raw[way] = _go(arena, end, plan.sized(400))
    table = columns("seconds without a new pod", {way: {"longest": gaps[way]} for way in WAYS})
    targets = [
        Target(f"failover ({way}): longest time without a new pod", gaps[way], limit, "s")
        for way, (_, limit) in WAYS.items()
    ]
    return Outcome([table], targets, raw)


def _go(
    arena: Arena, end: Callable[[OperatorProcess], object], count: int
) -> tuple[float, dict[str, float]]:
    """Returns the longest pause between two new pods after the leader went, and all of them."""
    (place,) = arena.namespaces()
    leader = arena.leader
    with Observer(arena.plane, RUNS, place) as observer:
        requests = creations(RUNS, [place], count)
        load = threading.Thread(target=send, args=(arena.plane, requests, PER_SECOND))
        load.start()
        time.sleep(min(BEFORE_SECONDS, count / PER_SECOND / 2))
        gone = time.monotonic()
        end(leader)
        load.join()
        observer.wait(count, seconds=120 + count)
    pods = observer.moments[POD]
    after = [gone, *sorted(at for at in pods.values() if at > gone)]
    return max(b - a for a, b in itertools.pairwise(after)), pods
