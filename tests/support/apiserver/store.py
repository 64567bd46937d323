"""Storage like etcd's: one revision counter, the live objects, and a history that is compacted."""

import bisect
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from tests.support.apiserver.errors import expired, too_old
from tests.support.apiserver.fields import Object
from tests.support.apiserver.kinds import Kind

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped kinds) and name."""

KEPT_CHANGES = 50_000
"""Changes of one kind that are kept before the older half is compacted."""

LIST_TOO_OLD = "The resourceVersion for the provided list is too old."
"""What a list at a compacted revision is told."""

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Version:
    """One committed version of an object. Nobody changes `object`: `copy` is for that."""

    object: Object
    json: bytes
    """Encoded once, sent to every client."""
    revision: int

    @classmethod
    def of(cls, kind: Kind, obj: Object, revision: int) -> "Version":
        """Stamp and encode an object."""
        metadata = obj["metadata"] | {"resourceVersion": str(revision)}
        typed = kind.typed(obj) | {"metadata": metadata}
        return cls(typed, _encoder.encode(typed), revision)

    def copy(self) -> Object:
        """The object, to be changed."""
        decoded: Object = msgspec.json.decode(self.json)
        return decoded


@dataclass(frozen=True, slots=True)
class Change:
    """One committed write."""

    kind: Kind
    key: Key
    before: Version | None
    after: Version
    """The new version, or at a deletion the last one under the deletion's revision."""
    deleted: bool = False

    @property
    def revision(self) -> int:
        """The revision that this write made."""
        return self.after.revision

    @property
    def type(self) -> str:
        """ADDED, MODIFIED or DELETED."""
        if self.deleted:
            return "DELETED"
        return "MODIFIED" if self.before else "ADDED"


Listener = Callable[[Change], None]
"""Is told of each committed write, at once, in order."""


class Store:
    """Objects of all kinds."""

    def __init__(self) -> None:
        self.revision = 1
        self.compacted = 0
        """Revisions up to this one can no longer be asked for."""
        self._live: dict[str, dict[Key, Version]] = defaultdict(dict)
        self._sorted: dict[str, list[Key]] = {}
        """Keys in order, until one comes or goes."""
        self._log: dict[str, list[Change]] = defaultdict(list)
        self._listeners: list[Listener] = []
        self._kinds: dict[str, Kind] = {}

    def get(self, kind: Kind, key: Key) -> Version | None:
        """The live version, None if there is none."""
        return self._live[kind.storage].get(key)

    def all(self, kind: Kind) -> dict[Key, Version]:
        """The live objects of a kind."""
        return self._live[kind.storage]

    def kinds(self) -> list[Kind]:
        """The kinds that have or had objects."""
        return list(self._kinds.values())

    def keys(self, kind: Kind) -> list[Key]:
        """The keys of the live objects, in order."""
        if kind.storage not in self._sorted:
            self._sorted[kind.storage] = sorted(self._live[kind.storage])
        return self._sorted[kind.storage]

    def put(self, kind: Kind, key: Key, obj: Object) -> Version:
        """Commit a new version."""
        self.revision += 1
        before = self.get(kind, key)
        after = Version.of(kind, obj, self.revision)
        self._live[kind.storage][key] = after
        self._publish(Change(kind, key, before, after))
        return after

    def remove(self, kind: Kind, key: Key) -> Version:
        """Commit a deletion.

        Raises
        ------
        KeyError
            There is no such object.
        """
        self.revision += 1
        before = self._live[kind.storage].pop(key)
        after = Version.of(kind, before.object, self.revision)
        self._publish(Change(kind, key, before, after, deleted=True))
        return after

    def changes(self, kind: Kind, since: int = 0) -> list[Change]:
        """The kept writes of a kind after a revision, oldest first."""
        log = self._log[kind.storage]
        return log[bisect.bisect_right(log, since, key=lambda change: change.revision) :]

    def watchable(self, kind: Kind, since: int) -> list[Change]:
        """The writes that a watch from a revision starts with.

        Raises
        ------
        ApiError
            410, the revision has been compacted.
        """
        if since < self.compacted:
            raise too_old(since, self.compacted)
        return self.changes(kind, since)

    def at(self, kind: Kind, revision: int) -> dict[Key, Version]:
        """The objects of a kind as they were at a revision.

        Raises
        ------
        ApiError
            410, the revision has been compacted.
        """
        if revision < self.compacted:
            raise expired(LIST_TOO_OLD)
        objects = dict(self._live[kind.storage])
        for change in reversed(self.changes(kind, revision)):
            if change.before is None:
                objects.pop(change.key, None)
            else:
                objects[change.key] = change.before
        return objects

    def compact(self, revision: int | None = None) -> None:
        """Forget the history up to a revision, by default all of it."""
        self.compacted = max(self.compacted, revision or self.revision)
        for storage, log in self._log.items():
            kept = bisect.bisect_right(log, self.compacted, key=lambda change: change.revision)
            self._log[storage] = log[kept:]

    def listen(self, listener: Listener) -> None:
        """Tell somebody of each write from now on."""
        self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Tell them no more."""
        self._listeners.remove(listener)

    def _publish(self, change: Change) -> None:
        self._kinds.setdefault(change.kind.storage, change.kind)
        if change.type != "MODIFIED":
            self._sorted.pop(change.kind.storage, None)
        log = self._log[change.kind.storage]
        log.append(change)
        if len(log) > KEPT_CHANGES:
            self.compact(log[KEPT_CHANGES // 2].revision)
        for listener in list(self._listeners):
            listener(change)
