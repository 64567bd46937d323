"""The parts that every Kubernetes object has."""

from datetime import datetime, timedelta

import msgspec


class View(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Base of the structs: camelCase on the wire, unknown fields are ignored."""


class OwnerReference(View, frozen=True):
    """Who owns an object."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class Metadata(View, frozen=True):
    """``metadata`` of an object."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()


class ObjectView(View, frozen=True):
    """An object with metadata; what stores need to file it."""

    metadata: Metadata

    @property
    def name(self) -> str:
        """``metadata.name``."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """``metadata.namespace``; empty for kinds without namespaces."""
        return self.metadata.namespace

    @property
    def uid(self) -> str:
        """``metadata.uid``."""
        return self.metadata.uid

    @property
    def resource_version(self) -> str:
        """``metadata.resourceVersion``."""
        return self.metadata.resource_version

    @property
    def deletion_requested_at(self) -> datetime | None:
        """When the deletion was asked for: ``deletionTimestamp`` is that plus the grace period."""
        moment = self.metadata.deletion_timestamp
        if moment is None:
            return None
        return moment - timedelta(seconds=self.metadata.deletion_grace_period_seconds or 0)

    def controller_uid(self) -> str | None:
        """The uid of the controlling owner, if there is one."""
        return next((o.uid for o in self.metadata.owner_references if o.controller), None)


class Condition(View, frozen=True):
    """``metav1.Condition``."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None
    observed_generation: int = 0
