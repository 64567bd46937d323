"""Garbage collection by ownerReferences, and the emptying of namespaces that are deleted."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.support.apiserver.builtin import NAMESPACES
from tests.support.apiserver.deletion import (
    FOREGROUND_FINALIZER,
    ORPHAN_FINALIZER,
    DeleteOptions,
    Deletions,
)
from tests.support.apiserver.fields import Object
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.store import Change, Key, Store, Version
from tests.support.apiserver.timers import Timers

Place = tuple[str, Key]
"""Where an object is stored."""


OURS = {FOREGROUND_FINALIZER, ORPHAN_FINALIZER}
"""Finalizers that wait for the collector."""


def owners_of(obj: Object) -> list[str]:
    """The uids that an object's ownerReferences name."""
    return [owner["uid"] for owner in obj["metadata"].get("ownerReferences") or []]


class Collector:
    """Deletes what no living object owns, as kube-controller-manager does."""

    def __init__(self, *, store: Store, deletions: Deletions, timers: Timers, delay: float) -> None:
        self._store = store
        self._deletions = deletions
        self._timers = timers
        self._delay = delay
        self._dependents: dict[str, set[Place]] = defaultdict(set)
        """uid of an owner, dead or alive -> where its dependents are."""
        self._living: dict[str, Place] = {}
        """uid -> where the object is."""
        self._kinds: dict[str, Kind] = {}

    def on_change(self, change: Change) -> None:
        """Keep the index, and look soon at whatever may have to go."""
        kind, key = change.kind, change.key
        place = (kind.storage, key)
        self._kinds[kind.storage] = kind
        uid = change.after.object["metadata"]["uid"]
        before = owners_of(change.before.object) if change.before else []
        after = [] if change.deleted else owners_of(change.after.object)
        for owner in before:
            self._dependents[owner].discard(place)
        for owner in after:
            self._dependents[owner].add(place)
        if change.deleted:
            self._living.pop(uid, None)
            for dependent in self._dependents.pop(uid, set()):
                self._later(self._collect, dependent)
        else:
            self._living[uid] = place
            if after and change.before is None:
                self._later(self._collect, place)
            if _waits_for_us(change.after.object):
                self._later(self._work_on_owner, place)
        for owner in set(before) - set(after):
            self._later(self._finish_owner, owner)

    def _later(self, call: Callable[[Any], None], argument: object) -> None:
        self._timers.later(self._delay, partial(call, argument))

    def _get(self, place: Place) -> tuple[Kind, Key, Version | None]:
        storage, key = place
        kind = self._kinds[storage]
        return kind, key, self._store.get(kind, key)

    def _collect(self, place: Place) -> None:
        """Delete an object if all its owners are gone."""
        kind, key, version = self._get(place)
        if version is None or "deletionTimestamp" in version.object["metadata"]:
            return
        owners = owners_of(version.object)
        if owners and not any(self._is_alive(uid, key[0]) for uid in owners):
            self._delete(kind, key, version)

    def _is_alive(self, uid: str, namespace: str) -> bool:
        """An owner counts if it lives in the same namespace or in none."""
        place = self._living.get(uid)
        return place is not None and place[1][0] in {namespace, ""}

    def _delete(self, kind: Kind, key: Key, version: Version) -> None:
        self._deletions.delete(kind, key, DeleteOptions(uid=version.object["metadata"]["uid"]))

    def _work_on_owner(self, place: Place) -> None:
        """Delete, or disown, the dependents of an owner that waits for that."""
        _, _, owner = self._get(place)
        if owner is None or not _waits_for_us(owner.object):
            return
        uid = owner.object["metadata"]["uid"]
        orphaning = ORPHAN_FINALIZER in owner.object["metadata"]["finalizers"]
        for dependent in list(self._dependents[uid]):
            kind, key, version = self._get(dependent)
            if version is None:
                continue
            if orphaning:
                self._store.put(kind, key, _disowned(version, uid))
            elif "deletionTimestamp" not in version.object["metadata"]:
                self._delete(kind, key, version)
        self._finish_owner(uid)

    def _finish_owner(self, uid: str) -> None:
        """Take our finalizers off an owner that has no dependents left."""
        place = self._living.get(uid)
        if place is None or self._dependents.get(uid):
            return
        kind, key, version = self._get(place)
        if version is None or not _waits_for_us(version.object):
            return
        obj = version.copy()
        metadata = obj["metadata"]
        metadata["finalizers"] = [name for name in metadata["finalizers"] if name not in OURS]
        if metadata["finalizers"] or metadata.get("deletionGracePeriodSeconds"):
            self._store.put(kind, key, obj)
        else:
            self._store.remove(kind, key)


def _waits_for_us(obj: Object) -> bool:
    """Whether an object is being deleted in foreground, or with its dependents to be orphaned."""
    metadata = obj["metadata"]
    return "deletionTimestamp" in metadata and bool(OURS & set(metadata.get("finalizers") or []))


def _disowned(version: Version, uid: str) -> Object:
    obj = version.copy()
    owners = obj["metadata"]["ownerReferences"]
    obj["metadata"]["ownerReferences"] = [owner for owner in owners if owner["uid"] != uid]
    return obj


class NamespaceController:
    """Empties a namespace that is being deleted, then lets it go."""

    def __init__(self, *, store: Store, deletions: Deletions, timers: Timers, delay: float) -> None:
        self._store = store
        self._deletions = deletions
        self._timers = timers
        self._delay = delay

    def on_change(self, change: Change) -> None:
        """Start with a namespace, go on whenever something in it has gone."""
        is_namespace = change.kind is NAMESPACES
        name = change.key[1] if is_namespace else change.key[0]
        if (is_namespace and not change.deleted) or (name and change.deleted):
            self._timers.later(self._delay, lambda: self._work(name))

    def _work(self, name: str) -> None:
        namespace = self._store.get(NAMESPACES, ("", name))
        if namespace is None or "deletionTimestamp" not in namespace.object["metadata"]:
            return
        left = [
            (kind, key, version)
            for kind in self._store.kinds()
            for key, version in list(self._store.all(kind).items())
            if key[0] == name
        ]
        for kind, key, version in left:
            if "deletionTimestamp" not in version.object["metadata"]:
                self._deletions.delete(kind, key, DeleteOptions())
        if not left:
            self._store.remove(NAMESPACES, ("", name))
