"""What a user does about each reason: for ``actorctl explain`` and for docs/lifecycle.md.

Each reason stands once, under the condition to which it belongs most. What a reason means is said
where it is declared, in ``conditions.py``.
"""

from dataclasses import dataclass

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do."""

    text: str
    """In sentences."""

    command: str = ""
    """A command line that helps, with PLACEHOLDERS for what is the run's own."""

    failed: str = ""
    """In sentences, what to do instead when the run failed for this reason: resurrect it, for
    example."""


PLACEHOLDERS = ("NAME", "NAMESPACE", "POD", "NODE", "MORE_MB", "LESS_MB", "MORE_SECONDS")
"""What stands in commands for the run's name, its namespace, its pod and node, the next larger and
smaller memory, and a longer timeout."""

NOTHING = Advice("Nothing.")
"""All is as it should be."""

GOES_ON = "Nothing: the run goes on in a new pod, with its ids and storages."
"""After a disruption, as long as the run may have another pod."""

LOST = "Resurrect it: it goes on with its storages. It lost its pod more often than it may."
"""After the last disruption."""

WAITED = "Resurrect it when the cause is gone: a run waits for a limited time only."
"""For what a run waited for in vain."""

_OPERATOR_PODS = "kubectl get pods --all-namespaces -l app.kubernetes.io/part-of=actor-operator"
_POD = "kubectl describe pod POD"
_NODE = "kubectl describe node NODE"
_ACCOUNT = "actorctl accounts NAMESPACE"
_LOGS = "actorctl logs NAME"
_RESURRECT = "actorctl resurrect NAME"

_INJECTED = (
    "Let the administrator see what puts init containers into pods of the namespace (a mutating"
    " policy or webhook, such as a service mesh's), and why this one fails. Then resurrect the run."
)

_ADMITTED = {
    Reason.PENDING: Advice(
        "Nothing: the operator is about to look. If it stays so, let the administrator see whether"
        " the operator runs.",
        _OPERATOR_PODS,
    ),
    Reason.MEMORY_RESERVED: NOTHING,
    Reason.WAITING_FOR_ACCOUNT_MEMORY: Advice(
        "Wait: runs are started in the order in which they came. To start sooner, abort runs that"
        " are not needed, or let the administrator raise the limit of the account (or resume it, if"
        " it is suspended).",
        _ACCOUNT,
    ),
    Reason.MEMORY_LIMIT_EXCEEDED: Advice(
        "If the run needs more than the whole limit, resurrect it with less memory; if it was"
        " made with whenMemoryExceeded: Reject, resurrect it, and it waits. Or let the"
        " administrator raise the limit of the account.",
        "actorctl resurrect NAME --memory LESS_MB",
    ),
    Reason.CONCURRENT_RUNS_LIMIT_EXCEEDED: Advice(
        "Resurrect the run: it then waits until another one of the account has ended. Or let the"
        " administrator raise maxConcurrentRuns of the account.",
        _RESURRECT,
    ),
    Reason.ACCOUNT_SUSPENDED: Advice(
        "Let the administrator resume the account (spec.suspended of its ActorAccount), and"
        " resurrect the run.",
        _ACCOUNT,
    ),
    Reason.QUOTA_EXCEEDED: Advice(
        "Wait until other pods of the namespace end; it is tried again. Or let the administrator"
        " raise the ResourceQuota that the message names.",
        "kubectl describe resourcequota",
        failed=WAITED,
    ),
    Reason.ADMISSION_UNAVAILABLE: Advice(
        "Wait: it is tried again. If it lasts, the administrator must mend the webhook that the"
        " message names.",
        failed=WAITED,
    ),
    Reason.NETWORK_POLICY_REFUSED: Advice(
        "Wait: it is tried again. No run is started without the NetworkPolicy; the administrator"
        " removes what the message names, or changes the operator's settings.network.",
        "kubectl describe resourcequota",
        failed=WAITED,
    ),
    Reason.ACTOR_NOT_FOUND: Advice(
        "Apply the Actor and resurrect the run; if the name is wrong, make a new run. The Actor of"
        " another namespace is named NAMESPACE/NAME and must be public.",
        "actorctl actors --all-namespaces",
    ),
    Reason.BUILD_NOT_FOUND: Advice(
        "Add the build or the tag to the Actor, or resurrect the run with another build.",
        "actorctl resurrect NAME --build latest",
    ),
    Reason.ACTOR_SECRETS_UNAVAILABLE: Advice(
        "Use an Actor of the run's own namespace, or ask the Actor's owner for one that needs no"
        " Secrets.",
    ),
    Reason.POD_REJECTED: Advice(
        "Read the message: a Pod Security level, LimitRange, policy or webhook of the namespace"
        " forbids such a pod. The administrator changes that, or how the operator makes pods"
        " (settings.pod); then resurrect the run.",
        _RESURRECT,
    ),
    Reason.INPUT_TOO_LARGE: Advice(
        "Make a new run with a smaller input; put large data where the actor can fetch it.",
    ),
    Reason.INPUT_CHANGED: Advice(
        "Make a new run with the new input: that of a run never changes.",
    ),
    Reason.INPUT_KEY_UNAVAILABLE: Advice(
        "Make a new run with the same input: an administrator removed the key of the installation"
        " that was in use when this one was started.",
    ),
    Reason.ENVIRONMENT_TOO_LARGE: Advice(
        "Make the variable of the Actor that the message names smaller, or make a new run with a"
        " smaller input.",
    ),
    Reason.INVALID_ACTOR: Advice(
        "Let the Actor's owner correct what the message names, in a build with a new number; then"
        " resurrect the run with that build.",
        "actorctl resurrect NAME --build latest",
    ),
}

