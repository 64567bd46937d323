"""``actorctl open``: the web server of a run, in the browser."""

import webbrowser

import click

from actor_operator.cli.completions import live_run_names
from actor_operator.cli.options import cluster_options, current_options
from actor_operator.cli.problems import CommandError
from actor_operator.cli.reaching import find_url, timeout_option
from actor_operator.cli.session import Session, with_cluster

SCHEMES = ("http://", "https://")
"""How URLs begin that a browser is given: it would also open files and start programs."""


@click.command("open")
@click.argument("name", shell_complete=live_run_names)
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Wait until requests reach the run, or do not. Default: wait.",
)
@timeout_option
@cluster_options
def open_run(*, name: str, wait: bool, timeout: int | None) -> None:
    """Open the URL of a run's web server in the browser, and print it."""
    if timeout is not None and not wait:
        raise click.UsageError("--timeout goes with --wait.")

    async def work(session: Session) -> str:
        return await find_url(session, name, wait=wait, seconds=timeout)

    url = with_cluster(work)
    if not url.startswith(SCHEMES):
        raise CommandError(f"The URL of {name} is none that a browser is to open: {url}")
    # First: a browser for the terminal takes all of it until it is left.
    click.echo(url)
    if not _opened(url) and not current_options().quiet:
        click.echo("There is no browser here: open the URL yourself.", err=True)


def _opened(url: str) -> bool:
    """Whether there is a browser that took the URL."""
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False
