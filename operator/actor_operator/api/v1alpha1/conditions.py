"""Condition types and reasons of a run: what each says.

A reason is a word for machines. The sentence for people is the condition's message.
"""

from enum import StrEnum


class ConditionType(StrEnum):
    """The conditions in ``status.conditions`` of an ActorRun."""

    ADMITTED = "Admitted"
    """True: account memory is reserved and the pod may be made."""

    POD_SCHEDULED = "PodScheduled"
    """True: a node was found for the pod. Mirrored from the pod."""

    STARTED = "Started"
    """True: the container has run in this attempt. It stays True until the next attempt."""

    WEB_SERVER_READY = "WebServerReady"
    """True: the run's web server can be reached."""

    TERMINATION_TARGET = "TerminationTarget"
    """True: a stop is decided; the container may still run."""

    FINISHED = "Finished"
    """True: the verdict of this attempt is final."""

    SUCCEEDED = "Succeeded"
    """True or False once the run is finished, Unknown before."""

    ARCHIVED = "Archived"
    """With an API server, where it takes more than five minutes: True: the log is archived."""

    RECONCILING = "Reconciling"
    """kstatus: present and True until the run is finished, then removed."""

    STALLED = "Stalled"
    """kstatus: present and True only when the run is finished and did not succeed."""


