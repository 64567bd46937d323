"""Create, update and patch: from a client's object to a committed version.

Nothing here awaits, so a write reads and commits in one step, as a transaction of etcd does.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.support.apiserver.clock import Clock
from tests.support.apiserver.errors import (
    ApiError,
    already_exists,
    bad_request,
    invalid,
    lock_needed,
    not_found,
    wrong_name,
)
from tests.support.apiserver.fields import FieldError, Object
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.metadata import (
    carry_over,
    changeable_errors,
    check_lock,
    check_type,
    check_uid,
    finalizer_errors,
    fixed_errors,
    metadata_errors,
    metadata_of,
    place,
    stamp_new,
)
from tests.support.apiserver.render import shown
from tests.support.apiserver.store import Key, Store, Version

Admission = Callable[[Kind, Object], None]
"""Looks at an object that is about to be created; raises `ApiError` to refuse it."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """The query of a write."""

    dry_run: bool = False
    strict: bool = False
    """`fieldValidation=Strict`: unknown fields are refused and not pruned."""


PLAIN = WriteOptions()
"""A write without options."""


@dataclass(frozen=True, slots=True)
class Written:
    """Outcome of a write."""

    version: Version
    created: bool = False


class Writes:
    """All ways to make a new version of an object."""

    def __init__(self, store: Store, clock: Clock, admission: list[Admission]) -> None:
        self._store = store
        self._clock = clock
        self._admission = admission

    def create(
        self, kind: Kind, namespace: str, incoming: Object, options: WriteOptions = PLAIN
    ) -> Written:
        """POST. `incoming` is changed and kept.

        Raises
        ------
        ApiError
            400, 403 of admission, 409 AlreadyExists, 422.
        """
        check_type(kind, incoming)
        kind, obj = _stored(kind, incoming)
        place(kind, obj, namespace)
        if metadata_of(obj).pop("resourceVersion", None):
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        _check_strictly(kind, obj, options)
        stamp_new(kind, obj, self._clock())
        kind.strategy.default(obj)
        if kind.has_status:
            obj.pop("status", None)
        kind.strategy.prepare_create(obj)
        self._refuse(kind, obj, metadata_errors(kind, obj) or kind.strategy.validate(obj))
        key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        for admit in self._admission:
            admit(kind, obj)
        if self._store.get(kind, key):
            raise already_exists(kind, key[1])
        if options.dry_run:
            return Written(Version.of(kind, obj, self._store.revision), created=True)
        return Written(self._store.put(kind, key, obj), created=True)

    def replace(
        self,
        kind: Kind,
        key: Key,
        incoming: Object,
        subresource: str,
        options: WriteOptions = PLAIN,
    ) -> Written:
        """PUT. `incoming` is changed and kept.

        Raises
        ------
        ApiError
            400, 404, 409 Conflict, 422.
        """
        check_type(kind, incoming)
        place(kind, incoming, key[0])
        metadata = metadata_of(incoming)
        if metadata.setdefault("name", key[1]) != key[1]:
            raise wrong_name(metadata["name"], key[1])
        if kind.created_by_update and not subresource and not self._store.get(kind, key):
            return self.create(kind, key[0], incoming, options)
        current = self._current(kind, key)
        check_uid(kind, key[1], metadata, current.object["metadata"])
        if kind.needs_resource_version and not metadata.get("resourceVersion"):
            raise lock_needed(kind, key[1])
        return self._commit(kind, key, current, incoming, subresource, options)

    def change(
        self,
        kind: Kind,
        key: Key,
        change: Callable[[Object], Object],
        subresource: str,
        options: WriteOptions = PLAIN,
    ) -> Written:
        """PATCH: the current object as the client sees it goes through `change`.

        Raises
        ------
        ApiError
            What `change` raises; 400, 404, 409 Conflict, 422.
        """
        current = self._current(kind, key)
        changed = change(shown(kind, current))
        check_type(kind, changed)
        if metadata_of(changed).get("name") != key[1]:
            raise wrong_name(changed["metadata"].get("name", ""), key[1])
        place(kind, changed, key[0])
        return self._commit(kind, key, current, changed, subresource, options)

    def _current(self, kind: Kind, key: Key) -> Version:
        version = self._store.get(kind, key)
        if version is None:
            raise not_found(kind, key[1])
        return version

    def _commit(
        self,
        kind: Kind,
        key: Key,
        current: Version,
        incoming: Object,
        subresource: str,
        options: WriteOptions,
    ) -> Written:
        """Check the lock, let the kind prepare and validate, store what differs."""
        kind, new = _stored(kind, incoming)
        _check_strictly(kind, new, options)
        old = current.object
        check_lock(kind, key[1], metadata_of(new), old["metadata"])
        if subresource == "status":
            new, errors = _status_update(kind, new, current)
        else:
            errors = fixed_errors(new, old) or _main_update(kind, new, old)
        self._refuse(kind, new, errors)
        new = kind.typed(new)
        if new == old:
            return Written(current)
        if kind.has_generation and _counted(kind, new) != _counted(kind, old):
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        if options.dry_run:
            return Written(Version.of(kind, new, current.revision))
        if _can_go(new):
            return Written(Version.of(kind, new, self._store.remove(kind, key).revision))
        return Written(self._store.put(kind, key, new))

    @staticmethod
    def _refuse(kind: Kind, obj: Object, errors: list[FieldError]) -> None:
        if errors:
            metadata = obj["metadata"]
            raise invalid(kind, metadata.get("name") or metadata.get("generateName", ""), errors)


def _stored(kind: Kind, obj: Object) -> tuple[Kind, Object]:
    """The kind under which the object is kept, and the object in its form."""
    if kind.view is None:
        return kind, kind.typed(obj)
    return kind.view.of, kind.view.of.typed(kind.view.stored(obj))


def _check_strictly(kind: Kind, obj: Object, options: WriteOptions) -> None:
    unknown = kind.strategy.unknown_fields(obj) if options.strict else []
    if unknown:
        found = ", ".join(f'unknown field "{path}"' for path in sorted(unknown))
        raise bad_request(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
            f"strict decoding error: {found}"
        )


def _main_update(kind: Kind, new: Object, old: Object) -> list[FieldError]:
    """Prepare a write of all but the status, in place."""
    carry_over(new, old)
    kind.strategy.default(new)
    if kind.has_status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]
    kind.strategy.prepare_update(new, old)
    errors = changeable_errors(new) + finalizer_errors(new, old)
    return errors + kind.strategy.validate_update(new, old)


def _status_update(
    kind: Kind, incoming: Object, current: Version
) -> tuple[Object, list[FieldError]]:
    """The stored object with the incoming status, and nothing else of the incoming one."""
    new = current.copy()
    new.pop("status", None)
    if "status" in incoming:
        new["status"] = incoming["status"]
    kind.strategy.default_status(new)
    return new, kind.strategy.validate_status(new, current.object)


def _counted(kind: Kind, obj: Object) -> Object:
    """The part of an object whose changes raise its generation."""
    apart = {"metadata", "status"} if kind.has_status else {"metadata"}
    return {name: value for name, value in obj.items() if name not in apart}


def _can_go(obj: Object) -> bool:
    """Whether an object that is being deleted has nothing left to wait for."""
    metadata = obj["metadata"]
    return (
        "deletionTimestamp" in metadata
        and not metadata.get("finalizers")
        and not metadata.get("deletionGracePeriodSeconds")
    )
