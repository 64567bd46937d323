"""``actorctl url`` and ``actorctl open``: where the web server of a run is."""

import webbrowser
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.cli.conftest import (
    RUNNING,
    Actorctl,
    a_run,
    condition,
    ended,
    eventually,
    in_time,
)
from tests.support.apiserver import ApiServer

SetStatus = Callable[..., None]

URL = "http://a2b3.runs.example:8080/"
"""The URL of the run."""


def web(status: str, reason: str, message: str = "The pod is not ready.") -> dict[str, Any]:
    """The condition about the web server."""
    return condition("WebServerReady", status, reason, message)


def serving(*conditions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The status of a run that runs and has a URL."""
    return RUNNING | {"containerUrl": URL, "conditions": list(conditions), **fields}


READY = serving(web("True", "EndpointReady", "Requests reach the pod."))
"""The status of a run that is reached by its URL."""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that the browser was given."""
    urls: list[str] = []

    def open_url(url: str) -> bool:
        urls.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", open_url)
    return urls


@pytest.fixture(autouse=True)
def a_run_called_x(server: ApiServer) -> None:
    server.create("actorruns", a_run("x"))


async def test_the_url_alone_is_the_output(actorctl: Actorctl, set_status: SetStatus) -> None:
    set_status("x", READY)

    result = await actorctl("url", "x")

    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{URL}\n", "")


async def test_the_url_is_told_before_anything_answers_there(
    actorctl: Actorctl, set_status: SetStatus
) -> None:
    set_status("x", serving(web("False", "NotListening")))

    assert (await actorctl("url", "x")).stdout == f"{URL}\n"


async def test_a_run_without_a_url_yet_is_to_be_waited_for(
    actorctl: Actorctl, set_status: SetStatus
) -> None:
    missing = condition("Admitted", "False", "WaitingForAccountMemory", "It needs 512 MB.")
    set_status("x", {"observedGeneration": 1, "conditions": [missing]})

    result = await actorctl("url", "x", "-n", "default")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "Error: x has no URL yet: it is READY: It needs 512 MB.",
        "Hint: Wait for it with: actorctl url x --wait -n default",
    ]


@pytest.mark.parametrize("words", [("url", "x"), ("url", "x", "--wait"), ("open", "x")])
async def test_where_runs_have_no_urls_that_is_said_and_not_waited_for(
    actorctl: Actorctl, set_status: SetStatus, words: tuple[str, ...]
) -> None:
    no_urls = web("False", "Disabled", "Runs have no URLs in this installation.")
    set_status("x", RUNNING | {"conditions": [no_urls]})

    result = await in_time(actorctl.start(*words))

    assert (result.exit_code, result.stdout) == (1, "")
    error, hint = result.stderr.splitlines()
    assert error == "Error: x has no URL: Runs have no URLs in this installation."
    assert "the administrator must have set webServer.domain" in hint


@pytest.mark.parametrize("words", [("url", "x"), ("url", "x", "--wait"), ("open", "x")])
async def test_of_a_run_that_has_ended_nothing_is_there_any_more(
    actorctl: Actorctl, set_status: SetStatus, words: tuple[str, ...]
) -> None:
    set_status("x", READY, ended("SUCCEEDED"))

    result = await in_time(actorctl.start(*words))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "Error: x is SUCCEEDED: its web server is gone.",
        "Hint: To run it once more, with the same URL: actorctl resurrect x",
    ]


async def test_a_run_that_is_being_stopped_serves_nothing(
    actorctl: Actorctl, set_status: SetStatus
) -> None:
    set_status("x", READY, {"phase": "ABORTING"})

    result = await actorctl("url", "x")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: x is ABORTING: its web server is being stopped.\n")


async def test_waiting_ends_when_requests_reach_the_run(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    command = actorctl.start("url", "x", "--wait")
    await eventually(lambda: server.watches.open("actorruns"))
    set_status("x", serving(web("False", "NotListening")))
    set_status("x", serving(web("False", "NotListening"), nodeName="node-1"))
    set_status("x", READY)

    result = await in_time(command)

    assert (result.exit_code, result.stdout) == (0, f"{URL}\n")
    assert result.stderr.splitlines() == [
        "Waiting: it is READY: the operator has not seen it yet",
        "Waiting: The pod is not ready.",
    ]


async def test_waiting_has_an_end_if_one_was_given(
    actorctl: Actorctl, set_status: SetStatus
) -> None:
    set_status("x", serving(web("False", "NoIngress", 'There is no IngressClass "x".')))

    result = await in_time(actorctl.start("url", "x", "--wait", "--timeout", "1", "-q"))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        'Error: The web server of x is not reachable after 1 s: There is no IngressClass "x".',
        "Hint: More about it: actorctl explain x",
    ]


