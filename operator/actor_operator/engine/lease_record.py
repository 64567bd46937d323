"""The Lease object: what is read of it and what is written to it."""

from datetime import datetime, timedelta

import msgspec

from actor_operator.clock import micro_timestamp, parse_timestamp


class _Metadata(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    name: str
    namespace: str
    resource_version: str = ""


class _Spec(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class Lease(
    msgspec.Struct,
    rename="camel",
    omit_defaults=True,
    frozen=True,
    tag_field="kind",
    tag="Lease",
):
    """A ``coordination.k8s.io/v1`` Lease."""

    metadata: _Metadata
    api_version: str
    spec: _Spec = _Spec()

    @property
    def version(self) -> str:
        """``metadata.resourceVersion``."""
        return self.metadata.resource_version

    @property
    def holder(self) -> str:
        """Who holds it; empty when it was given back."""
        return self.spec.holder_identity or ""

    @property
    def duration(self) -> int | None:
        """Seconds for which the holder is trusted after each renewal."""
        return self.spec.lease_duration_seconds

    @property
    def transitions(self) -> int:
        """How often it changed hands."""
        return self.spec.lease_transitions or 0


def parse_lease(data: bytes) -> Lease:
    """Read a Lease.

    Raises
    ------
    msgspec.MsgspecError
        When the bytes are none.
    """
    return msgspec.json.decode(data, type=Lease)


def write_lease(lease: Lease) -> bytes:
    """A Lease as JSON."""
    return msgspec.json.encode(lease)


def first_lease(namespace: str, name: str, holder: str, duration: int, moment: datetime) -> Lease:
    """A Lease to be created."""
    time = micro_timestamp(moment)
    return Lease(
        metadata=_Metadata(name=name, namespace=namespace),
        api_version="coordination.k8s.io/v1",
        spec=_Spec(
            holder_identity=holder,
            lease_duration_seconds=duration,
            acquire_time=time,
            renew_time=time,
            lease_transitions=0,
        ),
    )


def taken(lease: Lease, holder: str, duration: int, moment: datetime) -> Lease:
    """The Lease in the hands of somebody else."""
    time = _later(lease, moment)
    spec = _Spec(
        holder_identity=holder,
        lease_duration_seconds=duration,
        acquire_time=time,
        renew_time=time,
        lease_transitions=lease.transitions + 1,
    )
    return msgspec.structs.replace(lease, spec=spec)


def renewed(lease: Lease, duration: int, moment: datetime) -> Lease:
    """The Lease in the same hands, now."""
    spec = msgspec.structs.replace(
        lease.spec, lease_duration_seconds=duration, renew_time=_later(lease, moment)
    )
    return msgspec.structs.replace(lease, spec=spec)


def released(lease: Lease, moment: datetime) -> Lease:
    """The Lease in nobody's hands: whoever sees it may take it at once."""
    spec = msgspec.structs.replace(
        lease.spec,
        holder_identity="",
        lease_duration_seconds=1,
        renew_time=_later(lease, moment),
    )
    return msgspec.structs.replace(lease, spec=spec)


def _later(lease: Lease, moment: datetime) -> str:
    """The moment, moved a little if it is the time that is stored.

    A write that changes nothing gets no new resourceVersion, and others would not see that the
    holder lives; a clock that was set back can give the same time twice.
    """
    time = micro_timestamp(moment)
    if time != lease.spec.renew_time:
        return time
    return micro_timestamp(parse_timestamp(time) + timedelta(microseconds=1))
