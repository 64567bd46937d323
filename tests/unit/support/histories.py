"""Hand-made histories: a run with its pod and Secret, one line a revision."""

from typing import Any

from tests.support.history import (
    ADDED,
    DELETED,
    EVENT,
    INGRESS,
    MODIFIED,
    POD,
    RUN,
    SECRET,
    SERVICE,
    History,
    Revision,
)

UID = "run-uid"
LABELS = {"actor-operator.dev/run-uid": UID, "actor-operator.dev/attempt": "1"}
SECOND = {**LABELS, "actor-operator.dev/attempt": "2"}
"""Labels of children of the second attempt."""

OWNER = {"kind": "ActorRun", "name": "hello", "uid": UID, "controller": True}
POD_NAME = "hello-abcd-1"
SECRET_NAME = "hello-abcd-1-abcdefghijklmnop"

NEXT_POD = "hello-abcd-2"

WEB_NAME = "hello-abcd"
"""Name of the Service and of the route."""

HOST = "abcdefghijklmnopqrstuvwxyz.runs.example"
URL: dict[str, Any] = {"containerUrl": f"https://{HOST}/"}
"""Status of a run that has a URL."""

LEADS = {"rules": [{"host": HOST}]}
"""Specification of an Ingress that leads to it."""

START, END = "2026-01-01T12:00:00Z", "2026-01-01T12:00:09Z"

DELETED_LATER = {"deletionTimestamp": "2026-01-01T12:00:35Z", "deletionGracePeriodSeconds": 30}
"""Metadata of a pod whose deletion was asked for five seconds after `START`."""

DELETED_EARLIER = {"deletionTimestamp": "2026-01-01T12:00:29Z", "deletionGracePeriodSeconds": 30}
"""Metadata of a pod whose deletion was asked for a second before `START`."""

EVICTED = {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "Eviction"}]}
"""Status of a pod that is evicted."""

MIGRATED: dict[str, Any] = {"migrations": 1, "stats": {"migrationCount": 1}, "podName": NEXT_POD}
"""Status of a run that got its second pod."""

TIMED: dict[str, Any] = {"options": {"timeoutSecs": 10}, "timeoutAt": "1970-01-01T00:00:10Z"}
"""Status of a run that ends when a story's clock says 10."""

VERDICT = {"finished": True, "startedAt": START, "finishedAt": END}
"""What the status of a run that has ended says."""


class Story:
    """Tells revisions one after the other, a second apart unless said otherwise."""

    def __init__(self) -> None:
        self._revisions: list[Revision] = []
        self.clock = 0.0

    @property
    def history(self) -> History:
        """What was told so far."""
        return History(self._revisions)

    def tell(self, kind: str, change: str, uid: str, obj: dict[str, Any]) -> "Story":
        """Add a revision."""
        self.clock += 1
        obj["metadata"] = {"uid": uid, "namespace": "team", **obj["metadata"]}
        number = len(self._revisions) + 1
        self._revisions.append(Revision(number, kind, change, obj, self.clock))
        return self

    def run(
        self,
        phase: str,
        *,
        spec: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        **status: Any,
    ) -> "Story":
        """The run is written."""
        change = MODIFIED if any(r.kind == RUN for r in self._revisions) else ADDED
        body = {
            "metadata": {"name": "hello", **(metadata or {})},
            "spec": {"actor": "greeter", **(spec or {})},
            "status": {"phase": phase, "attempt": 1, **status},
        }
        return self.tell(RUN, change, UID, body)

    def end(self, phase: str, **status: Any) -> "Story":
        """The run ends."""
        return self.run(phase, **{**VERDICT, **status})

    def delete_run(self) -> "Story":
        """The run is gone."""
        last = next(r for r in reversed(self._revisions) if r.kind == RUN)
        return self.tell(RUN, DELETED, UID, dict(last.object))

    def wait(self, seconds: float) -> "Story":
        """Time passes."""
        self.clock += seconds
        return self

    def pod(
        self,
        phase: str,
        change: str = MODIFIED,
        *,
        name: str = POD_NAME,
        uid: str = "",
        metadata: dict[str, Any] | None = None,
        spec: dict[str, Any] | None = None,
        status: dict[str, Any] | None = None,
        **end: Any,
    ) -> "Story":
        """The pod is written; with fields of the container's end it has ended."""
        state: dict[str, Any] = {"terminated": end} if end else {}
        if phase == "Running" and not end:
            state = {"running": {"startedAt": START}}
        body = {
            "metadata": {
                "name": name,
                "labels": LABELS,
                "ownerReferences": [OWNER],
                **(metadata or {}),
            },
            "spec": spec or {},
            "status": {
                "phase": phase,
                "containerStatuses": [{"name": "actor", "state": state}],
                **(status or {}),
            },
        }
        return self.tell(POD, change, uid or name, body)

    def secret(self, change: str, **metadata: Any) -> "Story":
        """The Secret is written."""
        whole = {"name": SECRET_NAME, "labels": LABELS, "ownerReferences": [OWNER], **metadata}
        return self.tell(SECRET, change, SECRET_NAME, {"metadata": whole})

    def web_object(
        self,
        kind: str,
        change: str = ADDED,
        *,
        uid: str = "",
        spec: dict[str, Any] | None = None,
        **metadata: Any,
    ) -> "Story":
        """The Service or route is written; an Ingress leads from the run's host."""
        whole = {"name": WEB_NAME, "labels": LABELS, "ownerReferences": [OWNER], **metadata}
        body = {"metadata": whole, "spec": LEADS if spec is None else spec}
        return self.tell(kind, change, uid or kind, body)

    def event(self, name: str, reason: str, note: str = "") -> "Story":
        """An Event is written."""
        body = {"metadata": {"name": name}, "regarding": {"uid": UID}, "reason": reason}
        return self.tell(EVENT, ADDED, name, {**body, "note": note})


