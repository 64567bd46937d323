"""``actorctl abort``: stop runs."""

import asyncio

import click

from actor_operator.api.views.run import RunView
from actor_operator.cli.asking import ask
from actor_operator.cli.completions import run_names
from actor_operator.cli.format import verdict
from actor_operator.cli.objects import read_run
from actor_operator.cli.options import cluster_options
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session, with_cluster
from actor_operator.cli.waiting import wait_for_end

IMMEDIATE, GRACEFUL = "Immediate", "Graceful"
"""Modes of an abort."""

HOW = {IMMEDIATE: " at once", GRACEFUL: " gracefully"}
"""Each mode in words."""


@click.command("abort")
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=run_names)
@click.option("--graceful", is_flag=True, help="Tell the actor first and give it 30 seconds.")
@click.option("--wait", is_flag=True, help="Wait until no container of them runs.")
@cluster_options
def abort(*, names: tuple[str, ...], graceful: bool, wait: bool) -> None:
    """Stop runs: at once, or gracefully. What is finished already stays as it is."""
    mode = GRACEFUL if graceful else IMMEDIATE

    async def work(session: Session) -> None:
        results = await asyncio.gather(
            *(_abort(session, name, mode, wait=wait) for name in names), return_exceptions=True
        )
        problems = [result for result in results if isinstance(result, BaseException)]
        if not problems:
            return
        for problem in problems[:-1]:
            if not isinstance(problem, CommandError):
                raise problem
            problem.show()
        raise problems[-1]

    with_cluster(work)


async def _abort(session: Session, name: str, mode: str, *, wait: bool) -> None:
    run = await read_run(session, name)
    if run.view.status.finished:
        click.echo(f"{name} is {run.view.status.phase} already: there is nothing to abort.")
        return
    asked = _asked_for(run.view)
    if asked in {mode, IMMEDIATE}:
        click.echo(f"{name} is being aborted{HOW[asked]} already.")
    else:
        # Written out: what is left out of a merge patch stays as it is.
        request = {"attempt": run.view.status.attempt, "mode": mode}
        run = await ask(session, run, "abort", request)
        click.echo(f"{name} is being aborted{HOW[mode]}.")
    if wait:
        final = await wait_for_end(session, run)
        click.echo(verdict(final.view))


def _asked_for(run: RunView) -> str | None:
    """The mode in which the current attempt is being aborted already."""
    request = run.spec.abort
    if request is None or request.attempt != run.status.attempt:
        return None
    return request.mode