_POD_SCHEDULED = {
    Reason.SCHEDULED: NOTHING,
    Reason.UNSCHEDULABLE: Advice(
        "Wait until a node has room, or abort runs that are not needed. If no node is ever large"
        " enough, use less memory or let the administrator add a node.",
        _POD,
    ),
    Reason.WAITING_FOR_PREVIOUS_POD: Advice(
        "Wait: two pods of a run never run at the same time. If it lasts, the node of the old pod"
        " does not answer: the administrator brings it back, or removes it from the cluster.",
        "kubectl get pods -l actor-operator.dev/run=NAME -o wide",
        failed=WAITED,
    ),
    Reason.NAME_TAKEN: Advice(
        "Delete the pod that has the name, or make a run with another name: the operator neither"
        " uses nor deletes what is not its own.",
        _POD,
    ),
    Reason.POD_DELETED: Advice(
        f"{GOES_ON} To stop a run, abort it instead of deleting its pod.",
        "actorctl abort NAME",
        failed=LOST,
    ),
    Reason.POD_VANISHED: Advice(GOES_ON, failed=LOST),
    Reason.EVICTED: Advice(
        f"{GOES_ON} If it happens often, the node's memory or disk is promised twice:"
        " let the administrator see which pods have no limits.",
        _NODE,
        failed=LOST,
    ),
    Reason.PREEMPTED: Advice(
        f"{GOES_ON} If it happens often, the administrator can give runs a priority"
        " (settings.pod.priorityClassName).",
        failed=LOST,
    ),
    Reason.EVICTED_BY_API: Advice(GOES_ON, failed=LOST),
    Reason.NODE_LOST: Advice(GOES_ON, failed=LOST),
    Reason.NODE_SHUTDOWN: Advice(GOES_ON, failed=LOST),
    Reason.RESTARTED: Advice(
        "Nothing: it is tried again. Why it failed is in the log of the pod before.",
        "kubectl logs -l actor-operator.dev/run=NAME --prefix",
    ),
    Reason.REBOOTED: NOTHING,
    Reason.RESURRECTED: NOTHING,
    Reason.NODE_REJECTED: Advice(
        "Nothing: the next pod is given to the scheduler again.",
        _NODE,
        failed="Let the administrator look at the node; then resurrect the run.",
    ),
    Reason.NOT_SCHEDULED: Advice(
        "Resurrect the run when the cluster has room, perhaps with less memory; or let the"
        " administrator add a node.",
        "actorctl resurrect NAME --memory LESS_MB",
    ),
}

_STARTED = {
    Reason.STARTED: NOTHING,
    Reason.WAITING: NOTHING,
    Reason.IMAGE_PULLING: Advice(
        "Wait. The time to fetch the image counts towards the run's timeout.", _POD
    ),
    Reason.IMAGE_PULL_BACK_OFF: Advice(
        "See whether the image exists and whether its registry lets the cluster have it"
        " (imagePullSecrets of the Actor); it is tried again for a while.",
        _POD,
    ),
    Reason.IMAGE_PULL_FAILED: Advice(
        "Correct the image or the imagePullSecrets of the Actor, or bring the registry back; then"
        " resurrect the run, with a new build if the image's name was wrong.",
        _RESURRECT,
    ),
    Reason.INVALID_IMAGE: Advice(
        "Add a build with a correct image to the Actor and resurrect the run with it.",
        "actorctl resurrect NAME --build latest",
    ),
    Reason.CONTAINER_CONFIG_ERROR: Advice(
        "Create the Secret, or the key of it, that the message names, in the Actor's namespace;"
        " then resurrect the run.",
        _RESURRECT,
    ),
    Reason.INIT_FAILED: Advice(_INJECTED, _POD),
    Reason.INIT_OOM_KILLED: Advice(_INJECTED, _POD),
    Reason.RUNTIME_UNAVAILABLE: Advice(
        "Let the administrator look at the node: its container runtime does not work. Then"
        " resurrect the run.",
        _NODE,
    ),
    Reason.POD_STUCK_TERMINATING: Advice(
        "Let the administrator see why the pod does not end: a finalizer, or a node that does not"
        " answer. Its memory counts until it is gone.",
        _POD,
    ),
    Reason.NODE_UNREACHABLE: Advice(
        "Wait: the run goes on elsewhere once the cluster is sure that the node runs it no more."
        " The administrator brings the node back, or removes it from the cluster.",
        _NODE,
    ),
}