def plain() -> Story:
    """A run that succeeds."""
    return (
        running()
        .pod("Succeeded", exitCode=0, reason="Completed")
        .secret(DELETED)
        .end("SUCCEEDED", exitCode=0)
    )


def running(**status: Any) -> Story:
    """A run that runs."""
    story = Story().run("READY").secret(ADDED).pod("Pending", ADDED).pod("Running")
    return story.run("RUNNING", startedAt=START, **status)


def reachable() -> Story:
    """A run that runs and has a URL."""
    story = Story().run("READY").secret(ADDED).pod("Pending", ADDED)
    story.web_object(SERVICE).web_object(INGRESS).pod("Running")
    return story.run("RUNNING", startedAt=START, **URL)


def taken_down() -> Story:
    """A run that had a URL and has succeeded."""
    story = reachable().pod("Succeeded", exitCode=0, reason="Completed").secret(DELETED)
    story.web_object(INGRESS, DELETED).web_object(SERVICE, DELETED)
    return story.end("SUCCEEDED", exitCode=0, **URL)


def migrated() -> Story:
    """A run whose pod is evicted while it runs, and that succeeds in its next pod."""
    story = running().pod("Running", status=EVICTED)
    story.pod("Failed", status=EVICTED, exitCode=0, reason="Completed", finishedAt=END)
    story.secret(DELETED).run("RUNNING", startedAt=START, **MIGRATED)
    story.pod("Pending", ADDED, name=NEXT_POD).pod("Running", name=NEXT_POD)
    story.pod("Succeeded", name=NEXT_POD, exitCode=0, reason="Completed", finishedAt=END)
    return story.end("SUCCEEDED", exitCode=0, **MIGRATED)


def resurrected() -> Story:
    """A run that has ended and begins again once its pod is gone."""
    story = plain().run("READY", attempt=2, stats={"resurrectCount": 1})
    story.pod("Succeeded", DELETED, exitCode=0, reason="Completed")
    story.pod("Pending", ADDED, name=NEXT_POD, metadata={"labels": SECOND})
    return story.run("READY", attempt=2, stats={"resurrectCount": 1}, podName=NEXT_POD)


def stopped(reason: str) -> dict[str, Any]:
    """The part of a status that says that a stop is decided."""
    target = {"type": "TerminationTarget", "status": "True", "reason": reason}
    return {"conditions": [{**target, "lastTransitionTime": START}]}
