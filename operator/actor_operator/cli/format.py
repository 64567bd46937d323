"""Runs in words: cells of tables, sentences, durations. Pure: the time is an argument."""

from datetime import datetime

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.run import RunView

EXIT_CODES = {Phase.SUCCEEDED: 0, Phase.FAILED: 1, Phase.TIMED_OUT: 124, Phase.ABORTED: 130}
"""Exit code of a command that waited for a run: those of ``timeout`` and of shells."""

UNSEEN = -1
"""``status.observedGeneration`` of a run that the operator has not seen yet."""

NONE = "-"
"""What a cell shows that has nothing to show."""

RUN_COLUMNS = ("NAME", "PHASE", "REASON", "ACTOR", "BUILD", "MEMORY", "ATTEMPT", "AGE")
"""Columns of a table of runs, those of the CRD."""

WIDE_RUN_COLUMNS = (*RUN_COLUMNS, "POD", "NODE", "EXIT", "URL", "FINISHED")
"""Columns of a wide table of runs."""

ACTOR_COLUMNS = ("NAME", "LATEST", "PUBLIC", "READY", "AGE")
"""Columns of a table of Actors, those of the CRD."""

WIDE_ACTOR_COLUMNS = (*ACTOR_COLUMNS, "TITLE")
"""Columns of a wide table of Actors."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def run_cells(run: RunView, now: datetime) -> tuple[str, ...]:
    """The cells of a run, all of the wide columns."""
    status = run.status
    succeeded = status.condition(ConditionType.SUCCEEDED)
    return (
        run.name,
        status.phase,
        (succeeded.reason if succeeded else "") or NONE,
        run.spec.actor,
        status.build_number or NONE,
        str(status.options.memory_mbytes) if status.options else NONE,
        str(status.attempt),
        age(run.metadata.creation_timestamp, now),
        status.pod_name or NONE,
        status.node_name or NONE,
        NONE if status.exit_code is None else str(status.exit_code),
        status.container_url or NONE,
        age(status.finished_at, now),
    )


def actor_cells(actor: ActorView, now: datetime) -> tuple[str, ...]:
    """The cells of an Actor."""
    ready = next((c.status for c in actor.status.conditions if c.type == "Ready"), NONE)
    return (
        actor.name,
        actor.spec.tagged_builds.get("latest", NONE),
        str(actor.spec.is_public).lower(),
        ready,
        age(actor.metadata.creation_timestamp, now),
    )


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago a moment was."""
    return NONE if moment is None else duration((now - moment).total_seconds())


def duration(seconds: float) -> str:
    """A duration with two units at most: 45s, 3m12s, 2h5m, 4d3h."""
    whole = max(0, int(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "m", 1, "s")
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "m")
    return _two(whole, _DAY, "d", _HOUR, "h")


def _two(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{large_unit}" + (f"{rest}{small_unit}" if rest else "")


def printable(text: str) -> str:
    """A text without what could move a terminal's cursor or change its colours."""
    return "".join(symbol if symbol.isprintable() else " " for symbol in text)


def situation(run: RunView) -> str:
    """Why a run that is not finished is where it is; empty when there is nothing to say."""
    return printable(_situation(run))


def _situation(run: RunView) -> str:
    status = run.status
    if status.observed_generation == UNSEEN:
        return "the operator has not seen it yet"
    if status.phase in {Phase.TIMING_OUT, Phase.ABORTING}:
        target = status.condition(ConditionType.TERMINATION_TARGET)
        return target.message if target else ""
    if status.phase is Phase.READY:
        return _what_is_missing(run)
    scheduled = status.condition(ConditionType.POD_SCHEDULED)
    return scheduled.message if scheduled and scheduled.status == "False" else ""


def _what_is_missing(run: RunView) -> str:
    """The first step towards the start that is not done and says why."""
    steps = (ConditionType.ADMITTED, ConditionType.POD_SCHEDULED, ConditionType.STARTED)
    conditions = (run.status.condition(step) for step in steps)
    return next((c.message or c.reason for c in conditions if c and c.status == "False"), "")


def reachable_url(run: RunView) -> str | None:
    """The URL of a run whose web server is reached by it now."""
    status = run.status
    if status.phase is not Phase.RUNNING or not status.is_true(ConditionType.WEB_SERVER_READY):
        return None
    return printable(status.container_url) if status.container_url else None


def web_obstacle(run: RunView) -> str:
    """Why requests by a run's URL do not reach it; empty when they do, or nothing is known."""
    web = run.status.condition(ConditionType.WEB_SERVER_READY)
    return printable(web.message) if web is not None and web.status != "True" else ""


def verdict(run: RunView) -> str:
    """How a finished run ended, in a line."""
    status = run.status
    begun, ended = status.started_at, status.finished_at
    took = f" after {duration((ended - begun).total_seconds())}" if begun and ended else ""
    line = f"{run.name} {status.phase}{took}"
    if status.failure is None or status.phase is Phase.ABORTED:
        return f"{line}."
    return printable(f"{line}: {status.failure.reason}: {status.failure.message}")


def exit_code(run: RunView) -> int:
    """The exit code that tells how a finished run ended."""
    return EXIT_CODES[run.status.phase]
