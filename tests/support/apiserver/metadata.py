"""Rules of `metadata` that hold for every kind."""

import secrets
import uuid
from datetime import datetime

from tests.support.apiserver.clock import timestamp
from tests.support.apiserver.errors import bad_request, conflict
from tests.support.apiserver.fields import FieldError, Object
from tests.support.apiserver.kinds import Kind

SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Characters of generated names: no vowels, so no words."""

SUFFIX_LENGTH = 5
"""Characters that follow `generateName`."""

LONGEST_GENERATED = 63
"""`generateName` is cut so that the whole name has at most these characters."""

SET_BY_SERVER = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
"""What an update takes over from the stored object whatever the client sent."""

CONTROLLER_SENTENCE = "Only one reference can have Controller set to true"


def metadata_of(obj: Object) -> Object:
    """The metadata, made if absent.

    Raises
    ------
    ApiError
        400, it is no object.
    """
    metadata = obj.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise bad_request("metadata is not an object")
    return metadata


def place(kind: Kind, obj: Object, namespace: str) -> None:
    """Set the namespace of the path, in place.

    Raises
    ------
    ApiError
        400, the object says another one.
    """
    metadata = metadata_of(obj)
    if not kind.namespaced:
        metadata.pop("namespace", None)
        return
    if metadata.get("namespace", namespace) != namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    metadata["namespace"] = namespace


def check_type(kind: Kind, obj: Object) -> None:
    """Compare apiVersion and kind with those of the path.

    Raises
    ------
    ApiError
        400, they are missing in a custom kind, or others.
    """
    found = (obj.get("apiVersion", ""), obj.get("kind", ""))
    if found == (kind.api_version, kind.kind) or (not kind.custom and found == ("", "")):
        return
    if kind.custom and not found[1]:
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind.kind}): "
            "Object 'Kind' is missing"
        )
    raise bad_request(
        f"{found[1]} in version {found[0]!r} cannot be handled as a {kind.kind}: "
        f"the API version in the data does not match the expected API version ({kind.api_version})"
    )


def stamp_new(kind: Kind, obj: Object, now: datetime) -> None:
    """Set what the server sets at creation, in place; a missing name is generated."""
    metadata = metadata_of(obj)
    if not metadata.get("name") and metadata.get("generateName"):
        base = metadata["generateName"][: LONGEST_GENERATED - SUFFIX_LENGTH]
        suffix = "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(SUFFIX_LENGTH))
        metadata["name"] = base + suffix
    for name in (*SET_BY_SERVER, "generation", "managedFields", "selfLink"):
        metadata.pop(name, None)
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = timestamp(now)
    if kind.has_generation:
        metadata["generation"] = 1


def carry_over(new: Object, old: Object) -> None:
    """Keep what only the server sets, in place."""
    metadata, before = metadata_of(new), old["metadata"]
    metadata.pop("managedFields", None)
    for name in (*SET_BY_SERVER, "generation", "resourceVersion"):
        metadata.pop(name, None)
        if name in before:
            metadata[name] = before[name]


def check_uid(kind: Kind, name: str, sent: Object, stored: Object) -> None:
    """Compare the uid that an update names with the stored one.

    Raises
    ------
    ApiError
        409, it is another.
    """
    if sent.get("uid") and sent["uid"] != stored["uid"]:
        raise conflict(
            kind,
            name,
            "StorageError: invalid object, Code: 4, "
            f"Key: /registry/{kind.resource}/{stored.get('namespace', '')}/{name}, "
            "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: "
            f"UID in precondition: {sent['uid']}, UID in object meta: {stored['uid']}",
        )


def check_lock(kind: Kind, name: str, sent: Object, stored: Object) -> None:
    """Compare the resourceVersion that a client names with the stored one.

    Raises
    ------
    ApiError
        409, it is another.
    """
    if sent.get("resourceVersion") and sent["resourceVersion"] != stored["resourceVersion"]:
        raise conflict(kind, name)


def fixed_errors(new: Object, old: Object) -> list[FieldError]:
    """What a patch may not change."""
    sent, stored = new["metadata"], old["metadata"]
    return [
        FieldError(f"metadata.{name}", "Invalid value", f'"{sent[name]}": field is immutable')
        for name in ("uid", "deletionTimestamp")
        if sent.get(name) and sent[name] != stored.get(name)
    ]


def metadata_errors(kind: Kind, obj: Object) -> list[FieldError]:
    """What is wrong with a new object's metadata."""
    metadata = obj["metadata"]
    if not metadata.get("name"):
        return [FieldError("metadata.name", "Required value", "name or generateName is required")]
    return kind.strategy.name_errors(metadata["name"]) + changeable_errors(obj)


def changeable_errors(obj: Object) -> list[FieldError]:
    """What is wrong with the parts of the metadata that updates can change."""
    metadata = obj["metadata"]
    errors = [
        FieldError("metadata.labels", "Invalid value", f'"{value}": must be no more than 63 bytes')
        for value in (metadata.get("labels") or {}).values()
        if len(value.encode()) > 63
    ]
    owners = metadata.get("ownerReferences") or []
    for owner in owners:
        errors += [
            FieldError(f"metadata.ownerReferences.{name}", "Invalid value", '"": must not be empty')
            for name in ("apiVersion", "kind", "name", "uid")
            if not owner.get(name)
        ]
    if sum(bool(owner.get("controller")) for owner in owners) > 1:
        errors.append(FieldError("metadata.ownerReferences", "Invalid value", CONTROLLER_SENTENCE))
    return errors


def finalizer_errors(new: Object, old: Object) -> list[FieldError]:
    """An object that is being deleted gets no new finalizer."""
    if "deletionTimestamp" not in old["metadata"]:
        return []
    known = set(old["metadata"].get("finalizers") or [])
    added = [name for name in new["metadata"].get("finalizers") or [] if name not in known]
    if not added:
        return []
    found = ", ".join(f'"{name}"' for name in added)
    detail = (
        "no new finalizers can be added if the object is being deleted, "
        f"found new finalizers []string{{{found}}}"
    )
    return [FieldError("metadata.finalizers", "Forbidden", detail)]
