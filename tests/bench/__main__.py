"""``make bench``: the operator beside the built-in Job controller, on a real control plane."""

import os
import sys
import tempfile
import time
from pathlib import Path

import click
from tests.bench.catalogue import SCENARIOS, SEPARATE
from tests.bench.plan import Plan
from tests.bench.report import write
from tests.bench.targets import Target, summary
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.progress import console, say

RESULTS = Path(__file__).parents[2] / "build" / "bench"
"""Where what was measured goes."""

EVERY = {**SCENARIOS, **SEPARATE}

POSITIVE = click.IntRange(min=1)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(EVERY)))
@click.option("--quick", is_flag=True, help="A twentieth of the objects, to try it out.")
@click.option("--rounds", type=POSITIVE, default=2, help="Bursts of each kind (2).")
def main(names: tuple[str, ...], quick: bool, rounds: int) -> None:  # noqa: FBT001 -- a flag
    """Measure some scenarios, by default all of them."""
    results = RESULTS / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    results.mkdir(parents=True)
    targets: list[Target] = []
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(quick, 1 if quick else rounds, Path(folder), results)
        for name in names or SCENARIOS:
            say(f"{name}: {(EVERY[name].__doc__ or '').splitlines()[0]}")
            targets += _measure(name, plan)
    say(f"{os.cpu_count()} cores; figures are in {results}")
    for line in summary(targets):
        click.echo(line)


def _measure(name: str, plan: Plan) -> list[Target]:
    load, begun = os.getloadavg()[0], time.monotonic()
    try:
        outcome = EVERY[name](plan)
    except ClusterToolError as error:
        console.print(f"Error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    for table in outcome.tables:
        console.print(table)
    for note in outcome.notes:
        say(note)
    say(f"  load before {load:.1f}, {time.monotonic() - begun:.0f} s")
    raw = {"load": load, "quick": plan.quick, "targets": outcome.targets, "raw": outcome.raw}
    write(plan.results / f"{name}.json", raw)
    return list(outcome.targets)


if __name__ == "__main__":
    main()
