"""DELETE: preconditions, grace, finalizers, propagation."""

from dataclasses import dataclass
from datetime import timedelta

from tests.support.apiserver.clock import Clock, timestamp
from tests.support.apiserver.errors import failed_precondition, invalid_options, not_found
from tests.support.apiserver.fields import FieldError, Object
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.store import Key, Store, Version

FOREGROUND_FINALIZER = "foregroundDeletion"
"""Keeps an owner until its dependents are gone."""

ORPHAN_FINALIZER = "orphan"
"""Keeps an owner until its dependents no longer name it."""

_FINALIZER_OF = {"Foreground": FOREGROUND_FINALIZER, "Orphan": ORPHAN_FINALIZER}


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """What a DELETE asks for."""

    grace: int | None = None
    """Seconds, None for the object's own."""
    uid: str = ""
    resource_version: str = ""
    propagation: str = "Background"
    dry_run: bool = False

    @classmethod
    def of(cls, body: Object) -> "DeleteOptions":
        """From the body of a request.

        Raises
        ------
        ApiError
            422, a value is senseless.
        """
        grace = body.get("gracePeriodSeconds")
        propagation = body.get("propagationPolicy") or "Background"
        if body.get("orphanDependents"):
            propagation = "Orphan"
        if grace is not None and grace < 0:
            grace = 1
        if propagation not in {"Background", *_FINALIZER_OF}:
            supported = '"Foreground", "Background", "Orphan", "nil"'
            detail = f'"{propagation}": supported values: {supported}'
            error = FieldError("propagationPolicy", "Unsupported value", detail)
            raise invalid_options("DeleteOptions", error)
        preconditions = body.get("preconditions") or {}
        return cls(
            grace,
            preconditions.get("uid") or "",
            preconditions.get("resourceVersion") or "",
            propagation,
            bool(body.get("dryRun")),
        )


@dataclass(frozen=True, slots=True)
class Deleted:
    """Outcome of a deletion."""

    version: Version
    gone: bool
    """False while a grace period or a finalizer keeps the object."""


class Deletions:
    """The one way in which objects go."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def delete(self, kind: Kind, key: Key, options: DeleteOptions) -> Deleted:
        """Mark the object as being deleted, or remove it.

        Raises
        ------
        ApiError
            404, 409 for a precondition that does not hold.
        """
        kind = kind.view.of if kind.view else kind
        current = self._store.get(kind, key)
        if current is None:
            raise not_found(kind, key[1])
        _check_preconditions(kind, key[1], current.object["metadata"], options)
        marked = self._marked(kind, current, options)
        metadata = marked["metadata"]
        stays = kind.strategy.begin_deletion(marked)
        waits = bool(stays or metadata.get("finalizers") or metadata["deletionGracePeriodSeconds"])
        if options.dry_run:
            return Deleted(current, gone=not waits)
        if not waits:
            removed = self._store.remove(kind, key)
            return Deleted(Version.of(kind, marked, removed.revision), gone=True)
        if kind.typed(marked) == current.object:
            return Deleted(current, gone=False)
        return Deleted(self._store.put(kind, key, marked), gone=False)

    def _marked(self, kind: Kind, current: Version, options: DeleteOptions) -> Object:
        """A copy with deletionTimestamp, grace and the propagation's finalizer."""
        obj = current.copy()
        metadata = obj["metadata"]
        grace = kind.strategy.grace(obj, options.grace)
        before = metadata.get("deletionGracePeriodSeconds")
        if before is None:
            if finalizer := _FINALIZER_OF.get(options.propagation):
                finalizers = metadata.setdefault("finalizers", [])
                finalizers += [finalizer] if finalizer not in finalizers else []
            if "generation" in metadata:
                metadata["generation"] += 1
        if before is None or grace < before:
            metadata["deletionGracePeriodSeconds"] = grace
            ends = self._clock() + timedelta(seconds=grace)
            metadata["deletionTimestamp"] = timestamp(ends)
        return obj


def _check_preconditions(kind: Kind, name: str, stored: Object, options: DeleteOptions) -> None:
    if options.uid and options.uid != stored["uid"]:
        raise failed_precondition(
            kind,
            name,
            f"the UID in the precondition ({options.uid}) does not match the UID in record "
            f"({stored['uid']}). The object might have been deleted and then recreated",
        )
    version = stored["resourceVersion"]
    if options.resource_version and options.resource_version != version:
        raise failed_precondition(
            kind,
            name,
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match "
            f"the ResourceVersion in record ({version}). The object might have been modified",
        )
