"""``make bench``: bursts of runs beside bursts of Jobs, on a real control plane."""

import os
import sys
import tempfile
import time
from pathlib import Path

import click
from tests.bench.burst import Arena, Burst
from tests.bench.contenders import JOBS, RUNS
from tests.bench.report import table, write
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.progress import console, say, step
from tests.support.operators import Credentials, OperatorProcess, chart_settings, install_rights

RESULTS = Path(__file__).parents[2] / "build" / "bench"
"""Where raw figures go."""

UNLIMITED = ("--kube-api-qps=1000", "--kube-api-burst=2000")
"""Lets a program ask as often as it likes; by default it waits after a few calls a second."""

TUNED = {
    "kube-controller-manager": (*UNLIMITED, "--concurrent-job-syncs=50"),
    "kube-scheduler": UNLIMITED,
}
"""Flags with which the Job controller is fastest, and the scheduler keeps neither kind waiting."""

SIMULATED_NODES = 5
"""They have room for 5000 pods."""

WARM_UP = 10
"""Objects of each kind that are not measured."""

POSITIVE = click.IntRange(min=1)


@click.command()
@click.option("--count", type=POSITIVE, default=200, help="Objects in each burst (200).")
@click.option("--rounds", type=POSITIVE, default=2, help="Bursts of each kind (2).")
def main(count: int, rounds: int) -> None:
    """Measure bursts of runs of one second beside Jobs with the same pod."""
    load = os.getloadavg()[0]
    try:
        bursts = measure(count, rounds)
    except ClusterToolError as error:
        console.print(f"Error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    path = RESULTS / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
    write(path, load, bursts)
    say(f"{count} objects a burst, {os.cpu_count()} cores, load before {load:.1f}")
    console.print(table(bursts))
    click.echo(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def measure(count: int, rounds: int) -> list[Burst]:
    """Start everything, warm up, and measure runs and Jobs in turn."""
    plane = ControlPlane(simulated_nodes=SIMULATED_NODES, extra=TUNED)
    bursts = []
    with tempfile.TemporaryDirectory() as folder, plane:
        with step("Starting the operator"):
            operator = start_operator(plane, Path(folder))
        arena = Arena(plane, operator)
        with step("Warming up"):
            for contender in (RUNS, JOBS):
                arena.measure(contender, WARM_UP)
        for number in range(rounds):
            # Who comes second finds more objects in the store: each does once.
            for contender in (RUNS, JOBS) if number % 2 == 0 else (JOBS, RUNS):
                with step(f"{count} {contender.kind}s"):
                    bursts.append(arena.measure(contender, count))
        operator.stop()
    return bursts


def start_operator(plane: ControlPlane, folder: Path) -> OperatorProcess:
    """The operator with the chart's settings and rights, when it leads."""
    install_rights(plane)
    credentials = Credentials(plane, "bench", folder)
    operator = OperatorProcess("bench", credentials, chart_settings(), folder)
    operator.wait_ready()
    operator.wait_leading()
    return operator


if __name__ == "__main__":
    main()
