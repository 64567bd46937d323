"""Which Events a run's steps are worth, and when: what somebody waits for is told once it lasts."""

import asyncio
from dataclasses import dataclass

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.engine.store import Key, Store
from actor_operator.lifecycle.events import RunEvent, events_of, waits_of
from actor_operator.reconcile.event_writer import EventWriter

WAIT_SECONDS = 5.0
"""How long a cause of waiting stands in the status before it is worth an Event."""


@dataclass(frozen=True, slots=True)
class _Wait:
    """A run that waits for something."""

    key: Key
    uid: str
    cause: Reason


class EventRecorder:
    """Makes Events of committed statuses; it never waits and never fails.

    Parameters
    ----------
    runs
        What the informer knows, to see whether a run still waits.
    writer
        Where Events go.
    """

    def __init__(self, *, runs: Store[RunView | FinishedRun], writer: EventWriter) -> None:
        self._runs = runs
        self._writer = writer
        self._alarms: dict[_Wait, asyncio.TimerHandle] = {}

    def start_leading(self) -> None:
        """Begin to write."""
        self._writer.start()

    async def stop_leading(self) -> None:
        """Stop at once; what was not written is lost."""
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()
        await self._writer.stop()

    def status_written(self, before: RunView, after: RunView, pod: PodView | None) -> None:
        """A status was committed, with the pod as it was when it was decided on."""
        for event in events_of(before.status, after.status):
            self._writer.tell(event, after, pod)
        for cause in waits_of(after.status).keys() - waits_of(before.status).keys():
            self._set_alarm(_Wait((after.namespace, after.name), after.uid, cause), pod)

    def tell(self, event: RunEvent, run: RunView) -> None:
        """Something befell a run of which no status tells."""
        self._writer.tell(event, run, None)

    def _set_alarm(self, wait: _Wait, pod: PodView | None) -> None:
        last = self._alarms.pop(wait, None)
        if last is not None:
            last.cancel()
        loop = asyncio.get_running_loop()
        self._alarms[wait] = loop.call_later(WAIT_SECONDS, self._look_again, wait, pod)

    def _look_again(self, wait: _Wait, pod: PodView | None) -> None:
        """Tell of a wait, if it is not over."""
        del self._alarms[wait]
        run = self._runs.get(*wait.key)
        if not isinstance(run, RunView) or run.uid != wait.uid:
            return
        event = waits_of(run.status).get(wait.cause)
        if event is not None:
            self._writer.tell(event, run, pod)
