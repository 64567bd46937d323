"""What is done while something goes wrong: Actors, runs and their users.

Each workload is a function of a place; it returns when its runs have come to their end. Users
wait for what they see, so that the same happens however long the operator takes.
"""

from collections.abc import Callable
from typing import Any

from tests.support.history import RUN, Object
from tests.support.workspace import Workspace

SUBJECT = "subject"
"""The run of most workloads."""


class Place(Workspace):
    """A namespace whose users are patient: outages are part of plans."""

    patience = 120.0
    """Seconds for which a user waits for anything."""


Workload = Callable[[Place], None]


def succeeds(place: Place) -> None:
    """A run ends by itself with 0."""
    _start(place, "simulate-0.3s")
    _end(place)


def fails(place: Place) -> None:
    """A run ends by itself with 3."""
    _start(place, "simulate-0.3s-exit-3")
    _end(place)


def times_out(place: Place) -> None:
    """A run goes on until its time is up."""
    _start(place, "endless", timeoutSecs=1)
    _end(place)


def aborted_at_once(place: Place) -> None:
    """A user aborts a run that runs."""
    _start(place, "endless")
    _phase(place, "RUNNING")
    place.abort(SUBJECT)
    _end(place)


def aborted_gracefully(place: Place) -> None:
    """A user asks a run that runs to come to its end."""
    _start(place, "endless")
    _phase(place, "RUNNING")
    place.abort(SUBJECT, "Graceful")
    _end(place)


def aborted_before_it_starts(place: Place) -> None:
    """A user aborts a run whose image does not come."""
    _start(place, "simulate-pull-error")
    place.wait_reason(SUBJECT, "Started", "ImagePullBackOff", place.patience)
    place.abort(SUBJECT)
    _end(place)


def aborted_in_its_timeout(place: Place) -> None:
    """A user aborts a run whose time is up, and which does not listen."""
    _start(place, "deaf-60s", timeoutSecs=1)
    _phase(place, "TIMING-OUT")
    place.abort(SUBJECT)
    _end(place)


def resurrected_after_success(place: Place) -> None:
    """A user runs a run again that has succeeded."""
    succeeds(place)
    _again(place)


def resurrected_after_failure(place: Place) -> None:
    """A user runs a run again that has failed."""
    fails(place)
    _again(place)


def resurrected_after_timeout(place: Place) -> None:
    """A user gives a run more time that has timed out."""
    times_out(place)
    _again(place, timeoutSecs=2)


def resurrected_after_abort(place: Place) -> None:
    """A user runs a run again that was aborted, with a limit of time."""
    _start(place, "dutiful")
    _phase(place, "RUNNING")
    place.abort(SUBJECT)
    _end(place)
    _again(place, timeoutSecs=1)


def deleted_while_it_runs(place: Place) -> None:
    """A user deletes a run that runs."""
    _start(place, "endless")
    _phase(place, "RUNNING")
    place.delete("actorruns", SUBJECT)
    _gone(place)


def removed_in_time(place: Place) -> None:
    """A run that has ended is removed after the time that it names."""
    _start(place, "simulate-0.3s", ttlSecondsAfterFinished=1)
    _gone(place)


def waits_for_memory(place: Place) -> None:
    """A run waits until another one gives its memory back."""
    place.account(memoryLimitMbytes=1024)
    place.actor("endless", "endless")
    place.actor("quick", "simulate-0.3s")
    place.run("first", "endless")
    place.wait("first", "RUNNING", place.patience)
    place.run("second", "quick")
    place.wait_reason("second", "Admitted", "WaitingForAccountMemory", place.patience)
    place.abort("first", "Graceful")
    for name in ("first", "second"):
        place.wait(name, seconds=place.patience)


def many(place: Place) -> None:
    """Several runs at once, each with another end."""
    place.actor("quick", "simulate-0.3s")
    place.actor("endless", "endless")
    place.run("succeeds", "quick")
    place.run("times-out", "endless", timeoutSecs=1)
    place.run("aborted", "endless")
    place.run("stopped", "endless")
    place.wait("aborted", "RUNNING", place.patience)
    place.abort("aborted")
    place.wait("stopped", "RUNNING", place.patience)
    place.abort("stopped", "Graceful")
    for name in ("succeeds", "times-out", "aborted", "stopped"):
        place.wait(name, seconds=place.patience)


def rebooted(place: Place) -> None:
    """A user wants another pod for a run that runs, which then goes on until its time is up."""
    _start(place, "dutiful", timeoutSecs=45)
    _phase(place, "RUNNING")
    place.patch(SUBJECT, {"spec": {"reboot": {"attempt": 1, "count": 1}}})
    _end(place)


def changed_while_it_runs(place: Place) -> None:
    """A user says how long a run is to be kept, which then goes on until its time is up."""
    _start(place, "endless", timeoutSecs=45)
    _phase(place, "RUNNING")
    place.patch(SUBJECT, {"spec": {"ttlSecondsAfterFinished": 3600}})
    _end(place)


def _start(place: Place, image: str, **spec: Any) -> None:
    place.actor("actor", image)
    place.run(SUBJECT, "actor", **spec)


def _phase(place: Place, phase: str) -> None:
    place.wait(SUBJECT, phase, place.patience)


def _end(place: Place) -> None:
    place.wait(SUBJECT, seconds=place.patience)


def _again(place: Place, **changes: Any) -> None:
    attempt = place.resurrect(SUBJECT, **changes)

    def ended() -> bool:
        status: Object = place.status(SUBJECT)
        return status.get("attempt") == attempt and bool(status.get("finished"))

    place.recorder.wait(f"attempt {attempt} has ended", ended, place.patience)


def _gone(place: Place) -> None:
    def gone() -> bool:
        life = place.recorder.history(place.namespace).life(RUN, SUBJECT)
        return bool(life) and life[-1].gone

    place.recorder.wait("the run is gone", gone, place.patience)


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
        rebooted,
        changed_while_it_runs,
        many,
    )
}
"""All of them, by the name that plans have for them."""
