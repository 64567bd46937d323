"""A run in full, as lines of text. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from actor_operator.api.views.run import RunView
from actor_operator.cli.events import EventView
from actor_operator.cli.format import NONE, age, duration, printable, situation, web_obstacle
from actor_operator.clock import timestamp

LABEL_WIDTH = 14
"""Columns of the words on the left."""

INPUT_WIDTH = 200
"""Symbols of the input that are shown."""


def describe_run(run: RunView, events: Sequence[EventView] | None, now: datetime) -> Iterator[str]:
    """All that a user wants to know.

    Parameters
    ----------
    run
        The run.
    events
        Its Kubernetes Events and its pod's, oldest first; ``None`` when they may not be read.
    now
        The time.
    """
    yield from _state(run, now)
    yield from _options(run)
    yield from _times(run, now)
    yield from _pod(run)
    yield from _conditions(run, now)
    yield from _attempts(run)
    yield from _events(events, now)


def label_line(label: str, value: object) -> Iterator[str]:
    """A line, unless there is nothing to say."""
    if value not in {None, ""}:
        yield printable(f"{label + ':' if label else '':<{LABEL_WIDTH}} {value}")


def _state(run: RunView, now: datetime) -> Iterator[str]:
    status = run.status
    why = "" if status.finished else situation(run)
    yield from label_line("Name", run.name)
    yield from label_line("Namespace", run.namespace)
    yield from label_line("Run id", status.run_id)
    yield from label_line("Phase", f"{status.phase} ({why})" if why else status.phase)
    if status.failure is not None:
        yield from label_line("Failure", f"{status.failure.reason}: {status.failure.message}")
        if status.failure.platform:
            yield from label_line("", "The platform is at fault, not the actor.")
    yield from label_line("Exit code", status.exit_code)
    if run.metadata.deletion_timestamp is not None:
        yield from label_line("Being deleted", f"since {age(run.deletion_requested_at, now)}")


def _options(run: RunView) -> Iterator[str]:
    spec, options = run.spec, run.status.options
    yield from label_line("Actor", spec.actor)
    build = f"{options.build} ({run.status.build_number})" if options else spec.build
    yield from label_line("Build", build)
    yield from label_line("Image", run.status.image)
    if options is not None:
        yield from label_line("Memory", f"{options.memory_mbytes} MB")
        yield from label_line("Processor", options.cpu)
        yield from label_line("Disk", f"{options.disk_mbytes} MB")
        yield from label_line("Timeout", _timeout(options.timeout_secs))
    else:
        yield from label_line("Memory", f"{spec.memory_mbytes} MB" if spec.memory_mbytes else None)
        yield from label_line(
            "Timeout", None if spec.timeout_secs is None else _timeout(spec.timeout_secs)
        )
    yield from label_line("Input", _shortened(bytes(spec.input).decode()))


def _timeout(seconds: int) -> str:
    return f"{seconds} s" if seconds else "none"


def _shortened(text: str) -> str:
    return text if len(text) <= INPUT_WIDTH else f"{text[:INPUT_WIDTH]}… ({len(text)} symbols)"


def _times(run: RunView, now: datetime) -> Iterator[str]:
    status = run.status
    yield from label_line("Created", _moment(run.metadata.creation_timestamp, now))
    yield from label_line("Started", _moment(status.started_at, now))
    yield from label_line("Finished", _moment(status.finished_at, now))
    if status.started_at is not None:
        end = status.finished_at or now
        yield from label_line("Ran for", duration((end - status.started_at).total_seconds()))
    if not status.finished and status.timeout_at is not None:
        left = (status.timeout_at - now).total_seconds()
        yield from label_line("Times out", f"{timestamp(status.timeout_at)} (in {duration(left)})")
    if status.stats.compute_units:
        yield from label_line("Compute units", f"{status.stats.compute_units:.4f}")


def _moment(moment: datetime | None, now: datetime) -> str | None:
    return None if moment is None else f"{timestamp(moment)} ({age(moment, now)} ago)"


def _pod(run: RunView) -> Iterator[str]:
    status = run.status
    yield from label_line("Attempt", status.attempt if status.attempt > 1 else None)
    yield from label_line("Migrations", status.migrations or None)
    yield from label_line("Restarts", status.stats.restart_count or None)
    yield from label_line("Pod", status.pod_name)
    yield from label_line("Node", status.node_name)
    yield from label_line("URL", status.container_url)
    if status.container_url is not None:
        yield from label_line("", web_obstacle(run))
    yield from label_line("To clean up", ", ".join(status.cleanup))


def _conditions(run: RunView, now: datetime) -> Iterator[str]:
    rows = [
        (c.type, c.status, c.reason, age(c.last_transition_time, now), c.message)
        for c in run.status.conditions
    ]
    yield from text_table("Conditions", ("TYPE", "STATUS", "REASON", "AGE", "MESSAGE"), rows)


def _attempts(run: RunView) -> Iterator[str]:
    rows = [
        (
            str(past.attempt),
            past.phase,
            past.reason or NONE,
            NONE if past.exit_code is None else str(past.exit_code),
            timestamp(past.finished_at) if past.finished_at else NONE,
        )
        for past in run.status.attempts
    ]
    heading = ("ATTEMPT", "PHASE", "REASON", "EXIT", "FINISHED")
    yield from text_table("Attempts before", heading, rows) if rows else ()


def _events(events: Sequence[EventView] | None, now: datetime) -> Iterator[str]:
    if events is None:
        yield "Events: you may not read them."
        return
    rows = [
        (
            age(event.last_seen, now) + (f" (x{event.times})" if event.times > 1 else ""),
            event.type,
            event.reason,
            event.involved_object.kind,
            event.message,
        )
        for event in events
    ]
    yield from text_table("Events", ("AGE", "TYPE", "REASON", "OF", "MESSAGE"), rows)


def text_table(title: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table below its title; the last column may be as long as it wants to."""
    if not rows:
        yield f"{title}: none"
        return
    yield f"{title}:"
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    for row in (heading, *rows):
        cells = (
            f"{' '.join(cell.split()):<{width}}" for cell, width in zip(row, widths, strict=True)
        )
        yield printable(f"  {'  '.join(cells)}".rstrip())
