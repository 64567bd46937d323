"""``actorctl operator``: the operator's process."""

import os
from pathlib import Path

import click

from actor_operator.cli.options import current_options
from actor_operator.cli.problems import SetupError
from actor_operator.errors import ConfigurationError
from actor_operator.settings import load_settings


@click.command("operator")
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    help="YAML file with the settings. Default: only the environment and the defaults hold.",
)
def operator(settings_file: Path | None) -> None:
    """Be the operator."""
    options = current_options()
    if options.context or options.namespace:
        raise click.UsageError(
            "The operator finds its cluster by KUBECONFIG or by the account of its pod,"
            " and its namespace in its settings."
        )
    if options.kubeconfig:
        # Kopf looks for it there too.
        os.environ["KUBECONFIG"] = options.kubeconfig
    try:
        settings = load_settings(settings_file)
        # Only now: kopf takes most of a second to import.
        from actor_operator.handlers.startup import run_operator

        run_operator(settings)
    except ConfigurationError as error:
        raise SetupError(str(error)) from None
