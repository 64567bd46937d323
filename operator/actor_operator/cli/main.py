"""``actorctl``: the group, what is common to all commands, and the program's entry."""

import sys
from pathlib import Path
from typing import Any

import click
from typing_extensions import override

from actor_operator import __version__
from actor_operator.cli.lazy import LazyCommand, LazyGroup
from actor_operator.cli.names import COMPLETE_VARIABLE, PLUGIN, PROGRAM
from actor_operator.cli.options import TRACEBACK, current_options, global_options
from actor_operator.cli.problems import CommandError, explain
from actor_operator.errors import ActorOperatorError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of shells."""

_HERE = "actor_operator.cli"

COMMANDS = {
    "run": LazyCommand(f"{_HERE}.run", "run", "Run an actor."),
    "get": LazyCommand(f"{_HERE}.get", "get", "List runs, the newest last."),
    "describe": LazyCommand(
        f"{_HERE}.describe",
        "describe",
        "Show what is known of runs: state, reasons, options, times, Events.",
    ),
    "explain": LazyCommand(
        f"{_HERE}.explain", "explain", "Say why runs wait or how they ended, and what to do."
    ),
    "logs": LazyCommand(f"{_HERE}.logs", "logs", "Show the log of a run."),
    "url": LazyCommand(f"{_HERE}.url", "url", "Print the URL of a run's web server."),
    "open": LazyCommand(
        f"{_HERE}.open",
        "open_run",
        "Open the URL of a run's web server in the browser, and print it.",
    ),
    "abort": LazyCommand(f"{_HERE}.abort", "abort", "Stop runs: at once, or gracefully."),
    "resurrect": LazyCommand(
        f"{_HERE}.resurrect",
        "resurrect",
        "Run a finished run once more: same ids and storages, a new pod.",
    ),
    "reboot": LazyCommand(
        f"{_HERE}.reboot", "reboot", "Start the container of a running run anew, in a new pod."
    ),
    "storage": LazyCommand(
        f"{_HERE}.storage",
        "storage",
        "Read and write storages through the API: key-value stores, datasets, request queues.",
    ),
    "login": LazyCommand(
        f"{_HERE}.login",
        "login",
        "Log in to an API: later commands use it, with this token.",
    ),
    "logout": LazyCommand(
        f"{_HERE}.login", "logout", "Log out of the API: forget its address and the token."
    ),
    "actors": LazyCommand(f"{_HERE}.actors", "actors", "List Actors: what can be run."),
    "accounts": LazyCommand(
        f"{_HERE}.accounts", "accounts", "List accounts: limits, memory in use, who waits."
    ),
    "token": LazyCommand(
        f"{_HERE}.tokens",
        "token",
        "Make, list and revoke tokens for the API (for administrators).",
    ),
    "operator": LazyCommand(f"{_HERE}.operate", "operator", "Be the operator."),
    "server": LazyCommand(f"{_HERE}.serve", "server", "Be the API server."),
    "crds": LazyCommand(
        f"{_HERE}.crds", "crds", "Generate the CRDs (for developers of Actor Operator)."
    ),
    "settings": LazyCommand(f"{_HERE}.settings", "settings", "Show what can be set."),
    "completion": LazyCommand(
        f"{_HERE}.completion",
        "completion",
        "Print a script that completes actorctl's command lines.",
    ),
    "version": LazyCommand(
        f"{_HERE}.version", "version", "Show the versions of this program and of the cluster."
    ),
}
"""All commands, in the order in which they are listed."""


class _Actorctl(LazyGroup):
    """Turns what went wrong into sentences."""

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        except ActorOperatorError as error:
            options = current_options()
            if options.verbose >= TRACEBACK:
                raise
            problem = explain(error, options.server)
            raise CommandError(problem.message, problem.hint) from error
        except Exception as error:
            if current_options().verbose >= TRACEBACK:
                raise
            raise CommandError(
                f"This should not happen: {type(error).__name__}: {error}",
                "Report it with what -vv shows.",
            ) from error


@click.group(cls=_Actorctl, lazy=COMMANDS)
@click.version_option(__version__, message="%(prog)s %(version)s")
@global_options
def cli() -> None:
    """Run actors on Kubernetes, and see what becomes of their runs."""


def main() -> None:
    """Be the program."""
    program = "kubectl actor" if Path(sys.argv[0]).name == PLUGIN else PROGRAM
    cli(prog_name=program, complete_var=COMPLETE_VARIABLE)
