"""``make spec-changes``: change every field of every kind to anything, beside a running operator.

python -m tests.spec_changes --changes 2000 [--seed 1] [--lanes 8]
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import click
from tests.cluster_tool import interrupts
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.progress import say, step
from tests.spec_changes.campaign import Campaign
from tests.support.fleet import Fleet
from tests.support.invariants import violations
from tests.support.operators import install_rights
from tests.support.recorder import Recorder

SIMULATED_NODES = 3


@click.command()
@click.option("--changes", default=2000, show_default=True, help="How many, at least.")
@click.option("--seed", type=int, help="Which; without it others each time.")
@click.option("--lanes", default=8, show_default=True, help="Objects at the same time.")
def main(changes: int, seed: int | None, lanes: int) -> None:
    """Change specs; ends with code 1 when one is refused without words, or not followed."""
    seed = random.SystemRandom().randrange(10**9) if seed is None else seed
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="actor-operator-changes-") as name,
        ControlPlane(simulated_nodes=SIMULATED_NODES) as plane,
        Recorder(plane, Path(name) / "history.jsonl") as recorder,
    ):
        install_rights(plane)
        fleet = Fleet(plane, Path(name))

        try:
            with step("Starting the operator"):
                (operator,) = fleet.ensure(1)
            say(f"{changes} changes, seed {seed}")
            campaign = Campaign(plane, recorder, changes=changes, seed=seed, say=say)
            tally = campaign.run(lanes)
            operator.check()
            found = [*tally.violations, *operator.raised]
        except BaseException:
            recorder.break_off("the campaign is given up")
            raise
        finally:
            fleet.stop()
        for namespace in sorted(recorder.namespaces()):
            found += [f"{namespace}: {text}" for text in violations(recorder.history(namespace))]
    for text in found:
        click.echo(text)
    say(
        f"changes: {tally.changes}, refused in words: {tally.refused}, ends compared:"
        f" {tally.converged}, violations: {len(found)}, {(time.monotonic() - begun) / 60:.1f} min"
    )
    sys.exit(bool(found))


if __name__ == "__main__":
    with interrupts.as_exit_codes():
        main()
