"""How a run that is waited for comes on: a live line on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from typing_extensions import override

from actor_operator.api.views.run import RunView
from actor_operator.cli.format import UNSEEN, duration, reachable_url, situation
from actor_operator.cli.output import console
from actor_operator.cli.session import Session

if TYPE_CHECKING:
    from rich.live import Live
    from rich.spinner import Spinner

UNSEEN_SECONDS = 5.0
"""After which it is worth saying that the operator has not seen a run."""


class Progress:
    """Shows nothing; the base of what does.

    Parameters
    ----------
    now
        Monotonic time in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._begun = now()
        self._run: RunView | None = None
        self._url: str | None = None

    def see(self, run: RunView) -> None:
        """Take note of the run as it is now."""
        self._run = run
        self.tick()
        url = reachable_url(run)
        if url not in {None, self._url}:
            self._url = url
            self.say(f"[{duration(self._elapsed())}] Its URL: {url}")

    def say(self, line: str) -> None:
        """Say something that stays."""

    def tick(self) -> None:
        """Take note that time has passed."""

    def _elapsed(self) -> float:
        return self._now() - self._begun

    def _state(self) -> str:
        """The phase, and why the run is there; nothing of a verdict, which is told apart."""
        if self._run is None:
            late = self._elapsed() >= UNSEEN_SECONDS
            return "The operator has not begun the attempt yet" if late else ""
        if self._run.status.finished:
            return ""
        unseen = self._run.status.observed_generation == UNSEEN
        hidden = unseen and self._elapsed() < UNSEEN_SECONDS
        why = "" if hidden else situation(self._run)
        return f"{self._run.status.phase}: {why}" if why else str(self._run.status.phase)


class PlainProgress(Progress):
    """A line for each change.

    Parameters
    ----------
    write
        Takes a line.
    now
        Monotonic time in seconds.
    """

    def __init__(
        self, write: Callable[[str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(now)
        self._write = write
        self._last = ""

    @override
    def say(self, line: str) -> None:
        self._write(line)

    @override
    def tick(self) -> None:
        state = self._state()
        if state not in {"", self._last}:
            self._write(f"[{duration(self._elapsed())}] {state}")
            self._last = state


class LiveProgress(Progress):
    """One line that moves."""

    def __init__(self, live: "Live", spinner: "Spinner") -> None:
        super().__init__()
        self._live = live
        self._spinner = spinner

    @override
    def say(self, line: str) -> None:
        # Not wrapped: a URL that is cut cannot be copied.
        self._live.console.print(line, soft_wrap=True)

    @override
    def tick(self) -> None:
        self._spinner.update(text=f"{self._state()} ({duration(self._elapsed())})")
        self._live.refresh()


@contextmanager
def progress(session: Session, *, err: bool) -> Iterator[Progress]:
    """Show progress while the context lasts.

    Parameters
    ----------
    session
        Knows whether to be quiet.
    err
        On standard error, because standard output has data for programs.
    """
    if session.options.quiet:
        yield Progress()
        return
    screen = console(err=err)
    if err or not screen.is_terminal:
        yield PlainProgress(lambda line: click.echo(line, err=err))
        return
    from rich.live import Live
    from rich.spinner import Spinner

    spinner = Spinner("dots")
    with Live(spinner, console=screen, auto_refresh=False, transient=True) as live:
        yield LiveProgress(live, spinner)
