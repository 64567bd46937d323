"""What shells complete by asking the cluster: names of runs, Actors and accounts."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import click

from actor_operator.cli.objects import UNFINISHED, list_accounts, list_actors, list_runs
from actor_operator.cli.session import Session, with_cluster
from actor_operator.errors import ActorOperatorError

PATIENCE = 3.0
"""Seconds that somebody who pressed the tab key waits for the cluster."""


def run_names(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Names of runs that begin as typed and are not there already."""

    async def work(session: Session) -> list[str]:
        return [run.name for run in await list_runs(session, session.namespace)]

    there = context.params.get("names") or ()
    return [name for name in _ask(context, work) if name.startswith(typed) and name not in there]


def live_run_names(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Names of runs that begin as typed and are not finished."""

    async def work(session: Session) -> list[str]:
        runs = await list_runs(session, session.namespace, UNFINISHED)
        return [run.name for run in runs]

    return [name for name in _ask(context, work) if name.startswith(typed)]


def actor_names(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Names of Actors that begin as typed."""

    async def work(session: Session) -> list[str]:
        return [actor.name for actor in await list_actors(session, session.namespace)]

    return [name for name in _ask(context, work) if name.startswith(typed)]


def account_names(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Names of accounts that begin as typed."""

    async def work(session: Session) -> list[str]:
        return [account.name for account in await list_accounts(session)]

    return [name for name in _ask(context, work) if name.startswith(typed)]


def _ask(
    context: click.Context, work: Callable[[Session], Coroutine[Any, Any, list[str]]]
) -> list[str]:
    """The answer, or nothing: an error message would end up in the middle of a command line."""

    async def in_time(session: Session) -> list[str]:
        return await asyncio.wait_for(work(session), PATIENCE)

    try:
        with context:
            return with_cluster(in_time)
    except (ActorOperatorError, TimeoutError):
        return []
