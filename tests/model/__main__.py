"""``make model``: many random stories of the pure core, on all cores, until one goes wrong.

python -m tests.model --examples 200000 [--machine run] [--seed 1]
"""

import os
import random
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context

import click
from tests.cluster_tool.progress import say
from tests.model.search import MACHINES, Part, be_quiet, parts, search

TELL_SECONDS = 30.0
"""How often progress is told."""

POSITIVE = click.IntRange(min=1)


@click.command()
@click.option("--examples", type=POSITIVE, default=10_000, help="Of each machine (10000).")
@click.option("--machine", type=click.Choice([*MACHINES]), multiple=True, help="Only this one.")
@click.option("--seed", type=int, help="Of the first part; without it a new one each time.")
@click.option(
    "--workers", type=POSITIVE, help="Processes side by side; as many as there are cores."
)
def main(examples: int, machine: tuple[str, ...], seed: int | None, workers: int | None) -> None:
    """Run the state machines; ends with code 1 and a story when one finds a counterexample."""
    first = random.SystemRandom().randrange(10**9) if seed is None else seed
    names = [*(machine or MACHINES)]
    say(f"{examples} examples of {' and '.join(names)}, seeds from {first}")
    begun = time.monotonic()
    try:
        found = run([*parts(names, examples, first)], workers or os.cpu_count() or 1)
    except KeyboardInterrupt:
        say("Interrupted.")
        sys.exit(130)
    minutes = (time.monotonic() - begun) / 60
    for part, story in found:
        click.echo(f"\n{story}\nAgain: {command(part)}")
    say(f"examples: {examples} of each machine, counterexamples: {len(found)}, {minutes:.1f} min")
    sys.exit(bool(found))


def run(todo: list[Part], workers: int) -> list[tuple[Part, str]]:
    """Search all parts side by side, until the first that finds something."""
    total, done, found = sum(part.examples for part in todo), 0, []
    waiting, told = iter(todo), time.monotonic()
    # A fresh interpreter each: a fork would share what Hypothesis knows of the parent.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=be_quiet)
    with pool:
        running: dict[Future[str | None], Part] = {}
        for part in islice(waiting, workers):
            running[pool.submit(search, part)] = part
        while running:
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                part, story = running.pop(future), future.result()
                done += part.examples
                if story is not None:
                    found.append((part, story))
                following = None if found else next(waiting, None)
                if following is not None:
                    running[pool.submit(search, following)] = following
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                say(f"{done} of {total} examples")
    return found


def command(part: Part) -> str:
    """What repeats one part."""
    return (
        f"python -m tests.model --machine {part.machine} --seed {part.seed}"
        f" --examples {part.examples} --workers 1"
    )


if __name__ == "__main__":
    main()
