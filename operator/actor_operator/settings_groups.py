"""What groups of settings are made of, and the groups that are about one subject alone."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

Seconds = Annotated[float, Field(gt=0, le=86_400 * 366)]
"""A duration in seconds."""

LongSeconds = Annotated[int, Field(ge=0, le=2_147_483_647)]
"""A duration in whole seconds; the longest one, of 68 years, is for ever."""

Port = Annotated[int, Field(ge=1, le=65_535)]
"""A TCP port."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
"""A Kubernetes object name."""

NamespaceName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""The name of a namespace."""


def _is_cidr(text: str) -> str:
    network = ipaddress.ip_network(text)
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped:
        raise ValueError(f"{text} is a range of IPv4; write it as one")
    return text


Cidr = Annotated[str, StringConstraints(max_length=43), AfterValidator(_is_cidr)]
"""A range of addresses, such as ``10.0.0.0/8``."""


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("each namespace is named once")
    return names


Namespaces = Annotated[
    tuple[NamespaceName, ...],
    Field(max_length=100, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]
"""Some namespaces; there is a watch of each kind in each of them."""

Marker = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,315}(=[A-Za-z0-9._-]{0,63})?$")
]
"""The key of a label or annotation, or key and value: ``key=value``."""

GITOPS_MARKERS = (
    "argocd.argoproj.io/tracking-id",
    "argocd.argoproj.io/instance",
    "kustomize.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/name",
    "app.kubernetes.io/managed-by=Helm",
    "meta.helm.sh/release-name",
    "configsync.gke.io/resource-id",
    "objectset.rio.cattle.io/id",
    "kapp.k14s.io/app",
)
"""Marks of Argo CD, Flux (twice), Helm (twice), Config Sync, Fleet and kapp."""


class Group(BaseModel):
    """A part of the settings tree."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )


class AccountSettings(Group):
    """Limits of each account (which is a namespace), unless its ActorAccount has its own."""

    memory_limit_mbytes: Annotated[int, Field(ge=128, le=2_147_483_647)] | None = None
    """Most memory in MB that the live runs of an account may have together; absent: no limit."""

    max_concurrent_runs: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None
    """Most runs of an account that may be live at a time; absent: no limit."""


class AbortSettings(Group):
    """How runs are aborted."""

    keep_log: bool = False
    """Whether an immediate abort keeps the run's pod and its log. The container then gets SIGTERM
    and its grace period, as in a graceful abort, and is not killed at once."""


class ResurrectionSettings(Group):
    """What a resurrected run is like."""

    duration_includes_gap: bool = True
    """Whether the time between two attempts counts in ``stats.durationMillis``, as it does on
    Apify. It never counts in compute units."""


class RetentionSettings(Group):
    """When finished runs and their pods are removed."""

    ttl_seconds_after_finished: LongSeconds = 604_800
    """Seconds after its end at which a run is removed, unless the run or its ActorAccount says
    otherwise; 2147483647 is for ever."""

    keep_last: Annotated[int, Field(ge=0, le=2_147_483_647)] = 10
    """How many of the newest finished runs of each namespace are kept whatever their age, unless
    its ActorAccount says otherwise. Runs with a time to live of their own do not count."""

    finished_pod_ttl_seconds: LongSeconds = 3600
    """Seconds after the end of a run at which its pods are removed, and their logs with them."""

    gitops_markers: Annotated[tuple[Marker, ...], Field(max_length=50)] = GITOPS_MARKERS
    """Labels and annotations (key, or key=value) of runs that a GitOps tool owns: it would create
    a removed run again. They are removed only if they have a time to live of their own."""
