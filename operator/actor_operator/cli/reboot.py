"""``actorctl reboot``: give a running run a new pod."""

import click

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.cli.asking import ask
from actor_operator.cli.completions import run_names
from actor_operator.cli.objects import read_run
from actor_operator.cli.options import cluster_options
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session, with_cluster


@click.command("reboot")
@click.argument("name", shell_complete=run_names)
@cluster_options
def reboot(name: str) -> None:
    """Start the container of a running run anew, in a new pod."""

    async def work(session: Session) -> None:
        run = await read_run(session, name)
        status, asked = run.view.status, run.view.spec.reboot
        if status.phase is not Phase.RUNNING:
            raise CommandError(
                f"{name} is {status.phase}: only a RUNNING run can be rebooted.",
                f"How it is: {session.command('explain', name)}",
            )
        count = status.stats.reboot_count + 1
        if asked is not None and (asked.attempt, asked.count) == (status.attempt, count):
            click.echo(f"{name} is being rebooted already.")
            return
        await ask(session, run, "reboot", {"attempt": status.attempt, "count": count})
        click.echo(f"{name} is being rebooted.")

    with_cluster(work)
