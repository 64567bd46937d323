"""What a cluster has committed, revision by revision; invariants are checked on this."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

Object = dict[str, Any]
"""A Kubernetes object as JSON has it."""

RUN = "ActorRun"
POD = "Pod"
SECRET = "Secret"

ADDED = "ADDED"
MODIFIED = "MODIFIED"
DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Revision:
    """One committed change of one object."""

    number: int
    """The resourceVersion that the change made; greater means later, across all kinds."""

    kind: str
    """The object's kind."""

    change: str
    """ADDED, MODIFIED or DELETED."""

    object: Object
    """The object after the change; for a deletion as it was last."""

    at: float
    """When it was heard of, in seconds since the epoch."""

    @property
    def uid(self) -> str:
        """The object's uid."""
        return str(self.object["metadata"]["uid"])

    @property
    def namespace(self) -> str:
        """The object's namespace."""
        return str(self.object["metadata"].get("namespace", ""))

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.object["metadata"]["name"])

    @property
    def gone(self) -> bool:
        """Whether the object is not there any more."""
        return self.change == DELETED


class History:
    """Revisions of several kinds in the order in which they were committed."""

    def __init__(self, revisions: Iterable[Revision]) -> None:
        self.revisions = sorted(revisions, key=lambda revision: revision.number)

    def __len__(self) -> int:
        return len(self.revisions)

    def objects(self, kind: str) -> list[list[Revision]]:
        """The lives of all objects of a kind, each from its first revision to its last."""
        lives: dict[str, list[Revision]] = {}
        for revision in self.revisions:
            if revision.kind == kind:
                lives.setdefault(revision.uid, []).append(revision)
        return list(lives.values())

    def life(self, kind: str, name: str) -> list[Revision]:
        """The revisions of the objects of a name, usually one object."""
        return [r for r in self.revisions if r.kind == kind and r.name == name]

    def children(self, kind: str, owner_uid: str) -> list[list[Revision]]:
        """The lives of the objects that a run controls."""
        lives = self.objects(kind)
        return [life for life in lives if controller_uid(life[0].object) == owner_uid]

    def phases(self, name: str) -> list[str]:
        """The phases of a run of that name, each as often as it was entered."""
        found: list[str] = []
        for revision in self.life(RUN, name):
            phase = status_of(revision.object).get("phase", "")
            if not found or found[-1] != phase:
                found.append(phase)
        return found

    @property
    def ended_at(self) -> float:
        """When the last revision was heard of."""
        return max((revision.at for revision in self.revisions), default=0.0)

    def write(self, path: Path) -> None:
        """Write one JSON line for each revision."""
        lines = (msgspec.json.encode(revision) for revision in self.revisions)
        path.write_bytes(b"\n".join(lines))

    @classmethod
    def read(cls, path: Path) -> "History":
        """Read what `write` or a recorder wrote."""
        lines = path.read_bytes().splitlines()
        return cls(msgspec.json.decode(line, type=Revision) for line in lines if line)


def controller_uid(obj: Object) -> str:
    """The uid of the owner that controls an object, empty without one."""
    owners = obj["metadata"].get("ownerReferences", ())
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def status_of(obj: Object) -> Object:
    """The status of an object."""
    found: Object = obj.get("status") or {}
    return found


def condition(obj: Object, kind: str) -> Object:
    """The condition of a type, empty when it is not set."""
    conditions = status_of(obj).get("conditions") or ()
    return next((dict(c) for c in conditions if c["type"] == kind), {})


def terminated(pod: Object) -> Object:
    """How the container of a pod ended, empty while it has not."""
    statuses = status_of(pod).get("containerStatuses") or [{}]
    found: Object = statuses[0].get("state", {}).get("terminated") or {}
    return found
