"""From a target to an answer: status code and bytes."""

from dataclasses import dataclass

import msgspec
from tests.support.apiserver.deletion import DeleteOptions, Deletions
from tests.support.apiserver.errors import invalid_options, not_found
from tests.support.apiserver.fields import FieldError, Object
from tests.support.apiserver.patches import APPLY, patched, read_object
from tests.support.apiserver.podlogs import PodLogs
from tests.support.apiserver.reads import ListOptions, list_objects
from tests.support.apiserver.render import object_bytes
from tests.support.apiserver.routes import Target
from tests.support.apiserver.store import Store
from tests.support.apiserver.writes import WriteOptions, Writes, Written

FIELD_MANAGER_NEEDED = FieldError("fieldManager", "Required value", "is required for apply patch")
"""An apply that does not say whose it is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets."""

    code: int
    body: bytes
    content_type: str = "application/json"
    applied: bool = False
    """Whether a write was committed."""


class Handlers:
    """Every verb but watch."""

    def __init__(
        self, *, store: Store, writes: Writes, deletions: Deletions, logs: PodLogs
    ) -> None:
        self._store = store
        self._writes = writes
        self._deletions = deletions
        self._logs = logs

    def answer(self, target: Target, body: bytes, media_type: str) -> Answer:
        """Carry out a request.

        Raises
        ------
        ApiError
            It is refused.
        """
        match target.verb:
            case "get":
                return self._get(target)
            case "list":
                return self._list(target)
            case "create":
                options = _write_options(target)
                obj = read_object(body)
                written = self._writes.create(target.kind, target.namespace, obj, options)
                return self._written(target, written, options)
            case "update" | "patch":
                return self._update(target, body, media_type)
            case _:
                return self._delete(target, body)

    def _get(self, target: Target) -> Answer:
        version = self._store.get(target.kind, target.key)
        if version is None:
            raise not_found(target.kind, target.name)
        if target.subresource == "log":
            text = self._logs.answer(version.object, dict(target.query))
            return Answer(200, text.encode(), "text/plain")
        return Answer(200, object_bytes(target.kind, version))

    def _list(self, target: Target) -> Answer:
        query = target.query
        options = ListOptions(
            labels=query.get("labelSelector", ""),
            fields=query.get("fieldSelector", ""),
            limit=int(query.get("limit") or 0),
            token=query.get("continue", ""),
            revision=query.get("resourceVersion", ""),
            match=query.get("resourceVersionMatch", ""),
        )
        return Answer(200, list_objects(self._store, target.kind, target.namespace, options))

    def _update(self, target: Target, body: bytes, media_type: str) -> Answer:
        options = _write_options(target)
        kind, key = target.kind, target.key
        if media_type == APPLY and not target.query.get("fieldManager"):
            raise invalid_options("PatchOptions", FIELD_MANAGER_NEEDED)
        if target.verb == "update":
            obj = read_object(body)
            written = self._writes.replace(kind, key, obj, target.subresource, options)
        elif media_type == APPLY and not self._store.get(kind, key):
            obj = read_object(body, as_yaml=True)
            written = self._writes.create(kind, target.namespace, obj, options)
        else:
            written = self._writes.change(
                kind,
                key,
                lambda current: patched(kind, current, media_type, body),
                target.subresource,
                options,
            )
        return self._written(target, written, options)

    def _delete(self, target: Target, body: bytes) -> Answer:
        asked = read_object(body) if body else _delete_options_of(target)
        options = DeleteOptions.of(asked)
        deleted = self._deletions.delete(target.kind, target.key, options)
        applied = not options.dry_run
        if target.kind.returned_by_delete or not deleted.gone:
            return Answer(200, object_bytes(target.kind, deleted.version), applied=applied)
        return Answer(
            200, msgspec.json.encode(_success(target, deleted.version.object)), applied=applied
        )

    @staticmethod
    def _written(target: Target, written: Written, options: WriteOptions) -> Answer:
        code = 201 if written.created else 200
        body = object_bytes(target.kind, written.version)
        return Answer(code, body, applied=not options.dry_run)


def _write_options(target: Target) -> WriteOptions:
    query = target.query
    return WriteOptions(bool(query.get("dryRun")), query.get("fieldValidation") == "Strict")


def _delete_options_of(target: Target) -> Object:
    """The options of a DELETE without a body stand in the query."""
    options: Object = {}
    if "gracePeriodSeconds" in target.query:
        options["gracePeriodSeconds"] = int(target.query["gracePeriodSeconds"])
    for name in ("propagationPolicy", "dryRun"):
        if name in target.query:
            options[name] = target.query[name]
    return options


def _success(target: Target, obj: Object) -> Object:
    details = {"name": target.name, "kind": target.kind.plural, "uid": obj["metadata"]["uid"]}
    if target.kind.group:
        details["group"] = target.kind.group
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return status | {"details": details}
