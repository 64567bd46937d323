"""What is done while something goes wrong: Actors, runs and their users.

Each workload is a function of a workspace; it returns when its runs have come to their end. Users
wait for what they see, so that the same happens however long the operator takes.
"""

from collections.abc import Callable
from typing import Any

from tests.support.history import RUN, Object
from tests.support.workspace import Workspace

SUBJECT = "subject"
"""The run of most workloads."""

SECONDS = 120.0
"""How long a user waits for anything: outages are part of plans."""

Workload = Callable[[Workspace], None]


def succeeds(workspace: Workspace) -> None:
    """A run ends by itself with 0."""
    _start(workspace, "simulate-0.3s")
    _end(workspace)


def fails(workspace: Workspace) -> None:
    """A run ends by itself with 3."""
    _start(workspace, "simulate-0.3s-exit-3")
    _end(workspace)


def times_out(workspace: Workspace) -> None:
    """A run goes on until its time is up."""
    _start(workspace, "endless", timeoutSecs=1)
    _end(workspace)


def aborted_at_once(workspace: Workspace) -> None:
    """A user aborts a run that runs."""
    _start(workspace, "endless")
    _phase(workspace, "RUNNING")
    workspace.abort(SUBJECT)
    _end(workspace)


def aborted_gracefully(workspace: Workspace) -> None:
    """A user asks a run that runs to come to its end."""
    _start(workspace, "endless")
    _phase(workspace, "RUNNING")
    workspace.abort(SUBJECT, "Graceful")
    _end(workspace)


def aborted_before_it_starts(workspace: Workspace) -> None:
    """A user aborts a run whose image does not come."""
    _start(workspace, "simulate-pull-error")
    workspace.wait_reason(SUBJECT, "Started", "ImagePulling", SECONDS)
    workspace.abort(SUBJECT)
    _end(workspace)


def aborted_in_its_timeout(workspace: Workspace) -> None:
    """A user aborts a run whose time is up, and which does not listen."""
    _start(workspace, "deaf-60s", timeoutSecs=1)
    _phase(workspace, "TIMING-OUT")
    workspace.abort(SUBJECT)
    _end(workspace)


def resurrected_after_success(workspace: Workspace) -> None:
    """A user runs a run again that has succeeded."""
    succeeds(workspace)
    _again(workspace)


def resurrected_after_failure(workspace: Workspace) -> None:
    """A user runs a run again that has failed."""
    fails(workspace)
    _again(workspace)


def resurrected_after_timeout(workspace: Workspace) -> None:
    """A user gives a run more time that has timed out."""
    times_out(workspace)
    _again(workspace, timeoutSecs=2)


def resurrected_after_abort(workspace: Workspace) -> None:
    """A user runs a run again that was aborted, with a limit of time.

    Gracefully: of a pod that is deleted kwok tells no end, and then its grace has to pass.
    """
    aborted_gracefully(workspace)
    _again(workspace, timeoutSecs=1)


def deleted_while_it_runs(workspace: Workspace) -> None:
    """A user deletes a run that runs."""
    _start(workspace, "endless")
    _phase(workspace, "RUNNING")
    workspace.delete("actorruns", SUBJECT)
    _gone(workspace)


def removed_in_time(workspace: Workspace) -> None:
    """A run that has ended is removed after the time that it names."""
    _start(workspace, "simulate-0.3s", ttlSecondsAfterFinished=1)
    _gone(workspace)


def waits_for_memory(workspace: Workspace) -> None:
    """A run waits until another one has given its memory back."""
    workspace.account(memoryLimitMbytes=1024)
    workspace.actor("actor", "simulate-1s")
    workspace.run("first", "actor")
    workspace.wait("first", ["RUNNING", "SUCCEEDED"], SECONDS)
    workspace.run("second", "actor")
    for name in ("first", "second"):
        workspace.wait(name, seconds=SECONDS)


def many(workspace: Workspace) -> None:
    """Several runs at once, each with another end."""
    workspace.actor("quick", "simulate-0.3s")
    workspace.actor("endless", "endless")
    workspace.run("succeeds", "quick")
    workspace.run("times-out", "endless", timeoutSecs=1)
    workspace.run("aborted", "endless")
    workspace.run("stopped", "endless")
    workspace.wait("aborted", "RUNNING", SECONDS)
    workspace.abort("aborted")
    workspace.wait("stopped", "RUNNING", SECONDS)
    workspace.abort("stopped", "Graceful")
    for name in ("succeeds", "times-out", "aborted", "stopped"):
        workspace.wait(name, seconds=SECONDS)


def _start(workspace: Workspace, image: str, **spec: Any) -> None:
    workspace.actor("actor", image)
    workspace.run(SUBJECT, "actor", **spec)


def _phase(workspace: Workspace, phase: str) -> None:
    workspace.wait(SUBJECT, phase, SECONDS)


def _end(workspace: Workspace) -> None:
    workspace.wait(SUBJECT, seconds=SECONDS)


def _again(workspace: Workspace, **changes: Any) -> None:
    attempt = workspace.resurrect(SUBJECT, **changes)

    def ended() -> bool:
        status: Object = workspace.status(SUBJECT)
        return status.get("attempt") == attempt and bool(status.get("finished"))

    workspace.recorder.wait(f"attempt {attempt} has ended", ended, SECONDS)


def _gone(workspace: Workspace) -> None:
    workspace.recorder.wait(
        "the run is gone",
        lambda: workspace.recorder.find(RUN, workspace.namespace, SUBJECT) is None,
        SECONDS,
    )


WORKLOADS: dict[str, Workload] = {
    work.__name__.replace("_", "-"): work
    for work in (
        succeeds,
        fails,
        times_out,
        aborted_at_once,
        aborted_gracefully,
        aborted_before_it_starts,
        aborted_in_its_timeout,
        resurrected_after_success,
        resurrected_after_failure,
        resurrected_after_timeout,
        resurrected_after_abort,
        deleted_while_it_runs,
        removed_in_time,
        waits_for_memory,
        many,
    )
}
"""All of them, by the name that plans have for them."""
