"""Writes Events beside the work on runs: late, few, and rather not at all than in its way."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
from actor_operator.clock import Clock
from actor_operator.engine.limiter import TokenBucket
from actor_operator.errors import NotLeaderError, RetryableError, WaitingError
from actor_operator.kube.errors import AlreadyExistsError, ApiError, ForbiddenError, NotFoundError
from actor_operator.kube.events import EventRecord, Events, Reference
from actor_operator.lifecycle.events import RunEvent
from actor_operator.log import logger
from actor_operator.metrics import EventResult, Metrics

log = logger(__name__)

MOST_WAITING = 1000
"""Events in line; more are dropped."""

EVENTS_PER_SECOND = 20.0
"""Events that are written in the long run; the work on runs needs the API server more."""

EVENT_BURST = 100
"""Events at once after a quiet time."""

REPEAT_SECONDS = 60.0
"""A cause that comes again is written at most this often for a run."""

PAUSES = (1.0, 5.0)
"""Seconds before an Event is tried once more that the API server did not take."""

HOPELESS = (ForbiddenError, NotFoundError)
"""No right to write Events, or a namespace or Event that is gone."""

Cause = tuple[str, str, str]
"""Uid of the run, reason and action of the Event."""

Job = Callable[[], Awaitable[None]]
"""One write."""


@dataclass(slots=True)
class _Told:
    """What was written of a cause, and what has come since."""

    record: EventRecord
    timer: asyncio.TimerHandle
    count: int = 1
    """How often it has happened in all."""

    newest: EventRecord | None = None
    """The last time, if that is not written yet."""


class EventWriter:
    """A bounded line of Events and one worker, in the replica that leads.

    Parameters
    ----------
    events
        The API server.
    clock, metrics
        As everywhere.
    """

    def __init__(self, *, events: Events, clock: Clock, metrics: Metrics) -> None:
        self._events = events
        self._clock = clock
        self._metrics = metrics
        self._pace = TokenBucket(rate=EVENTS_PER_SECOND, burst=EVENT_BURST)
        self._jobs: asyncio.Queue[Job] = asyncio.Queue(MOST_WAITING)
        self._told: dict[Cause, _Told] = {}
        self._worker: asyncio.Task[None] | None = None
        self._complained = False

    def start(self) -> None:
        """Begin to write; nothing happens when it has begun."""
        if self._worker is None:
            self._complained = False
            self._worker = asyncio.create_task(self._work(), name="events")

    async def stop(self) -> None:
        """Stop writing at once and drop what waits."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker
        for told in self._told.values():
            told.timer.cancel()
        self._told.clear()
        self._jobs = asyncio.Queue(MOST_WAITING)

    def tell(self, event: RunEvent, run: RunView, pod: PodView | None) -> None:
        """Write an Event soon; what is told again within a minute is written when that is over."""
        if self._worker is None:
            return
        record = EventRecord(
            name=f"{run.name}.{secrets.token_hex(8)}",
            event=event,
            run=Reference.to_run(run),
            pod=Reference.to_pod(pod) if pod is not None else None,
            at=self._clock.now(),
        )
        cause = (run.uid, event.reason, event.action)
        told = self._told.get(cause)
        if told is not None:
            told.newest = record
            told.count += 1
        elif self._add(partial(self._events.create, record)):
            self._told[cause] = _Told(record, self._alarm(cause))

    def _alarm(self, cause: Cause) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_later(REPEAT_SECONDS, self._minute_over, cause)

    def _minute_over(self, cause: Cause) -> None:
        """Write what has come since the last write, or forget the cause."""
        told = self._told.pop(cause)
        if told.newest is None:
            return
        if told.newest.event == told.record.event:
            record, count = told.record, told.count
            job = partial(self._events.repeat, record, count=count, at=told.newest.at)
        else:  # the API server takes no other note for an Event that it has
            record, count = told.newest, 1
            job = partial(self._events.create, record)
        if self._add(job):
            self._told[cause] = _Told(record, self._alarm(cause), count)

    def _add(self, job: Job) -> bool:
        """Put a write in line; returns whether there was room."""
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            self._count(EventResult.DROPPED)
            return False
        return True

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            await self._pace.acquire()
            self._count(await self._carry_out(job))

    async def _carry_out(self, job: Job) -> EventResult:
        """Write, with a few more tries; whatever comes of it, the next one follows."""
        for pause in (*PAUSES, None):
            try:
                await job()
            except AlreadyExistsError:
                return EventResult.WRITTEN
            except NotLeaderError:
                return EventResult.DROPPED
            except HOPELESS as error:
                return self._give_up(error)
            except (RetryableError, WaitingError) as error:
                if pause is None:
                    return self._give_up(error)
                await asyncio.sleep(pause)
            except Exception as error:  # noqa: BLE001 -- one Event's defect must not stop the others
                return self._give_up(error)
            else:
                return EventResult.WRITTEN
        raise AssertionError("unreachable")

    def _give_up(self, error: Exception) -> EventResult:
        """Say it once in each time of leading: the metric counts the others."""
        tell = log.debug if self._complained else log.warning
        self._complained = True
        known = isinstance(error, ApiError)
        tell("An Event is not written.", cause=str(error), exc_info=None if known else error)
        return EventResult.FAILED

    def _count(self, result: EventResult) -> None:
        self._metrics.events.labels(result).inc()
