"""What a decision may ask for: the only writes to children of a run."""

from dataclasses import dataclass

from actor_operator.desired.pod import RunObjects


@dataclass(frozen=True, slots=True)
class CreatePod:
    """Create the environment Secret, then the pod."""

    objects: RunObjects


@dataclass(frozen=True, slots=True)
class DeleteSecret:
    """Delete an environment Secret that no container needs any more."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class RestoreSecret:
    """Make the environment Secret of a pod anew that somebody has deleted."""

    objects: RunObjects


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Delete a pod, that very one, with a grace in seconds."""

    namespace: str
    name: str
    uid: str
    grace_seconds: int


@dataclass(frozen=True, slots=True)
class StopPod:
    """Let the kubelet stop a pod with SIGTERM and its grace; the pod and its log stay."""

    namespace: str
    name: str
    uid: str


Action = CreatePod | RestoreSecret | DeleteSecret | DeletePod | StopPod
"""What a decision may ask for; the only writes to children."""
