"""Events: one storage, shown as events.k8s.io/v1 and, under older field names, as core v1."""

from tests.support.apiserver.fields import Object
from tests.support.apiserver.kinds import Kind, View

_RENAMED = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
"""Field of events.k8s.io/v1 -> field of core v1; all others are named alike."""

_BACK = {core: new for new, core in _RENAMED.items()}


def _rename(obj: Object, names: dict[str, str]) -> Object:
    return {names.get(name, name): value for name, value in obj.items()}


EVENTS = Kind(
    "events.k8s.io",
    "v1",
    "events",
    "Event",
    created_by_update=True,
    short_names=("ev",),
    selectable={
        "reason": "reason",
        "regarding.kind": "regarding.kind",
        "regarding.name": "regarding.name",
        "regarding.uid": "regarding.uid",
        "type": "type",
    },
)

CORE_EVENTS = Kind(
    "",
    "v1",
    "events",
    "Event",
    created_by_update=True,
    short_names=("ev",),
    selectable={
        "reason": "reason",
        "involvedObject.kind": "regarding.kind",
        "involvedObject.name": "regarding.name",
        "involvedObject.uid": "regarding.uid",
        "type": "type",
    },
    view=View(
        of=EVENTS,
        shown=lambda obj: _rename(obj, _RENAMED),
        stored=lambda obj: _rename(obj, _BACK),
    ),
)
