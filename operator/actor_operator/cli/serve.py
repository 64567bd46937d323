"""``actorctl server``: the API server's process."""

import os
from pathlib import Path

import click

from actor_operator.cli.options import current_options
from actor_operator.cli.problems import SetupError
from actor_operator.errors import ConfigurationError
from actor_operator.settings import load_settings


@click.command("server")
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    help="YAML file with the settings. Default: only the environment and the defaults hold.",
)
@click.option(
    "--only",
    type=click.Choice(["events"]),
    help="Serve this part alone: events, the sockets of running actors, needs no database.",
)
def server(settings_file: Path | None, only: str | None) -> None:
    """Be the API server."""
    options = current_options()
    if options.context or options.namespace:
        raise click.UsageError(
            "The API server finds its cluster by KUBECONFIG or by the account of its pod,"
            " and its namespace in its settings."
        )
    if options.kubeconfig:
        os.environ["KUBECONFIG"] = options.kubeconfig
    try:
        settings = load_settings(settings_file)
        # Only now: the web framework takes half a second to import, the database as long again.
        if only == "events":
            from actor_operator.server.events_main import run_events

            run_events(settings)
        else:
            from actor_operator.server.main import run_api

            run_api(settings)
    except ConfigurationError as error:
        raise SetupError(str(error)) from None
