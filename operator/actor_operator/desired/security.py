"""What the container of a run may do (Kubernetes: Pod Security Standards)."""

from actor_operator.api.k8s import (
    V1Capabilities,
    V1PodSecurityContext,
    V1SeccompProfile,
    V1SecurityContext,
)
from actor_operator.settings_pod import SecurityProfile

BASELINE_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")
"""What root keeps in profile *baseline*: enough to install packages and to drop root."""


def build_pod_security(profile: SecurityProfile) -> V1PodSecurityContext:
    """The pod's security context: seccomp always, no root with profile *restricted*."""
    return V1PodSecurityContext(
        seccomp_profile=V1SeccompProfile(type="RuntimeDefault"),
        run_as_non_root=True if profile is SecurityProfile.RESTRICTED else None,
    )


def build_container_security(profile: SecurityProfile) -> V1SecurityContext:
    """The container's security context: all capabilities dropped, some back for *baseline*."""
    added = list(BASELINE_CAPABILITIES) if profile is SecurityProfile.BASELINE else None
    return V1SecurityContext(
        allow_privilege_escalation=False,
        capabilities=V1Capabilities(drop=["ALL"], add=added),
    )
