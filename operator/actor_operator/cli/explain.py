"""``actorctl explain``: why runs wait or how they ended, and what to do."""

import asyncio
import shlex
from collections.abc import Iterator
from dataclasses import asdict, replace

import click

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
from actor_operator.cli.accounts import read_standing
from actor_operator.cli.completions import run_names
from actor_operator.cli.events import EventView, list_events
from actor_operator.cli.explanation import Evidence, Explanation, explain_run
from actor_operator.cli.names import PROGRAM
from actor_operator.cli.objects import read_run
from actor_operator.cli.options import cluster_options, output_option
from actor_operator.cli.output import print_data
from actor_operator.cli.session import Session, with_cluster
from actor_operator.cli.standing import Standing
from actor_operator.clock import SystemClock
from actor_operator.kube.errors import ForbiddenError
from actor_operator.kube.pods import Pods


@click.command("explain")
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=run_names)
@output_option("json", "yaml")
@cluster_options
def explain(names: tuple[str, ...], output: str | None) -> None:
    """Say why runs wait or how they ended, and what to do."""

    async def work(session: Session) -> None:
        found = [await _explain(session, name) for name in names]
        if output:
            data = [asdict(explanation) for explanation in found]
            print_data(data[0] if len(data) == 1 else data, output)
            return
        for number, explanation in enumerate(found):
            if number:
                click.echo()
            for line in _lines(explanation):
                click.echo(line)

    with_cluster(work)


def _lines(explanation: Explanation) -> Iterator[str]:
    yield explanation.headline
    yield from (f"  {sentence}" for sentence in explanation.sentences)
    if explanation.advice:
        yield f"What to do: {explanation.advice}"
    if explanation.command:
        yield f"  {explanation.command}"


async def _explain(session: Session, name: str) -> Explanation:
    run = (await read_run(session, name)).view
    pod, events, account = await asyncio.gather(
        _pod(session, run), _events(session, run), _account(session, run)
    )
    now = SystemClock().now()
    found = explain_run(Evidence(run=run, now=now, pod=pod, events=events, account=account))
    return replace(found, command=_addressed(session, found.command))


async def _pod(session: Session, run: RunView) -> PodView | None:
    pod = run.status.pod_name
    if pod is None or run.status.finished:
        return None
    try:
        return await Pods(session.client).read(run.namespace, pod)
    except ForbiddenError:
        return None


async def _events(session: Session, run: RunView) -> list[EventView]:
    """Of a finished run none: how it ended is in its status."""
    if run.status.finished:
        return []
    try:
        return await list_events(session, run)
    except ForbiddenError:
        return []


async def _account(session: Session, run: RunView) -> Standing | None:
    admitted = run.status.condition(ConditionType.ADMITTED)
    if admitted is None or admitted.reason != Reason.WAITING_FOR_ACCOUNT_MEMORY:
        return None
    return await read_standing(session, run.namespace)


def _addressed(session: Session, command: str) -> str:
    """A command line for this cluster and namespace."""
    program, _, rest = command.partition(" ")
    if program == PROGRAM:
        return session.command(*shlex.split(rest))
    return session.kubectl(*shlex.split(rest)) if command else ""
