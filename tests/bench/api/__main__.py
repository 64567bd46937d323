"""``make bench-api``: the API server on one core, beside a bare baseline in the same run."""

import os
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import click
import msgspec
import uvloop
from rich.console import Console
from tests.bench.api.arena import Arena, open_arena
from tests.bench.api.client import Call, Calls, Sample, measure
from tests.bench.api.crowd import Crowd, measure_in_crowd
from tests.bench.api.operations import OPERATIONS, Operation
from tests.bench.api.report import Round, as_json, of_samples, table
from tests.bench.api.starts import Starts, measure_starts

from actor_operator.log import configure

RESULTS = Path(__file__).parents[3] / "build" / "bench"
"""Where raw figures go."""

POSITIVE = click.IntRange(min=1)


@click.command()
@click.option("--rounds", type=POSITIVE, default=3, help="Measurements of each operation (3).")
@click.option("--seconds", type=float, default=2.0, help="Length of a measurement (2).")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the data is (temporary).")
@click.option("--only", default="", help="Only operations with this in their name.")
@click.option("--bucket", is_flag=True, help="Large bodies in a bucket of SeaweedFS, not a folder.")
def main(rounds: int, seconds: float, folder: Path | None, only: str, *, bucket: bool) -> None:
    """Measure the API server with SQLite and a folder, or a bucket, on one core."""
    configure(level="WARNING", json=False)
    load = os.getloadavg()[0]
    chosen = [operation for operation in OPERATIONS if only in operation.name]
    with tempfile.TemporaryDirectory(dir=folder) as made:
        arena = open_arena(Path(made), bucket=bucket)
        found, more = uvloop.run(_measure(arena, chosen, rounds, seconds, full=not only))
    path = RESULTS / f"api-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_json(load, found, msgspec.to_builtins(more)))
    console = Console(width=180)
    console.print(f"{rounds} rounds of {seconds:g} s; {os.cpu_count()} cores; load {load:.1f}")
    console.print(table(found, {operation.name: operation.units for operation in OPERATIONS}))
    for name, figures in more.items():
        console.print(f"{name}: {figures}", highlight=False)
    click.echo(path)


async def _measure(
    opening: AbstractAsyncContextManager[Arena],
    chosen: list[Operation],
    rounds: int,
    seconds: float,
    *,
    full: bool,
) -> tuple[list[Round], dict[str, Starts | Crowd]]:
    more: dict[str, Starts | Crowd] = {}
    async with opening as arena:
        prepared = [(operation, await operation.prepare(arena)) for operation in chosen]
        found = []
        for number in range(rounds):
            for operation, calls in prepared:
                side = arena.long if calls.long else arena.served
                served, bare = (
                    _both(side.port, side.headers, calls.served, operation, seconds),
                    _both(arena.bare.port, {}, calls.bare, operation, seconds),
                )
                # Who comes second finds more on the disk: each does.
                first, second = (served, bare) if number % 2 == 0 else (bare, served)
                await _forget(arena)
                results = {one: await one for one in (first, second)}
                spent = await _forget(arena)
                found.append(of_samples(operation.name, *results[served], *results[bare], spent))
        if full:
            more["start of a run"] = await measure_starts(arena)
            more["push of 1 item"] = await measure_in_crowd(arena, seconds)
    return found, more


async def _both(
    port: int, headers: dict[str, str], calls: Calls, operation: Operation, seconds: float
) -> tuple[Sample, Sample]:
    """Ask alone, and with all connections."""
    alone = await measure(port, headers, calls, connections=1, seconds=seconds / 2)
    busy = await measure(port, headers, calls, connections=operation.connections, seconds=seconds)
    return alone, busy


async def _forget(arena: Arena) -> list[float]:
    """What the baseline spent without HTTP since it was asked for that last."""
    return list(msgspec.json.decode(await arena.bare.ask(Call("GET", "/spent/x"))))


if __name__ == "__main__":
    main()
