"""What a cluster has committed, revision by revision; invariants are checked on this."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

Object = dict[str, Any]
"""A Kubernetes object as JSON has it."""

RUN = "ActorRun"
ACTOR = "Actor"
ACCOUNT = "ActorAccount"
POD = "Pod"
SECRET = "Secret"
SERVICE = "Service"
INGRESS = "Ingress"
HTTP_ROUTE = "HTTPRoute"
EVENT = "Event"
NAMESPACE = "Namespace"

NAMED_BY_NAMESPACE = frozenset({ACCOUNT, NAMESPACE})
"""Kinds outside of namespaces whose objects belong to the namespace of their name."""

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
        """The namespace that the object is in, or governs."""
        if self.kind in NAMED_BY_NAMESPACE:
            return self.name
        return str(self.object["metadata"].get("namespace", ""))

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.object["metadata"]["name"])

    @property
    def gone(self) -> bool:
        """Whether the object is not there any more."""
        return self.change == DELETED


Life = list[Revision]
"""The revisions of one object, from its first to its last."""


class History:
    """Revisions of several kinds in the order in which they were committed.

    Parameters
    ----------
    revisions
        In any order.
    until
        Until when it was listened, in seconds since the epoch; None: until the last revision.
    """

    def __init__(self, revisions: Iterable[Revision], *, until: float | None = None) -> None:
        self.revisions = sorted(revisions, key=lambda revision: revision.number)
        self._until = until

    def __len__(self) -> int:
        return len(self.revisions)

    def objects(self, kind: str) -> list[Life]:
        """The lives of all objects of a kind."""
        return list(self._lives.get(kind, {}).values())

    def life(self, kind: str, name: str) -> Life:
        """The revisions of the objects of a name, usually one object."""
        lives = (life for life in self.objects(kind) if life[0].name == name)
        return sorted((r for life in lives for r in life), key=lambda revision: revision.number)

    def children(self, kind: str, owner_uid: str) -> list[Life]:
        """The lives of the objects that a run controls, in the order of their creation."""
        return self._children.get((kind, owner_uid), [])

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
        """Until when it was listened."""
        if self._until is not None:
            return self._until
        return max((revision.at for revision in self.revisions), default=0.0)

    def namespaces(self) -> list[str]:
        """The namespaces of which it tells."""
        return sorted({revision.namespace for revision in self.revisions})

    def of(self, namespace: str) -> "History":
        """What it tells of one namespace."""
        mine = (revision for revision in self.revisions if revision.namespace == namespace)
        return History(mine, until=self.ended_at)

    def write(self, path: Path) -> None:
        """Write one JSON line for each revision."""
        lines = (msgspec.json.encode(revision) for revision in self.revisions)
        path.write_bytes(b"\n".join(lines))

    @classmethod
    def read(cls, path: Path) -> "History":
        """Read what `write` or a recorder wrote."""
        lines = path.read_bytes().splitlines()
        return cls(msgspec.json.decode(line, type=Revision) for line in lines if line)

    @cached_property
    def _lives(self) -> dict[str, dict[str, Life]]:
        """Lives by kind and uid."""
        lives: dict[str, dict[str, Life]] = {}
        for revision in self.revisions:
            lives.setdefault(revision.kind, {}).setdefault(revision.uid, []).append(revision)
        return lives

    @cached_property
    def _children(self) -> dict[tuple[str, str], list[Life]]:
        """Lives by kind and the uid of the controlling owner."""
        children: dict[tuple[str, str], list[Life]] = {}
        for kind, lives in self._lives.items():
            for life in lives.values():
                children.setdefault((kind, controller_uid(life[0].object)), []).append(life)
        return children


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
    found: Object = _state(pod).get("terminated") or {}
    return found


def has_started(pod: Object) -> bool:
    """Whether the container of a pod runs or has run."""
    return bool(_state(pod).get("running") or _state(pod).get("terminated"))


def is_live(pod: Object) -> bool:
    """Whether a container of a pod runs or may still start."""
    return status_of(pod).get("phase") not in {"Succeeded", "Failed"} and not terminated(pod)


def _state(pod: Object) -> Object:
    statuses = status_of(pod).get("containerStatuses") or [{}]
    found: Object = statuses[0].get("state") or {}
    return found
