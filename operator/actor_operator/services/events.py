"""Which frames an actor's socket gets, from what is known of its run; nothing else happens here.

A frame is one JSON object with ``name``, ``data`` and ``createdAt`` (Apify docs: system events).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import AbortRequest, FinishedRun, RunView
from actor_operator.lifecycle.disruption import disruption_of
from actor_operator.services.run_watch import Run, RunState, attempt_of, is_finished

GRACEFUL = "Graceful"
"""Mode of an abort of which the actor is told."""

GOING_ON = frozenset({Phase.READY, Phase.RUNNING})
"""Phases in which a run whose pod is taken away goes on in another one."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run uses. Memory in bytes, processor in percent of one core."""

    memory_limit: int
    memory: int = 0
    memory_average: float = 0.0
    cpu: float = 0.0
    cpu_average: float = 0.0
    cpu_highest: float = 0.0
    overloaded: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What a socket gets now."""

    frames: tuple[str, ...] = ()
    ended: bool = False
    """Whether the attempt is over, and with it the socket."""


class EventScript:
    """The frames of one socket: what is true when it is opened, then what becomes true.

    Parameters
    ----------
    attempt
        Of the run that the socket is for.
    """

    def __init__(self, attempt: int) -> None:
        self._attempt = attempt
        self._aborting = False
        self._migrating: set[str] = set()

    def see(self, state: RunState, now: datetime) -> Step:
        """Look at the run once more; each thing is told once."""
        run = state.run
        if run is None:
            return Step()
        if has_ended(run, self._attempt):
            return Step(ended=True)
        if isinstance(run, FinishedRun) or run.status.attempt != self._attempt:
            return Step()  # what is known is older than the socket
        return Step((*self._abortion(run, now), *self._migration(run, state.pods, now)))

    def _abortion(self, run: RunView, now: datetime) -> tuple[str, ...]:
        request = _abort_of(run)
        graceful = request is not None and request.mode == GRACEFUL
        if self._aborting or run.status.phase is not Phase.ABORTING or not graceful:
            return ()
        self._aborting = True
        return frame("aborting", {}, now), frame("persistState", {"isMigrating": False}, now)

    def _migration(self, run: RunView, pods: tuple[PodView, ...], now: datetime) -> tuple[str, ...]:
        pod = current_pod(run, pods)
        if pod is None or pod.uid in self._migrating or not is_migrating(run, pod):
            return ()
        self._migrating.add(pod.uid)
        deadline = pod.metadata.deletion_timestamp
        left = {} if deadline is None else {"timeRemainingSecs": _seconds(now, deadline)}
        return (frame("migrating", left, now),)


def has_ended(run: Run, attempt: int) -> bool:
    """Whether an attempt of a run is over, as far as this state of the run says.

    A stub of a finished run does not tell its attempt: whoever knows of a newer state must not
    ask about an older one.
    """
    if isinstance(run, FinishedRun):
        return True
    later = run.status.attempt > attempt
    return later or (run.status.attempt == attempt and is_finished(run))


def current_pod(run: RunView, pods: tuple[PodView, ...]) -> PodView | None:
    """The pod in which the run goes on, if it is there."""
    named = [pod for pod in pods if pod.name == run.status.pod_name]
    if named or run.status.pod_name:
        return named[0] if named else None
    own = [pod for pod in pods if attempt_of(pod) == run.status.attempt]
    return own[-1] if own else None


def is_migrating(run: RunView, pod: PodView) -> bool:
    """Whether the run's pod is being taken away, and the run will go on elsewhere.

    A reboot takes the pod away too, but the actor that goes on is not moved: it gets no frame.
    """
    request, status = run.spec.reboot, run.status
    rebooting = (
        request is not None
        and request.attempt == status.attempt
        and request.count > status.stats.reboot_count
    )
    going_on = status.phase in GOING_ON and not rebooting and not pod.has_ended
    return going_on and _abort_of(run) is None and disruption_of(pod) is not None


def _abort_of(run: RunView) -> AbortRequest | None:
    """The request to abort the current attempt."""
    request = run.spec.abort
    return request if request is not None and request.attempt == run.status.attempt else None


def system_info(usage: Usage, now: datetime) -> str:
    """The frame of what a run uses; SDKs drop one in which a field is missing."""
    return frame(
        "systemInfo",
        {
            "memAvgBytes": round(usage.memory_average),
            "memCurrentBytes": usage.memory,
            # Clients take it for all the memory that there is, whatever its name says.
            "memMaxBytes": usage.memory_limit,
            "cpuAvgUsage": round(usage.cpu_average, 3),
            "cpuMaxUsage": round(usage.cpu_highest, 3),
            "cpuCurrentUsage": round(usage.cpu, 3),
            "isCpuOverloaded": usage.overloaded,
            "createdAt": _iso(now),
        },
        now,
    )


def frame(name: str, data: dict[str, Any], now: datetime) -> str:
    """One event as it stands on the wire."""
    return msgspec.json.encode({"name": name, "data": data, "createdAt": _iso(now)}).decode()


def _seconds(now: datetime, deadline: datetime) -> float:
    return max(0.0, round((deadline - now).total_seconds(), 3))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
