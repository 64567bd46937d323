"""python -m tests.faults campaign [--plans N] [--seed S] | run FILE... | points [WORKLOAD...]"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from tests.cluster_tool import interrupts
from tests.cluster_tool.control_plane import ControlPlane
from tests.faults import generate
from tests.faults.lanes import Lanes
from tests.faults.plan import Plan
from tests.faults.report import Report
from tests.faults.stage import Stage
from tests.faults.workloads import WORKLOADS
from tests.support.recorder import Recorder

SIMULATED_NODES = 3

FAILED = Path("failed-plans")
"""Where plans are kept that failed."""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def main() -> None:
    """Let things go wrong between an operator and a real API server."""


@main.command()
@click.option("--plans", default=1500, show_default=True, help="How many.")
@click.option("--seed", default=1, show_default=True, help="Which of all that could be made.")
@click.option("--lanes", default=8, show_default=True, help="How many at the same time.")
@click.option("--workload", "names", multiple=True, type=click.Choice(list(WORKLOADS)))
def campaign(plans: int, seed: int, lanes: int, names: tuple[str, ...]) -> None:
    """Make plans and run them; ends with code 1 when an invariant was broken."""
    with _lanes(lanes) as running:
        click.echo("First all work when nothing goes wrong...")
        references = {name: running.reference(name) for name in names or WORKLOADS}
        writes = {name: found.result().writes for name, found in references.items()}
        _tell(running, generate.campaign(writes, plans, seed))


@main.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--times", default=1, show_default=True, help="How often each.")
@click.option("--lanes", default=4, show_default=True, help="How many at the same time.")
def run(files: tuple[Path, ...], times: int, lanes: int) -> None:
    """Run the plans of some files; ends with code 1 when an invariant was broken."""
    with _lanes(lanes) as running:
        _tell(running, [Plan.read(file) for file in files for _ in range(times)])


@main.command()
@click.argument("names", nargs=-1, type=click.Choice(list(WORKLOADS)))
def points(names: tuple[str, ...]) -> None:
    """Print what the operator writes for each workload when nothing goes wrong."""
    with _lanes(4) as running:
        references = {name: running.reference(name) for name in names or WORKLOADS}
        for name, reference in references.items():
            result = reference.result()
            click.echo("\n    ".join([f"{name} ({result.seconds:.1f} s)", *result.writes]))
            for text in result.violations:
                click.echo(text)


@contextmanager
def _lanes(count: int) -> Iterator[Lanes]:
    with (
        tempfile.TemporaryDirectory(prefix="actor-operator-faults-") as name,
        ControlPlane(simulated_nodes=SIMULATED_NODES) as plane,
        Recorder(plane, Path(name) / "history.jsonl") as recorder,
        Stage(plane, recorder, Path(name)) as stage,
        Lanes(stage, count) as lanes,
    ):
        yield lanes


def _tell(running: Lanes, plans: list[Plan]) -> None:
    report = Report(len(plans), FAILED)
    for result in running.run(plans):
        report.add(result)
    click.echo(str(report))
    sys.exit(bool(report.violations))


if __name__ == "__main__":
    with interrupts.as_exit_codes():
        main()
