"""``actorctl get``: runs in a table, or as API objects."""

from dataclasses import dataclass

import click

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.cli.completions import actor_names, run_names
from actor_operator.cli.follow import follow_runs
from actor_operator.cli.format import RUN_COLUMNS, WIDE_RUN_COLUMNS, run_cells
from actor_operator.cli.objects import Run, list_runs, read_run
from actor_operator.cli.options import cluster_options, output_option
from actor_operator.cli.output import Table, print_objects
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session, with_cluster
from actor_operator.clock import SystemClock

GONE = "(deleted)"
"""What a table that is watched shows as the phase of a deleted run."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs."""

    names: tuple[str, ...]
    namespace: str | None
    """``None`` for all namespaces."""
    phase: str | None
    actor: str | None

    def field_selector(self) -> str:
        """What the API server selects by."""
        fields = {"status.phase": self.phase, "spec.actor": self.actor}
        if self.names:
            fields["metadata.name"] = self.names[0]
        return ",".join(f"{field}={value}" for field, value in fields.items() if value)


@click.command("get")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=run_names)
@click.option("-A", "--all-namespaces", is_flag=True, help="Runs of all namespaces.")
@click.option(
    "--phase", type=click.Choice(Phase, case_sensitive=False), help="Only runs in this phase."
)
@click.option("--actor", shell_complete=actor_names, help="Only runs of this Actor.")
@click.option("-w", "--watch", is_flag=True, help="Go on with each change.")
@output_option("wide", "json", "yaml", "name")
@cluster_options
def get(
    *,
    names: tuple[str, ...],
    all_namespaces: bool,
    phase: Phase | None,
    actor: str | None,
    watch: bool,
    output: str | None,
) -> None:
    """List runs, the newest last. With names, only those."""
    if names and (all_namespaces or phase or actor):
        raise click.UsageError("Names go with neither --all-namespaces nor --phase nor --actor.")
    if watch and (len(names) > 1 or output in {"json", "yaml"}):
        raise click.UsageError("--watch goes with one name at most, and with -o wide or name only.")

    async def work(session: Session) -> None:
        namespace = None if all_namespaces else session.namespace
        selection = Selection(names, namespace, phase, actor)
        runs, problem = await _read(session, selection)
        listing = _Listing(output, with_namespace=all_namespaces)
        listing.show(runs, alone=len(names) == 1)
        if problem is not None:
            raise problem
        if watch:
            await _watch(session, selection, runs, listing)
        elif not runs and output in {None, "wide"}:
            session.tell(_nothing(selection))

    with_cluster(work)


class _Listing:
    """Runs as they are printed, in one of the formats."""

    def __init__(self, output: str | None, *, with_namespace: bool) -> None:
        self._output = output
        self._with_namespace = with_namespace
        columns = WIDE_RUN_COLUMNS if output == "wide" else RUN_COLUMNS
        self._table = Table(("NAMESPACE", *columns) if with_namespace else columns)

    def show(self, runs: list[Run], *, alone: bool) -> None:
        """Print runs; as a table only if there are any."""
        if self._output in {"json", "yaml", "name"}:
            objects = [run.as_dict() for run in runs]
            print_objects(objects, str(self._output), alone=alone and bool(objects))
        elif runs:
            self._table.print([self._cells(run) for run in runs])

    def show_deleted(self, run: Run) -> None:
        """Print that a run is gone."""
        if self._output != "name":
            prefix = (run.namespace,) if self._with_namespace else ()
            self._table.print([(*prefix, run.name, GONE)])

    def _cells(self, run: Run) -> tuple[str, ...]:
        cells = run_cells(run.view, SystemClock().now())
        return (run.namespace, *cells) if self._with_namespace else cells


async def _read(session: Session, selection: Selection) -> tuple[list[Run], CommandError | None]:
    """The runs; of names also what to say of those that do not exist."""
    if not selection.names:
        return await list_runs(session, selection.namespace, selection.field_selector()), None
    found: list[Run] = []
    problem: CommandError | None = None
    for name in selection.names:
        try:
            found.append(await read_run(session, name))
        except CommandError as error:
            problem = problem or error
    return found, problem


async def _watch(
    session: Session, selection: Selection, known: list[Run], listing: _Listing
) -> None:
    """Print each change, until the user has seen enough."""
    async with follow_runs(
        session, known, namespace=selection.namespace, field_selector=selection.field_selector()
    ) as changes:
        async for change in changes:
            if change.new is not None:
                listing.show([change.new], alone=True)
            elif change.old is not None:
                listing.show_deleted(change.old)


def _nothing(selection: Selection) -> str:
    filtered = " that match" if selection.phase or selection.actor else ""
    where = f"in the namespace {selection.namespace}" if selection.namespace else "in any namespace"
    return f"There are no runs{filtered} {where}."
