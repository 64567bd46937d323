"""``actorctl url``: where the web server of a run is."""

import click

from actor_operator.cli.completions import live_run_names
from actor_operator.cli.options import cluster_options
from actor_operator.cli.reaching import find_url, timeout_option
from actor_operator.cli.session import Session, with_cluster


@click.command("url")
@click.argument("name", shell_complete=live_run_names)
@click.option("--wait", is_flag=True, help="Wait until requests reach the run.")
@timeout_option
@cluster_options
def url(*, name: str, wait: bool, timeout: int | None) -> None:
    """Print the URL of a run's web server."""
    if timeout is not None and not wait:
        raise click.UsageError("--timeout goes with --wait.")

    async def work(session: Session) -> str:
        return await find_url(session, name, wait=wait, seconds=timeout)

    click.echo(with_cluster(work))