_WEB_SERVER_READY = {
    Reason.ENDPOINT_READY: NOTHING,
    Reason.NOT_LISTENING: Advice(
        "Nothing while the container starts. If it stays so, let the actor listen on the port that"
        " its variable ACTOR_WEB_SERVER_PORT names.",
        _LOGS,
    ),
    Reason.NO_INGRESS: Advice(
        "Let the administrator do what the message says; the run itself goes on. How routes of"
        " runs are made and served is in docs/web-servers.md."
    ),
    Reason.TERMINATING: NOTHING,
    Reason.DISABLED: Advice(
        "For a URL the administrator must have set webServer.domain, and the Actor may not say"
        " webServer.enabled: false. Then a reboot or a resurrection gives the run one."
    ),
}

_TERMINATION_TARGET = {
    Reason.NOT_REQUESTED: NOTHING,
    Reason.TIMEOUT: Advice(
        "Nothing: the container is being stopped. Give the next attempt more time.",
        "actorctl resurrect NAME --timeout MORE_SECONDS",
    ),
    Reason.ABORT_IMMEDIATE: NOTHING,
    Reason.ABORT_GRACEFUL: Advice(
        "Nothing: the container has 30 seconds. To stop it at once, abort the run again.",
        "actorctl abort NAME",
    ),
}

_FINISHED = {
    Reason.RUNNING: NOTHING,
    Reason.FINISHED_SUCCEEDED: NOTHING,
    Reason.FAILED: Advice("See the reason of the condition Succeeded.", "actorctl explain NAME"),
    Reason.TIMED_OUT: Advice(
        "Give the run more time, or more memory, which also gives it more of a processor.",
        "actorctl resurrect NAME --timeout MORE_SECONDS",
    ),
    Reason.ABORTED: Advice("Nothing; to go on after all, resurrect the run.", _RESURRECT),
}

_SUCCEEDED = {
    Reason.COMPLETED: NOTHING,
    Reason.CONTAINER_FAILED: Advice(
        "Find the cause in the log; correct the actor, its input or what it depends on.", _LOGS
    ),
    Reason.OOM_KILLED: Advice(
        "Give the run more memory, or let the actor use less.",
        "actorctl resurrect NAME --memory MORE_MB",
    ),
    Reason.STORAGE_LIMIT_EXCEEDED: Advice(
        "Give the run more memory, which also gives it more disk, or let the actor write less.",
        "actorctl resurrect NAME --memory MORE_MB",
    ),
    Reason.START_ERROR: Advice(
        "Let the Actor's owner correct the entry point of the image, in a build with a new number;"
        " then resurrect the run with that build.",
        "actorctl resurrect NAME --build latest",
    ),
}

_ARCHIVED = {
    Reason.ARCHIVED: NOTHING,
    Reason.ARCHIVE_PENDING: Advice(
        "Let the administrator see whether the API server runs. The run and its pod stay until its"
        " log is archived, for at most 24 hours.",
        _OPERATOR_PODS,
    ),
}

ADVICE: dict[ConditionType, dict[Reason, Advice]] = {
    ConditionType.ADMITTED: _ADMITTED,
    ConditionType.POD_SCHEDULED: _POD_SCHEDULED,
    ConditionType.STARTED: _STARTED,
    ConditionType.WEB_SERVER_READY: _WEB_SERVER_READY,
    ConditionType.TERMINATION_TARGET: _TERMINATION_TARGET,
    ConditionType.FINISHED: _FINISHED,
    ConditionType.SUCCEEDED: _SUCCEEDED,
    ConditionType.ARCHIVED: _ARCHIVED,
    ConditionType.RECONCILING: {Reason.PROGRESSING: NOTHING},
}
"""What to do about each reason, by the condition to which it belongs most."""


def advice_for(reason: str) -> Advice | None:
    """What to do about a reason; ``None`` for one of a newer operator."""
    return next(
        (
            advice
            for reasons in ADVICE.values()
            for word, advice in reasons.items()
            if word == reason
        ),
        None,
    )
