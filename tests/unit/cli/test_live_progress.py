"""The line that moves on a terminal, and who gets it."""

import io

import click
import pytest
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from tests.support.builders import a_run

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import RunStatus
from actor_operator.cli.options import Options
from actor_operator.cli.output import console
from actor_operator.cli.progress import LiveProgress, PlainProgress, Progress, progress
from actor_operator.cli.session import Session
from actor_operator.kube.client import KubeClient


def a_session(*, quiet: bool = False) -> Session:
    """A session of which only the options are looked at."""
    return Session(KubeClient.__new__(KubeClient), "default", Options(quiet=quiet), "actorctl")


def test_the_line_shows_phase_and_time_and_leaves_nothing_behind() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=80)
    spinner = Spinner("dots")
    with Live(spinner, console=screen, auto_refresh=False, transient=True) as live:
        shown = LiveProgress(live, spinner)
        shown.see(a_run(status=RunStatus(phase=Phase.RUNNING, observed_generation=1)))
        text = screen.file.getvalue()  # type: ignore[attr-defined]

    assert "RUNNING (0s)" in text


def test_the_url_of_a_run_stays_above_the_line_that_moves() -> None:
    url = f"http://{'a' * 26}.runs.example.with.a.long.name/"
    ready = (Condition("WebServerReady", "True", "EndpointReady"),)
    status = RunStatus(
        phase=Phase.RUNNING, observed_generation=1, container_url=url, conditions=ready
    )
    screen = Console(file=io.StringIO(), force_terminal=True, width=40, highlight=False)
    spinner = Spinner("dots")
    with Live(spinner, console=screen, auto_refresh=False, transient=True) as live:
        LiveProgress(live, spinner).see(a_run(status=status))

    text = screen.file.getvalue()  # type: ignore[attr-defined]
    assert f"[0s] Its URL: {url}\n" in text


def test_what_is_no_terminal_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(a_session(), err=True) as shown:
        assert isinstance(shown, PlainProgress)
        shown.see(a_run(status=RunStatus(phase=Phase.RUNNING, observed_generation=1)))

    assert capsys.readouterr().err == "[0s] RUNNING\n"


def test_to_be_quiet_means_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(a_session(quiet=True), err=False) as shown:
        assert type(shown) is Progress
        shown.see(a_run(status=RunStatus(phase=Phase.RUNNING, observed_generation=1)))

    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_the_line_that_moves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    with progress(a_session(), err=False) as shown:
        assert isinstance(shown, LiveProgress)
        shown.see(a_run(status=RunStatus(phase=Phase.RUNNING, observed_generation=1)))

    assert "RUNNING" in capsys.readouterr().out


def test_no_color_means_no_colours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")

    console().print(click.style("x"), style="red")

    assert "31m" not in capsys.readouterr().out
