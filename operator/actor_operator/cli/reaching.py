"""Where the web server of a run is, and waiting until a request would reach it."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import click

from actor_operator.api.v1alpha1.advice import advice_for
from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import RunView
from actor_operator.cli.follow import follow_run
from actor_operator.cli.format import printable, reachable_url, situation, web_obstacle
from actor_operator.cli.objects import Run, read_run
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])

STOPPING = frozenset({Phase.TIMING_OUT, Phase.ABORTING})
"""Phases in which nothing is served any more."""


def timeout_option(command: F) -> F:
    """Add ``--timeout``."""
    option = click.option(
        "--timeout",
        type=click.IntRange(1),
        metavar="SECONDS",
        help="Wait no longer than that. Default: as long as the run lives.",
    )
    return option(command)


async def find_url(session: Session, name: str, *, wait: bool, seconds: int | None) -> str:
    """The URL of a run's web server.

    Parameters
    ----------
    session, name
        Which run.
    wait
        Wait until a request by the URL would reach the run.
    seconds
        How long it is waited for; ``None``: as long as the run lives.

    Raises
    ------
    CommandError
        When the run has no URL, or none any more; when the time is over.
    """
    run = await read_run(session, name)
    if not wait:
        return _known_url(session, run.view)
    waiting = _Waiting(session)
    try:
        async with asyncio.timeout(seconds) as limit:
            return await _wait(session, run, waiting)
    except TimeoutError:
        if not limit.expired():
            raise
        raise CommandError(
            f"The web server of {name} is not reachable after {seconds} s: {waiting.why}",
            f"More about it: {session.command('explain', name)}",
        ) from None


class _Waiting:
    """Looks at a run until its URL leads to it, and tells the user what is waited for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.why = ""

    def see(self, run: RunView) -> str | None:
        """The URL, if it leads to the run as it is now."""
        _require_hope(self._session, run)
        url = reachable_url(run)
        why = _what_is_missing(run)
        if url is None and why != self.why:
            self.why = why
            self._session.tell(f"Waiting: {why}")
        return url


async def _wait(session: Session, run: Run, waiting: _Waiting) -> str:
    if url := waiting.see(run.view):
        return url
    async with follow_run(session, run) as changes:
        async for change in changes:
            if change.new is None or change.new.uid != run.uid:
                raise CommandError(f"The run {run.name} was deleted meanwhile.")
            if url := waiting.see(change.new.view):
                return url
    raise AssertionError("changes never end")


def _known_url(session: Session, run: RunView) -> str:
    """The URL, whether or not it is reachable now."""
    _require_hope(session, run)
    if run.status.container_url is None:
        raise CommandError(
            f"{run.name} has no URL yet: {_what_is_missing(run)}",
            f"Wait for it with: {session.command('url', run.name, '--wait')}",
        )
    return printable(run.status.container_url)


def _require_hope(session: Session, run: RunView) -> None:
    """Refuse a run whose URL leads nowhere, and will not while it lives."""
    status = run.status
    again = run.spec.resurrect
    if again is not None and again.attempt == status.attempt + 1:
        return  # the operator has not begun with it yet
    if status.finished:
        raise CommandError(
            f"{run.name} is {status.phase}: its web server is gone.",
            f"To run it once more, with the same URL: {session.command('resurrect', run.name)}",
        )
    if status.phase in STOPPING:
        raise CommandError(
            f"{run.name} is {status.phase}: its web server is being stopped.",
            f"Why: {session.command('explain', run.name)}",
        )
    web = status.condition(ConditionType.WEB_SERVER_READY)
    if web is not None and web.reason == Reason.DISABLED:
        advice = advice_for(Reason.DISABLED)
        raise CommandError(
            f"{run.name} has no URL: {printable(web.message)}", advice.text if advice else ""
        )


def _what_is_missing(run: RunView) -> str:
    """Why a request would not reach the run."""
    if run.status.finished:
        return "the next attempt has not begun yet."
    if run.status.phase is Phase.READY:
        return f"it is {run.status.phase}: {situation(run) or 'its container has not started.'}"
    return web_obstacle(run) or "the operator has not said whether it is reachable."
