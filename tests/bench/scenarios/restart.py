"""A new process among many finished runs, and what a run costs among them."""

import time

from tests.bench.arena import Arena
from tests.bench.contenders import RUNS
from tests.bench.etcd import copy_run
from tests.bench.load import creations, send
from tests.bench.observer import FINISHED, POD, Observer
from tests.bench.plan import Plan
from tests.bench.report import Outcome, columns
from tests.bench.sample import Sample, measure
from tests.bench.targets import Target
from tests.cluster_tool.progress import step

SIZES = (1_000, 10_000, 30_000)
"""Finished runs that are there."""

BURST = 200
"""Runs whose cost is measured among them."""

PATIENCE_SECONDS = 120.0
"""How long the first pod of a new process may take."""


def run(plan: Plan) -> Outcome:
    """Restart among 1,000, 10,000 and 30,000 finished runs, and the cost of a run among them."""
    found: dict[int, dict[str, float]] = {}
    samples: dict[int, Sample] = {}
    with Arena(plan.folder / "restart") as arena:
        arena.start_leading()
        (old,) = arena.namespaces()
        with Observer(arena.plane, RUNS, old) as observer:
            send(arena.plane, creations(RUNS, [old], 1))
            observer.wait(1, PATIENCE_SECONDS)
        there = 0
        for size in map(plan.sized, SIZES):
            arena.leader.stop()
            with step(f"Copying a finished run up to {size}"):
                copy_run(arena.plane.etcd_url, old, "x-0", size - there, f"old-{size}")
            there = size
            with step("Restarting"):
                found[size] = _restart(arena)
            with step("A burst"):
                samples[size] = measure(arena, RUNS, plan.sized(BURST))
            found[size] |= {
                "burst: CPU of operator, ms": samples[size].operator_ms,
                "burst: finished per second": samples[size].per_second,
            }
    named = {f"{size:,}": figures for size, figures in found.items()}
    targets = _targets(list(found.values()))
    return Outcome([columns("finished runs", named)], targets, {"found": found, "bursts": samples})


def _restart(arena: Arena) -> dict[str, float]:
    """Start a process while a run waits for it; seconds from its start."""
    (place,) = arena.namespaces()
    with Observer(arena.plane, RUNS, place) as observer:
        send(arena.plane, creations(RUNS, [place], 1))
        begun = time.monotonic()
        replica = arena.start()
        observer.wait(1, PATIENCE_SECONDS, POD)
        spent = replica.cpu_seconds
        observer.wait(1, PATIENCE_SECONDS, FINISHED)
    return {
        "process start → first pod, s": min(observer.moments[POD].values()) - begun,
        "CPU of operator until then, s": spent,
        "RSS of operator, MB": replica.memory_mbytes,
    }


def _targets(found: list[dict[str, float]]) -> list[Target]:
    few, many, most = found
    growth = most["burst: CPU of operator, ms"] / few["burst: CPU of operator, ms"]
    return [
        Target(
            "restart among 10,000: process start → first pod",
            many["process start → first pod, s"],
            3,
            "s",
            why=f"{many['CPU of operator until then, s']:.1f} s of it are its own processor time.",
        ),
        Target("restart among 10,000: memory", many["RSS of operator, MB"], 150, "MB"),
        Target("cost of a run among 30,000, over that among 1,000", growth, 1.2),
    ]
