"""``actorctl resurrect``: run a finished run once more."""

from typing import Any

import click

from actor_operator.cli.asking import ask
from actor_operator.cli.attempt import attempt_options
from actor_operator.cli.attending import attend, attend_options, require_one_output
from actor_operator.cli.completions import run_names
from actor_operator.cli.objects import Run, read_run
from actor_operator.cli.options import cluster_options, output_option
from actor_operator.cli.output import print_objects
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session, with_cluster


@click.command("resurrect")
@click.argument("name", shell_complete=run_names)
@attempt_options("what it had")
@click.option(
    "--restart-on-error/--no-restart-on-error",
    default=None,
    help="Start a container that fails again. Default: what it had.",
)
@click.option(
    "--max-items",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Most items that it may charge for. Default: what it had.",
)
@attend_options
@output_option("json", "yaml", "name")
@cluster_options
def resurrect(  # noqa: PLR0913 -- click passes each option by its name
    *,
    name: str,
    build: str | None,
    memory: str | None,
    timeout: int | None,
    restart_on_error: bool | None,
    max_items: int | None,
    wait: bool,
    logs: bool,
    output: str | None,
) -> None:
    """Run a finished run once more: same ids and storages, a new pod."""
    require_one_output(logs=logs, output=output)
    wishes = {
        "build": build,
        "memoryMbytes": int(memory) if memory else None,
        "timeoutSecs": timeout,
        "restartOnError": restart_on_error,
    }

    async def work(session: Session) -> int:
        run = await read_run(session, name)
        _require_finished(session, run)
        attempt = run.view.status.attempt + 1
        # What is not wished is written out: it takes back wishes of an earlier resurrection.
        request = {"attempt": attempt, **wishes, "limits": _limits(run, max_items)}
        asked = await ask(session, run, "resurrect", request)
        said = f"{name} is being resurrected, for attempt {attempt}."
        if wait or logs:
            return await attend(
                session, asked, said=said, logs=logs, output=output, attempt=attempt
            )
        if output:
            print_objects([asked.as_dict()], output, alone=True)
        else:
            click.echo(said)
        return 0

    raise click.exceptions.Exit(with_cluster(work))


def _require_finished(session: Session, run: Run) -> None:
    status = run.view.status
    if not status.finished:
        raise CommandError(
            f"{run.name} is {status.phase}: only a finished run can be resurrected.",
            f"Wait for its end, or stop it: {session.command('abort', run.name, '--wait')}",
        )


def _limits(run: Run, max_items: int | None) -> dict[str, Any] | None:
    """The limits to ask for: they replace each other as a whole, so what the run had goes along."""
    if max_items is None:
        return None
    had = run.view.status.options
    return {"maxItems": max_items, "maxTotalChargeUsd": had.max_total_charge_usd if had else None}