async def test_waiting_ends_with_the_run(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    set_status("x", serving(web("False", "NotListening")))
    command = actorctl.start("url", "x", "--wait")
    await eventually(lambda: server.watches.open("actorruns"))
    set_status("x", ended("FAILED", "ContainerFailed"))

    result = await in_time(command)

    assert result.exit_code == 1
    assert "Error: x is FAILED: its web server is gone." in result.stderr


async def test_waiting_ends_with_the_deletion_of_the_run(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    command = actorctl.start("url", "x", "--wait")
    await eventually(lambda: server.watches.open("actorruns"))
    server.delete("actorruns", "default", "x")

    result = await in_time(command)

    assert result.exit_code == 1
    assert "Error: The run x was deleted meanwhile." in result.stderr


async def test_a_resurrection_that_is_asked_for_is_waited_for(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    set_status("x", READY, ended("SUCCEEDED", conditions=[web("False", "Terminating")]))
    server.patch("actorruns", "default", "x", {"spec": {"resurrect": {"attempt": 2}}})
    command = actorctl.start("url", "x", "--wait")
    await eventually(lambda: server.watches.open("actorruns"))
    set_status("x", {"phase": "READY", "attempt": 2, "finished": False}, READY)

    result = await in_time(command)

    assert (result.exit_code, result.stdout) == (0, f"{URL}\n")
    assert "Waiting: the next attempt has not begun yet.\n" in result.stderr


@pytest.mark.parametrize("words", [("url", "x"), ("open", "x", "--no-wait")])
async def test_a_time_goes_with_waiting_only(actorctl: Actorctl, words: tuple[str, ...]) -> None:
    assert (await actorctl(*words, "--timeout", "1")).exit_code == 2


async def test_an_unknown_run_is_an_error(actorctl: Actorctl) -> None:
    result = await actorctl("url", "y")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: There is no run 'y' in the namespace default.\n")


async def test_the_browser_gets_the_url_when_requests_reach_the_run(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus, opened: list[str]
) -> None:
    set_status("x", serving(web("False", "NotListening")))
    command = actorctl.start("open", "x")
    await eventually(lambda: server.watches.open("actorruns"))
    assert opened == []
    set_status("x", READY)

    result = await in_time(command)

    assert (result.exit_code, result.stdout, opened) == (0, f"{URL}\n", [URL])


async def test_who_does_not_want_to_wait_gets_what_the_browser_says(
    actorctl: Actorctl, set_status: SetStatus, opened: list[str]
) -> None:
    set_status("x", serving(web("False", "NotListening")))

    assert (await actorctl("open", "x", "--no-wait")).exit_code == 0
    assert opened == [URL]


@pytest.mark.parametrize("fails", [False, True])
async def test_without_a_browser_the_url_is_for_the_user_to_open(
    actorctl: Actorctl, set_status: SetStatus, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    def none_here(_url: str) -> bool:
        if fails:
            raise webbrowser.Error("could not locate runnable browser")
        return False

    monkeypatch.setattr(webbrowser, "open", none_here)
    set_status("x", READY)

    result = await actorctl("open", "x")

    assert (result.exit_code, result.stdout) == (0, f"{URL}\n")
    assert result.stderr == "There is no browser here: open the URL yourself.\n"


async def test_the_browser_is_given_nothing_but_web_pages(
    actorctl: Actorctl, set_status: SetStatus, opened: list[str]
) -> None:
    set_status("x", READY | {"containerUrl": "file:///etc/passwd"})

    result = await actorctl("open", "x")

    assert result.exit_code == 1
    assert opened == []


@pytest.mark.parametrize("command", ["url", "open"])
async def test_a_shell_completes_names_of_live_runs(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus, command: str
) -> None:
    server.create("actorruns", a_run("xenon"))
    set_status("xenon", RUNNING, ended("SUCCEEDED"))

    assert await actorctl.complete(f"actorctl {command} x") == "plain,x\n"


async def test_the_run_that_is_waited_for_tells_its_url_once(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.delete("actorruns", "default", "x")
    command = actorctl.start("run", "hello", "--name", "x", "--wait")
    await eventually(lambda: server.watches.open("actorruns"))
    unready, leaving = web("False", "NotListening"), web("False", "Terminating")
    set_status("x", serving(unready), READY, serving(leaving), READY, ended("SUCCEEDED"))

    result = await in_time(command)

    said = [line.partition("] ")[2] or line for line in result.stdout.splitlines()]
    assert said[-3:] == ["RUNNING", f"Its URL: {URL}", "x SUCCEEDED after 90s."]


async def test_the_table_of_many_columns_shows_the_url(
    actorctl: Actorctl, set_status: SetStatus
) -> None:
    set_status("x", READY)

    heading, row = (await actorctl("get", "-o", "wide")).stdout.splitlines()

    assert heading.split()[-2:] == ["URL", "FINISHED"]
    assert row.split()[-2:] == [URL, "-"]


async def test_a_running_run_that_is_not_reached_explains_why(
    actorctl: Actorctl, set_status: SetStatus
) -> None:
    set_status("x", serving(web("False", "NoIngress", 'There is no IngressClass "x".')))

    lines = (await actorctl("explain", "x")).stdout.splitlines()

    assert lines[0].endswith(": NoIngress.")
    assert lines[1] == '  Requests by its URL do not reach it: There is no IngressClass "x".'
    assert lines[-1].startswith("What to do: Let the administrator do what the message says")
