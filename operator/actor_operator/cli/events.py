"""Kubernetes Events of a run and its pod."""

from datetime import datetime

import msgspec

from actor_operator.api.views.metadata import View
from actor_operator.api.views.run import RunView
from actor_operator.cli.objects import list_raw
from actor_operator.cli.session import Session
from actor_operator.kube.resources import Resource

EVENTS = Resource("", "v1", "events", "Event")
"""The kind."""


class InvolvedObject(View, frozen=True):
    """What an Event is about."""

    kind: str = ""
    name: str = ""


class _Series(View, frozen=True):
    count: int = 0
    last_observed_time: datetime | None = None


class _EventMetadata(View, frozen=True):
    creation_timestamp: datetime | None = None


class EventView(View, frozen=True):
    """An Event, in whichever of its two forms it was written."""

    metadata: _EventMetadata = _EventMetadata()
    involved_object: InvolvedObject = InvolvedObject()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: _Series | None = None

    @property
    def times(self) -> int:
        """How often it happened."""
        return max(self.count or 1, self.series.count if self.series else 1)

    @property
    def last_seen(self) -> datetime | None:
        """When it happened last."""
        series = self.series.last_observed_time if self.series else None
        created = self.metadata.creation_timestamp
        return series or self.last_timestamp or self.event_time or created


_DECODER = msgspec.json.Decoder(EventView)


async def list_events(session: Session, run: RunView) -> list[EventView]:
    """The Events of a run and of its current pod, oldest first.

    The API server keeps them for an hour, unless it is told otherwise.
    """
    selectors = [f"involvedObject.uid={run.uid}"]
    if run.status.pod_name:
        selectors.append(f"involvedObject.kind=Pod,involvedObject.name={run.status.pod_name}")
    events = [
        _DECODER.decode(raw)
        for selector in selectors
        for raw in await list_raw(session.client, EVENTS, run.namespace, selector)
    ]
    return sorted(events, key=lambda event: event.last_seen.timestamp() if event.last_seen else 0)
