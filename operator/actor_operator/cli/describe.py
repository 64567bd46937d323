"""``actorctl describe``: all that a user wants to know of a run."""

import click

from actor_operator.cli.completions import run_names
from actor_operator.cli.description import describe_run
from actor_operator.cli.events import list_events
from actor_operator.cli.objects import read_run
from actor_operator.cli.options import cluster_options
from actor_operator.cli.session import Session, with_cluster
from actor_operator.clock import SystemClock
from actor_operator.kube.errors import ForbiddenError


@click.command("describe")
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=run_names)
@cluster_options
def describe(names: tuple[str, ...]) -> None:
    """Show what is known of runs: state, reasons, options, times, Events."""

    async def work(session: Session) -> None:
        for number, name in enumerate(names):
            if number:
                click.echo()
            await _describe(session, name)

    with_cluster(work)


async def _describe(session: Session, name: str) -> None:
    run = (await read_run(session, name)).view
    try:
        events = await list_events(session, run)
    except ForbiddenError:
        events = None
    for line in describe_run(run, events, SystemClock().now()):
        click.echo(line)
