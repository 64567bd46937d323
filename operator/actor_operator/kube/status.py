"""The body of a status write: the status whole, and the version that it replaces.

With the resourceVersion it is a whole write and a lock at once; spec, labels and annotations stay.
"""

from typing import Generic, TypeVar

import msgspec

from actor_operator.api.views.metadata import ObjectView
from actor_operator.kube.resources import Resource

S = TypeVar("S")


class _Metadata(msgspec.Struct, rename="camel", omit_defaults=True):
    name: str
    namespace: str
    uid: str
    resource_version: str


class _Body(msgspec.Struct, Generic[S], rename="camel"):
    api_version: str
    kind: str
    metadata: _Metadata
    status: S


def status_body(resource: Resource, of: ObjectView, status: S) -> bytes:
    """JSON for a PUT of ``/status``.

    Parameters
    ----------
    resource
        The kind.
    of
        The object as it was read: its uid and resourceVersion must still hold.
    status
        The new status.
    """
    identity = _Metadata(of.name, of.namespace, of.uid, of.resource_version)
    return msgspec.json.encode(_Body(resource.api_version, resource.kind, identity, status))
