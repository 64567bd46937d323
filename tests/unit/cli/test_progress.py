"""Plain lines about a run that is waited for."""

from msgspec.structs import replace
from tests.support.builders import a_run

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import RunStatus
from actor_operator.cli.progress import PlainProgress


class Watch:
    """A clock that stands still until it is moved, and a page to write on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lines: list[str] = []
        self.progress = PlainProgress(self.lines.append, lambda: self.now)

    def see(self, after: float, status: RunStatus) -> None:
        self.now = 100.0 + after
        self.progress.see(a_run(status=status))


def test_each_change_is_a_line_and_no_change_is_none() -> None:
    watch = Watch()

    watch.see(0, RunStatus(observed_generation=1))
    watch.see(1, RunStatus(observed_generation=1, attempt=1))
    watch.see(75, RunStatus(observed_generation=1, phase=Phase.RUNNING))

    assert watch.lines == ["[0s] READY", "[75s] RUNNING"]


def test_a_reason_of_waiting_is_told_when_it_changes() -> None:
    watch = Watch()
    pulling = Condition("Started", "False", "ImagePulling", "The image is fetched.")

    watch.see(0, RunStatus(observed_generation=1))
    watch.see(3, RunStatus(observed_generation=1, conditions=(pulling,)))

    assert watch.lines == ["[0s] READY", "[3s] READY: The image is fetched."]


def test_an_absent_operator_is_told_of_after_some_seconds() -> None:
    watch = Watch()

    watch.see(0, RunStatus())
    watch.now = 104.0
    watch.progress.tick()
    assert watch.lines == ["[0s] READY"]

    watch.now = 106.0
    watch.progress.tick()
    assert watch.lines[1:] == ["[6s] READY: the operator has not seen it yet"]


def test_the_url_is_a_line_when_it_leads_to_the_run_and_only_once() -> None:
    watch, url = Watch(), "http://a2b3.runs.example/"
    known = RunStatus(observed_generation=1, phase=Phase.RUNNING, container_url=url)
    ready = replace(known, conditions=(Condition("WebServerReady", "True", "EndpointReady"),))
    leaving = replace(known, conditions=(Condition("WebServerReady", "False", "Terminating"),))

    for second, status in enumerate((known, ready, leaving, ready)):
        watch.see(second, status)

    assert watch.lines == ["[0s] RUNNING", f"[1s] Its URL: {url}"]


def test_the_verdict_is_left_to_others() -> None:
    watch = Watch()

    watch.see(1, RunStatus(observed_generation=1, phase=Phase.FAILED, finished=True))

    assert watch.lines == []


def test_before_the_first_state_there_is_nothing_to_say() -> None:
    watch = Watch()

    watch.progress.tick()

    assert watch.lines == []


def test_an_attempt_that_nobody_begins_is_told_of_after_some_seconds() -> None:
    watch = Watch()
    watch.now = 106.0

    watch.progress.tick()

    assert watch.lines == ["[6s] The operator has not begun the attempt yet"]
