"""Settings of run pods."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from actor_operator.settings_groups import Group, Name

LabelKey = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?"
        r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
    ),
]
"""The key of a Kubernetes label."""

LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")]
"""The value of a Kubernetes label; it may be empty."""


class SecurityProfile(StrEnum):
    """What the container of a run may do."""

    BASELINE = "baseline"
    """Root is allowed, with the few capabilities that package managers and ``su`` need."""

    RESTRICTED = "restricted"
    """No root and no capabilities: Pod Security Standard *restricted*."""


class Toleration(Group):
    """A toleration of run pods, as in the pod's specification."""

    key: str | None = None
    """Taint key; absent with operator Exists: every taint."""

    operator: Annotated[str, Field(pattern="^(Exists|Equal)$")] = "Equal"
    """``Equal`` or ``Exists``."""

    value: str | None = None
    """Taint value, with ``Equal``."""

    effect: Annotated[str, Field(pattern="^(NoSchedule|PreferNoSchedule|NoExecute)$")] | None = None
    """Taint effect; absent: each."""

    toleration_seconds: int | None = None
    """With NoExecute: how long the taint is tolerated."""


class PodSettings(Group):
    """How run pods are made."""

    security_profile: SecurityProfile = SecurityProfile.BASELINE
    """What the container may do."""

    host_users: bool = True
    """False: run pods in a user namespace (Kubernetes 1.36 and a runtime that can)."""

    runtime_class_name: Name | None = None
    """RuntimeClass of run pods, for example ``gvisor``."""

    priority_class_name: Name | None = None
    """PriorityClass of run pods."""

    node_selector: dict[LabelKey, LabelValue] = {}  # noqa: RUF012 -- pydantic copies it
    """Labels of the nodes on which runs may be placed."""

    tolerations: tuple[Toleration, ...] = ()
    """Taints that run pods tolerate."""

    image_pull_secrets: tuple[Name, ...] = ()
    """Pull secrets for all runs; they must exist in the runs' namespaces."""

    cpu_request_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Part of the processor limit that is requested (below 1 on small clusters)."""

    disk_request_fraction: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Part of the disk limit that is requested (below 1 on small clusters)."""

    grace_period_seconds: Annotated[int, Field(ge=1, le=30)] = 30
    """Time between SIGTERM and SIGKILL."""
