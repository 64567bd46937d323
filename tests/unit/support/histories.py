"""Hand-made histories: a run with its pod and Secret, one line a revision."""

from typing import Any

from tests.support.history import ADDED, DELETED, MODIFIED, POD, RUN, SECRET, History, Revision

UID = "run-uid"
LABELS = {"actor-operator.dev/run-uid": UID, "actor-operator.dev/attempt": "1"}
OWNER = {"kind": "ActorRun", "name": "hello", "uid": UID, "controller": True}
POD_NAME = "hello-abcd-1"
SECRET_NAME = "hello-abcd-1-abcdefghijklmnop"

START, END = "2026-01-01T12:00:00Z", "2026-01-01T12:00:09Z"

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

    def run(self, phase: str, *, spec: dict[str, Any] | None = None, **status: Any) -> "Story":
        """The run is written."""
        change = MODIFIED if any(r.kind == RUN for r in self._revisions) else ADDED
        body = {
            "metadata": {"name": "hello"},
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

    def pod(
        self, phase: str, change: str = MODIFIED, *, name: str = POD_NAME, **fields: Any
    ) -> "Story":
        """The pod is written; fields of the container's end make it ended."""
        state = {"terminated": fields} if fields else {}
        metadata = {"name": name, "labels": LABELS, "ownerReferences": [OWNER]}
        status = {"phase": phase, "containerStatuses": [{"name": "actor", "state": state}]}
        return self.tell(POD, change, name, {"metadata": metadata, "status": status})

    def secret(self, change: str, **metadata: Any) -> "Story":
        """The Secret is written."""
        whole = {"name": SECRET_NAME, "labels": LABELS, "ownerReferences": [OWNER], **metadata}
        return self.tell(SECRET, change, SECRET_NAME, {"metadata": whole})


def plain() -> Story:
    """A run that succeeds."""
    return (
        running()
        .pod("Succeeded", exitCode=0, reason="Completed")
        .secret(DELETED)
        .end("SUCCEEDED", exitCode=0)
    )


def running() -> Story:
    """A run that runs."""
    story = Story().run("READY").secret(ADDED).pod("Pending", ADDED).pod("Running")
    return story.run("RUNNING", startedAt=START)


def stopped(reason: str) -> dict[str, Any]:
    """The part of a status that says that a stop is decided."""
    target = {"type": "TerminationTarget", "status": "True", "reason": reason}
    return {"conditions": [{**target, "lastTransitionTime": START}]}
