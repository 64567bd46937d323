"""Builds what decisions are made from, one line a fact.

Everything has a sensible default: a test names only what it is about.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import FINISHED, Phase
from actor_operator.api.views.actor import ActorSpec, ActorView, Build, EnvVar, SecretKeyRef
from actor_operator.api.views.metadata import Condition, Metadata, OwnerReference
from actor_operator.api.views.pod import (
    ContainerState,
    ContainerStatus,
    PodSpecView,
    PodStatusView,
    PodView,
    Running,
    Terminated,
    Waiting,
)
from actor_operator.api.views.run import AbortRequest, Options, RunSpec, RunStatus, RunView
from actor_operator.constants import (
    ANNOTATION_RESOLVED,
    API_VERSION,
    LABEL_ATTEMPT,
    LABEL_ENVIRONMENT,
    LABEL_RUN,
    LABEL_RUN_UID,
)
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.names import pod_name
from actor_operator.desired.resolve import Resolved
from actor_operator.lifecycle.observed import Blocked, Observed
from actor_operator.settings import Settings

CREATED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
"""When runs are created, unless a test says otherwise."""

RUN_UID = "11111111-2222-3333-4444-555555555555"
"""Uid of runs."""

ACTOR_UID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
"""Uid of Actors."""

KEY = b"k" * 32
KEYRING = Keyring("k1", {"k1": KEY})
"""The key of the installation."""

SETTINGS = Settings()
"""The defaults."""

SUFFIX = "abcdefghijklmnop"
"""End of the name of a pod's environment Secret."""

IMAGE = "registry.example/hello:1"
"""Image of the only build."""


def at(seconds: float) -> datetime:
    """So many seconds after the run was created."""
    return CREATED + timedelta(seconds=seconds)


def a_run(
    name: str = "hello",
    *,
    namespace: str = "team",
    uid: str = RUN_UID,
    generation: int = 1,
    created: datetime = CREATED,
    deleted: datetime | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    status: RunStatus | None = None,
    input: Any = None,  # noqa: A002 -- the field's name
    abort: str | None = None,
    abort_attempt: int | None = None,
    **spec: Any,
) -> RunView:
    """A run of the Actor ``greeter`` of its own namespace.

    ``input`` is any JSON value, ``abort`` the mode of a request, for the current attempt; other
    keywords are fields of the spec.
    """
    status = status or RunStatus()
    if input is not None:
        spec["input"] = msgspec.Raw(msgspec.json.encode(input))
    if abort is not None:
        spec["abort"] = AbortRequest(attempt=abort_attempt or status.attempt, mode=abort)
    return RunView(
        metadata=Metadata(
            name=name,
            namespace=namespace,
            uid=uid,
            resource_version="1",
            generation=generation,
            creation_timestamp=created,
            deletion_timestamp=deleted,
            labels=labels or {},
            annotations=annotations or {},
        ),
        spec=RunSpec(**{"actor": "greeter", **spec}),
        status=status,
    )


def an_actor(
    name: str = "greeter",
    *,
    namespace: str = "team",
    env: dict[str, str | SecretKeyRef] | None = None,
    build_env: dict[str, str | SecretKeyRef] | None = None,
    builds: Iterable[Build] | None = None,
    **spec: Any,
) -> ActorView:
    """An Actor with build 1.0.1, tag ``latest``; other keywords are fields of the spec."""
    only = Build(number="1.0.1", image=IMAGE, env=variables(build_env or {}))
    fields: dict[str, Any] = {
        "builds": tuple(builds) if builds is not None else (only,),
        "tagged_builds": {"latest": "1.0.1"},
        "env": variables(env or {}),
    }
    return ActorView(
        metadata=Metadata(
            name=name, namespace=namespace, uid=ACTOR_UID, resource_version="1", generation=3
        ),
        spec=ActorSpec(**(fields | spec)),
    )


def variables(values: dict[str, str | SecretKeyRef]) -> tuple[EnvVar, ...]:
    """Variables of an Actor or build: literals and keys of Secrets."""
    return tuple(
        EnvVar(name, secret_key_ref=value)
        if isinstance(value, SecretKeyRef)
        else EnvVar(name, value)
        for name, value in values.items()
    )


def a_resolved(*, timeout: int = 60, memory: int = 1024, url: str | None = None) -> Resolved:
    """What was resolved for a run of the Actor ``greeter``."""
    resolved = Resolved("team", 3, "latest", "1.0.1", IMAGE, memory, timeout)
    return msgspec.structs.replace(resolved, container_url=url)


def ended(code: int = 0, *, after: float = 10, reason: str = "", **fields: Any) -> Terminated:
    """A container that has ended so many seconds after the run's creation; it began after 2 s."""
    reason = reason or ("Completed" if code == 0 else "Error")
    times = {"started_at": at(2), "finished_at": at(after)} | fields
    return Terminated(exit_code=code, reason=reason, **times)