class Reason(StrEnum):
    """Reasons of conditions and of ``status.failure``."""

    # Admitted
    PENDING = "Pending"
    """Not looked at yet, or nothing to say yet."""
    MEMORY_RESERVED = "MemoryReserved"
    """The account has room and the run's memory counts as used."""
    WAITING_FOR_ACCOUNT_MEMORY = "WaitingForAccountMemory"
    """The account has no room for the run now; it stands in the account's queue."""
    MEMORY_LIMIT_EXCEEDED = "MemoryLimitExceeded"
    """The run needs more memory than its account has, or may not wait for it."""
    CONCURRENT_RUNS_LIMIT_EXCEEDED = "ConcurrentRunsLimitExceeded"
    """The account has as many live runs as it may, and the run may not wait."""
    ACCOUNT_SUSPENDED = "AccountSuspended"
    """The account starts no runs now, and the run may not wait."""
    QUOTA_EXCEEDED = "QuotaExceeded"
    """A ResourceQuota of the namespace has no room for the pod; it is tried again."""
    ADMISSION_UNAVAILABLE = "AdmissionUnavailable"
    """An admission webhook of the cluster does not answer; it is tried again."""
    NETWORK_POLICY_REFUSED = "NetworkPolicyRefused"
    """The API server refused the NetworkPolicy of the namespace; it is tried again."""
    ACTOR_NOT_FOUND = "ActorNotFound"
    """No such Actor, or one of another namespace that is not public."""
    BUILD_NOT_FOUND = "BuildNotFound"
    """The Actor has no build of that tag or number."""
    ACTOR_SECRETS_UNAVAILABLE = "ActorSecretsUnavailable"
    """The Actor of another namespace needs Secrets that cannot be used from here."""
    POD_REJECTED = "PodRejected"
    """The API server refused the pod: Pod Security, LimitRange, a policy or webhook."""
    INPUT_TOO_LARGE = "InputTooLarge"
    """The input is larger than allowed."""
    INPUT_CHANGED = "InputChanged"
    """The input is not the one that the run was made with."""
    INPUT_KEY_UNAVAILABLE = "InputKeyUnavailable"
    """The key is gone with which the secret fields of the input could be read."""
    ENVIRONMENT_TOO_LARGE = "EnvironmentTooLarge"
    """One environment variable is larger than Linux takes, or all of them than a Secret."""
    INVALID_ACTOR = "InvalidActor"
    """The Actor's build cannot be run as it is written."""

    # PodScheduled
    SCHEDULED = "Scheduled"
    """The pod has a node."""
    UNSCHEDULABLE = "Unschedulable"
    """No node fits the pod now."""
    WAITING_FOR_PREVIOUS_POD = "WaitingForPreviousPod"
    """A pod of this run is still ending; the next one waits for it."""
    NAME_TAKEN = "NameTaken"
    """A pod of that name exists and is not ours."""
    POD_DELETED = "PodDeleted"
    """Someone deleted the pod."""
    POD_VANISHED = "PodVanished"
    """The pod is gone and nobody saw how it ended."""
    EVICTED = "Evicted"
    """The node was short of something and evicted the pod."""
    PREEMPTED = "Preempted"
    """A pod of higher priority took the place."""
    EVICTED_BY_API = "EvictedByAPI"
    """The pod was evicted through the API, as by ``kubectl drain``."""
    NODE_LOST = "NodeLost"
    """The pod's node is gone."""
    NODE_SHUTDOWN = "NodeShutdown"
    """The pod's node was shut down."""
    RESTARTED = "Restarted"
    """The container failed and is started again in a new pod (restartOnError)."""
    REBOOTED = "Rebooted"
    """A user asked for a new pod."""
    RESURRECTED = "Resurrected"
    """A user asked for another attempt."""
    NODE_REJECTED = "NodeRejected"
    """The kubelet refused the pod before it ran."""
    NOT_SCHEDULED = "NotScheduled"
    """No node fitted the pod within the pending limit."""

    # Started
    STARTED = "Started"
    """The container has run."""
    WAITING = "Waiting"
    """The container has not run yet."""
    IMAGE_PULLING = "ImagePulling"
    """The image is being fetched, or the container is being made."""
    IMAGE_PULL_BACK_OFF = "ImagePullBackOff"
    """The image could not be fetched; it is tried again for a while."""
    IMAGE_PULL_FAILED = "ImagePullFailed"
    """The image could not be fetched in time."""
    INVALID_IMAGE = "InvalidImage"
    """The image's name cannot be read."""
    CONTAINER_CONFIG_ERROR = "ContainerConfigError"
    """Something that the container needs (a Secret, a key of one) is missing."""
    INIT_FAILED = "InitFailed"
    """An init container failed, which something else than the operator put into the pod."""
    INIT_OOM_KILLED = "InitOOMKilled"
    """Such an init container used more memory than it may."""
    RUNTIME_UNAVAILABLE = "RuntimeUnavailable"
    """The container runtime could not make the container."""
    POD_STUCK_TERMINATING = "PodStuckTerminating"
    """The pod does not end, although it was told to."""
    NODE_UNREACHABLE = "NodeUnreachable"
    """The node does not answer; whether the container still runs is not known."""

    # WebServerReady
    ENDPOINT_READY = "EndpointReady"
    """A request to the run's URL reaches the pod."""
    NOT_LISTENING = "NotListening"
    """The pod is not ready yet."""
    NO_INGRESS = "NoIngress"
    """The run's route could not be made, or nothing serves it."""
    TERMINATING = "Terminating"
    """The run ends or has ended."""
    DISABLED = "Disabled"
    """The Actor or the installation has no web servers."""

    # TerminationTarget
    NOT_REQUESTED = "NotRequested"
    """Nothing stops the run."""
    TIMEOUT = "Timeout"
    """The run's time is up."""
    ABORT_IMMEDIATE = "AbortImmediate"
    """A user asked to stop the run at once."""
    ABORT_GRACEFUL = "AbortGraceful"
    """A user asked to stop the run gracefully."""

    # Finished
    RUNNING = "Running"
    """The attempt goes on."""
    FINISHED_SUCCEEDED = "Succeeded"
    """The attempt ended as SUCCEEDED."""
    FAILED = "Failed"
    """The attempt ended as FAILED."""
    TIMED_OUT = "TimedOut"
    """The attempt ended as TIMED-OUT."""
    ABORTED = "Aborted"
    """The attempt ended as ABORTED."""

    # Succeeded
    COMPLETED = "Completed"
    """Exit code 0."""
    CONTAINER_FAILED = "ContainerFailed"
    """Exit code other than 0."""
    OOM_KILLED = "OOMKilled"
    """The container used more memory than the run has."""
    STORAGE_LIMIT_EXCEEDED = "StorageLimitExceeded"
    """The container wrote more to its disk than the run has."""
    START_ERROR = "StartError"
    """The image's entry point could not be run."""

    # Archived
    ARCHIVED = "Archived"
    """The API server has the log."""
    ARCHIVE_PENDING = "ArchivePending"
    """The API server does not have the whole log yet."""

    # Reconciling
    PROGRESSING = "Progressing"
    """The run is not finished."""
