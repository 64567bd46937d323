"""``make soak``: users at work on a real control plane while the leader is killed twice a minute.

python -m tests.soak --minutes 60 [--lanes 16] [--seed 1]
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

import click
from tests.cluster_tool import interrupts
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.progress import say
from tests.soak.arena import Arena
from tests.soak.memory import growth
from tests.support.operators import install_rights
from tests.support.recorder import Recorder

SIMULATED_NODES = 3

KEPT = Path(__file__).parents[2] / "build" / "soak"
"""Where histories are kept in which an invariant was broken."""

MOST_GROWTH = 10.0
"""By so many percent may processes grow."""


@click.command()
@click.option("--minutes", type=click.FloatRange(min=1), default=60.0, show_default=True)
@click.option("--lanes", default=16, show_default=True, help="Users at the same time.")
@click.option("--seed", type=int, help="What users do; without it something else each time.")
def main(minutes: float, lanes: int, seed: int | None) -> None:
    """Soak the operator; ends with code 1 when an invariant was broken or processes grow."""
    seed = random.SystemRandom().randrange(10**9) if seed is None else seed
    say(f"{minutes:g} minutes, {lanes} users, {os.cpu_count()} cores, seed {seed}")
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="actor-operator-soak-") as name,
        ControlPlane(simulated_nodes=SIMULATED_NODES) as plane,
        Recorder(plane, Path(name) / "history.jsonl") as recorder,
    ):
        install_rights(plane)
        arena = Arena(plane, recorder, Path(name), KEPT)
        soaked = time.monotonic()
        arena.soak(minutes * 60, lanes, seed, say)
        soaked = time.monotonic() - soaked
    tally = arena.tally
    for text in tally.violations:
        click.echo(text)
    grown = growth(tally.samples, soaked)
    told = "too short to tell" if grown is None else f"{grown:+.1f} %"
    most = max((sample.mbytes for sample in tally.samples), default=0.0)
    say(
        f"runs: {tally.runs}, leaders killed: {tally.kills}, violations: {len(tally.violations)},"
        f" memory: {told} (at most {most:.0f} MB), {(time.monotonic() - begun) / 60:.1f} min"
    )
    sys.exit(bool(tally.violations) or (grown is not None and grown > MOST_GROWTH))


if __name__ == "__main__":
    with interrupts.as_exit_codes():
        main()
