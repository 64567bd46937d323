"""Bytes of objects and lists, each object encoded once however many clients read it."""

from collections.abc import Iterable
from typing import Any

import msgspec
from tests.support.apiserver.fields import Object
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.store import Version


def shown(kind: Kind, version: Version) -> Object:
    """A copy of the object as the kind shows it."""
    obj = version.copy()
    return kind.typed(kind.view.shown(obj)) if kind.view else obj


def object_bytes(kind: Kind, version: Version) -> bytes:
    """The object as the kind shows it."""
    return msgspec.json.encode(shown(kind, version)) if kind.view else version.json


def list_bytes(kind: Kind, metadata: dict[str, Any], items: Iterable[Version]) -> bytes:
    """A list answer. Items of built-in kinds carry no apiVersion and no kind."""
    cut = 0 if kind.custom else len(kind.prefix)
    parts = [object_bytes(kind, item) for item in items]
    joined = b",".join(b"{" + part[cut:] if cut else part for part in parts)
    head = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata}
    return msgspec.json.encode(head)[:-1] + b',"items":[' + joined + b"]}"
