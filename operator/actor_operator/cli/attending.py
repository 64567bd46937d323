"""Staying with a run until its end: progress, log, verdict, exit code."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import click

from actor_operator.cli.format import exit_code, verdict
from actor_operator.cli.logreader import LogReader
from actor_operator.cli.objects import Run
from actor_operator.cli.output import print_objects, write_log
from actor_operator.cli.progress import Progress, progress
from actor_operator.cli.session import Session
from actor_operator.cli.waiting import wait_with_log, wait_with_progress

F = TypeVar("F", bound=Callable[..., Any])


def attend_options(command: F) -> F:
    """Add ``--wait`` and ``--logs``."""
    logs = click.option("--logs", is_flag=True, help="Show the log as it is written; waits too.")
    wait = click.option(
        "--wait", is_flag=True, help="Wait for the end; exit 0, 1, 124 (timeout), 130."
    )
    return wait(logs(command))


def require_one_output(*, logs: bool, output: str | None) -> None:
    """Refuse two things that both want standard output."""
    if logs and output:
        raise click.UsageError("--logs and --output both write to standard output: choose one.")


async def attend(
    session: Session, run: Run, *, said: str, logs: bool, output: str | None, attempt: int = 1
) -> int:
    """Wait for the end and say how it was; returns the exit code.

    Parameters
    ----------
    session, run
        Which run, as it was read last.
    said
        What is said at first.
    logs
        Whether to show the log.
    output
        The form in which the finished run is printed.
    attempt
        Which attempt is waited for.
    """
    err = logs or output is not None
    if not session.options.quiet:
        click.echo(said, err=err)
    try:
        with progress(session, err=err) as shown:
            final = await _wait(session, run, shown, logs=logs, attempt=attempt)
    except asyncio.CancelledError:
        click.echo(
            f"Interrupted: {run.name} goes on. Stop it with: {session.command('abort', run.name)}",
            err=True,
        )
        raise
    click.echo(verdict(final.view), err=err)
    if output:
        print_objects([final.as_dict()], output, alone=True)
    return exit_code(final.view)


async def _wait(session: Session, run: Run, shown: Progress, *, logs: bool, attempt: int) -> Run:
    if not logs:
        return await wait_with_progress(session, run, shown, attempt=attempt)
    reader = LogReader(session, run.namespace, write_log)
    return await wait_with_log(
        session,
        lambda see: wait_with_progress(session, run, shown, see, attempt=attempt),
        reader,
    )