def a_pod(
    *,
    run: RunView | None = None,
    number: int = 1,
    attempt: int = 1,
    timeout: int = 60,
    memory: int = 1024,
    active_deadline: int | None = None,
    scheduled: bool | str = True,
    accepted: float | None = 1,
    waiting: str = "",
    message: str = "",
    running: float | None = None,
    ended: Terminated | None = None,
    phase: str = "",
    reason: str = "",
    disrupted: str = "",
    disrupted_at: float = 0,
    deleted: float | None = None,
    grace: int = 30,
    image_id: str = "",
    owner: str | None = None,
    annotated: bool = True,
    url: str | None = None,
    ready: bool = False,
) -> PodView:
    """The pod of a run, as the API server has it.

    Times are seconds after the run's creation. ``scheduled`` may be the scheduler's complaint,
    ``accepted`` is when the kubelet took the pod, ``deleted`` when someone asked for its deletion.
    """
    run = run or a_run()
    state = ContainerState()
    if waiting:
        state = ContainerState(waiting=Waiting(waiting, message))
    if running is not None:
        state = ContainerState(running=Running(at(running)))
    if ended is not None:
        state = ContainerState(terminated=ended)
    says_something = state != ContainerState()
    conditions = [
        Condition(
            "PodScheduled",
            "True" if scheduled is True else "False",
            "" if scheduled is True else "Unschedulable",
            "" if scheduled is True else str(scheduled),
            at(1),
        )
    ]
    if disrupted:
        conditions.append(
            Condition("DisruptionTarget", "True", disrupted, "Make room.", at(disrupted_at))
        )
    if ready:
        conditions.append(Condition("Ready", "True", "", "", at(running or 0)))
    default_phase = "Running" if running is not None or ended is not None else "Pending"
    deletion: dict[str, Any] = {}
    if deleted is not None:
        deletion = {
            "deletion_timestamp": at(deleted + grace),
            "deletion_grace_period_seconds": grace,
        }
    annotation = msgspec.json.encode(a_resolved(timeout=timeout, memory=memory, url=url)).decode()
    return PodView(
        metadata=Metadata(
            name=pod_name(run.name, run.uid, number),
            namespace=run.namespace,
            uid="pod-uid" if number == 1 else f"pod-uid-{number}",
            resource_version="1",
            creation_timestamp=at(0),
            labels={
                LABEL_RUN: run.name,
                LABEL_RUN_UID: run.uid,
                LABEL_ATTEMPT: str(attempt),
                LABEL_ENVIRONMENT: SUFFIX,
            },
            annotations={ANNOTATION_RESOLVED: annotation} if annotated else {},
            owner_references=(
                OwnerReference(API_VERSION, "ActorRun", run.name, owner or run.uid, True),
            ),
            **deletion,
        ),
        spec=PodSpecView(
            node_name="node-1" if scheduled is True else "",
            active_deadline_seconds=active_deadline or timeout or None,
        ),
        status=PodStatusView(
            phase=phase or default_phase,
            reason=reason,
            message=message,
            start_time=None if accepted is None or scheduled is not True else at(accepted),
            conditions=tuple(conditions),
            container_statuses=(ContainerStatus("actor", image_id=image_id, state=state),)
            if says_something
            else (),
        ),
    )


STARTED = ConditionType.STARTED

FINISHED_WORDS = {
    Phase.SUCCEEDED: Reason.FINISHED_SUCCEEDED,
    Phase.FAILED: Reason.FAILED,
    Phase.TIMED_OUT: Reason.TIMED_OUT,
    Phase.ABORTED: Reason.ABORTED,
}
"""Reason of Finished in each final phase."""


def a_status(
    *,
    started: float | None = None,
    stop: Reason | None = None,
    end: Phase | None = None,
    generation: int = 1,
    since: datetime = CREATED,
    timeout: int = 60,
    **fields: Any,
) -> RunStatus:
    """A committed status: started after so many seconds, stopping for a reason, ended as a phase.

    Other keywords are fields of the status.
    """
    facts = {
        ConditionType.STARTED: (started is not None, Reason.STARTED),
        ConditionType.TERMINATION_TARGET: (stop is not None, stop or Reason.NOT_REQUESTED),
        ConditionType.FINISHED: (end is not None, FINISHED_WORDS[end] if end else Reason.RUNNING),
    }
    phase = end or (Phase.RUNNING if started is not None else Phase.READY)
    if stop is not None and end is None:
        phase = Phase.TIMING_OUT if stop is Reason.TIMEOUT else Phase.ABORTING
    defaults: dict[str, Any] = {
        "phase": phase,
        "finished": phase in FINISHED,
        "observed_generation": generation,
        "started_at": at(started) if started is not None else None,
        "finished_at": at(10) if end else None,
        "options": Options("latest", 1024, timeout, 2048, "250m"),
        "conditions": tuple(
            Condition(
                kind,
                str(true),
                reason,
                "As it was.",
                max(since, at(started)) if kind is STARTED and started is not None else since,
                generation,
            )
            for kind, (true, reason) in facts.items()
        ),
    }
    return RunStatus(**(defaults | fields))


def blocked(
    reason: Reason = Reason.QUOTA_EXCEEDED,
    *,
    since: float = 0,
    retry: float = 5,
    final: bool = False,
    message: str = "exceeded quota",
) -> Blocked:
    """The API server has refused the pod; times are seconds after the run's creation."""
    return Blocked(reason, message, final, at(since), 1, at(retry))


def observe(
    pod: PodView | None = None,
    *,
    run: RunView | None = None,
    actor: ActorView | None = None,
    **fields: Any,
) -> Observed:
    """A run with its pod and its Actor."""
    return Observed(run or a_run(), pod=pod, actor=actor or an_actor(), **fields)
