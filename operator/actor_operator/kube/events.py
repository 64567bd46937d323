"""Kubernetes Events about runs, in the group ``events.k8s.io``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import msgspec

from actor_operator.api.views.metadata import View
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
from actor_operator.clock import micro_timestamp
from actor_operator.constants import API_VERSION, GROUP
from actor_operator.kube.client import KubeClient, PatchKind
from actor_operator.kube.resources import Resource
from actor_operator.lifecycle.events import RunEvent
from actor_operator.text import cut

EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
"""The kind."""

NOTE_BYTES = 1024
"""Longest note of an Event that the API server takes."""

INSTANCE_BYTES = 128
"""Longest ``reportingInstance``."""


class _Metadata(View, frozen=True):
    name: str
    namespace: str


class Reference(View, frozen=True):
    """Which object is meant; of the object itself nothing is kept, for inputs are large."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    @classmethod
    def to_run(cls, run: RunView) -> Self:
        """A run."""
        return cls(API_VERSION, "ActorRun", run.namespace, run.name, run.uid)

    @classmethod
    def to_pod(cls, pod: PodView) -> Self:
        """A pod."""
        return cls("v1", "Pod", pod.namespace, pod.name, pod.uid)


class _Event(View, frozen=True):
    api_version: str
    kind: str
    metadata: _Metadata
    event_time: str
    reporting_controller: str
    reporting_instance: str
    type: str
    reason: str
    action: str
    note: str
    regarding: Reference
    related: Reference | None = None


class _Series(View, frozen=True):
    count: int
    last_observed_time: str


class _Repetition(View, frozen=True):
    series: _Series


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One Event to be written."""

    name: str
    event: RunEvent
    """What it says."""

    run: Reference
    """What it is about."""

    pod: Reference | None
    """What it is also about."""

    at: datetime
    """When it happened."""


class Events:
    """Writes Events; nothing reads them back.

    Parameters
    ----------
    client
        Over which; its guard keeps others than the leader from writing.
    instance
        Which process reports.
    """

    def __init__(self, client: KubeClient, *, instance: str) -> None:
        self._client = client
        self._instance = cut(instance, INSTANCE_BYTES)

    async def create(self, record: EventRecord) -> None:
        """Write an Event.

        Raises
        ------
        AlreadyExistsError
            When it is there, of a lost answer.
        ApiError
            As for every call.
        """
        body = msgspec.json.encode(_event(record, self._instance))
        await self._client.create(EVENTS, record.run.namespace, body)

    async def repeat(self, record: EventRecord, *, count: int, at: datetime) -> None:
        """Say that an Event has happened ``count`` times, the last time at a moment.

        Raises
        ------
        NotFoundError
            When its time is over and it is gone.
        ApiError
            As for every call.
        """
        repetition = _Repetition(_Series(count, micro_timestamp(at)))
        body = msgspec.json.encode(repetition)
        namespace, name = record.run.namespace, record.name
        await self._client.patch(EVENTS, namespace, name, body, PatchKind.MERGE)


def _event(record: EventRecord, instance: str) -> _Event:
    event = record.event
    return _Event(
        api_version=EVENTS.api_version,
        kind=EVENTS.kind,
        metadata=_Metadata(record.name, record.run.namespace),
        event_time=micro_timestamp(record.at),
        reporting_controller=GROUP,
        reporting_instance=instance,
        type=event.type,
        reason=event.reason,
        action=event.action,
        note=cut(event.note, NOTE_BYTES),
        regarding=record.run,
        related=record.pod,
    )
