"""What the operator reads and writes of an ActorRun."""

import sys
from datetime import datetime

import msgspec

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition, ObjectView, View
from actor_operator.constants import ANNOTATION_ARCHIVED


class RunLimits(View, frozen=True):
    """``spec.limits``."""

    max_items: int | None = None
    max_total_charge_usd: float | None = None


class AbortRequest(View, frozen=True):
    """``spec.abort``."""

    attempt: int
    mode: str = "Immediate"


class ResurrectRequest(View, frozen=True):
    """``spec.resurrect``."""

    attempt: int
    build: str | None = None
    memory_mbytes: int | None = None
    timeout_secs: int | None = None
    restart_on_error: bool | None = None
    limits: RunLimits | None = None


class RebootRequest(View, frozen=True):
    """``spec.reboot``."""

    attempt: int
    count: int


NOT_ON_THE_WIRE = frozenset({"oversizedInputBytes"})
"""Fields of our views that the API server neither has nor gets."""


class RunSpec(View, frozen=True):
    """``spec`` of an ActorRun."""

    actor: str
    build: str | None = None
    memory_mbytes: int | None = None
    timeout_secs: int | None = None
    restart_on_error: bool | None = None
    input: msgspec.Raw = msgspec.Raw()
    oversized_input_bytes: int = 0
    """Size of an input that is too large; it was dropped when it was read. Not on the wire."""
    limits: RunLimits | None = None
    origin: str = "CLI"
    abort: AbortRequest | None = None
    resurrect: ResurrectRequest | None = None
    reboot: RebootRequest | None = None
    when_memory_exceeded: str = "Wait"
    ttl_seconds_after_finished: int | None = None


class Options(View, frozen=True):
    """``status.options``: what was resolved from the run, its Actor and the settings."""

    build: str
    memory_mbytes: int
    timeout_secs: int
    disk_mbytes: int
    cpu: str
    restart_on_error: bool = False
    max_items: int | None = None
    max_total_charge_usd: float | None = None


class Failure(View, frozen=True):
    """``status.failure``: why the run did not succeed."""

    reason: str
    message: str
    platform: bool = False
    requested_mbytes: int | None = None
    used_mbytes: int | None = None
    limit_mbytes: int | None = None


class Stats(View, frozen=True):
    """``status.stats``."""

    resurrect_count: int = 0
    restart_count: int = 0
    migration_count: int = 0
    reboot_count: int = 0
    duration_millis: int = 0
    run_time_secs: float = 0.0
    compute_units: float = 0.0


class Attempt(View, frozen=True):
    """One line of ``status.attempts``: an attempt that has ended."""

    attempt: int
    phase: str
    reason: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None


class RunStatus(View, frozen=True):
    """``status`` of an ActorRun; the whole of it, because it is written whole."""

    phase: Phase = Phase.READY
    attempt: int = 1
    observed_generation: int = -1
    finished: bool = False
    run_id: str | None = None
    options: Options | None = None
    input_sha256: str | None = msgspec.field(default=None, name="inputSha256")
    actor_namespace: str | None = None
    actor_generation: int | None = None
    build_number: str | None = None
    image: str | None = None
    pod_name: str | None = None
    node_name: str | None = None
    container_url: str | None = None
    queued_at: datetime | None = None
    admitted_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    timeout_at: datetime | None = None
    exit_code: int | None = None
    failure: Failure | None = None
    stats: Stats = Stats()
    migrations: int = 0
    restarted_at: tuple[datetime, ...] = ()
    default_key_value_store_id: str | None = None
    default_dataset_id: str | None = None
    default_request_queue_id: str | None = None
    attempts: tuple[Attempt, ...] = ()
    cleanup: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def condition(self, kind: str) -> Condition | None:
        """The condition of a type, if it is set."""
        for found in self.conditions:  # a loop: each look at a run asks dozens of times
            if found.type == kind:
                return found
        return None

    def is_true(self, kind: str) -> bool:
        """Whether the condition of a type is True."""
        found = self.condition(kind)
        return found is not None and found.status == "True"


class RunView(ObjectView, frozen=True):
    """An ActorRun that is not finished, or that still needs something."""

    spec: RunSpec
    status: RunStatus = RunStatus()

    @property
    def attempt_began(self) -> datetime:
        """When the current attempt was asked for."""
        again = self.status.queued_at if self.status.attempt > 1 else None
        began = again or self.metadata.creation_timestamp
        if began is None:
            raise ValueError(f"run {self.namespace}/{self.name} has no creation time")
        return began


class FinishedRun(msgspec.Struct, frozen=True, gc=False):
    """A finished run that needs nothing: a stub, which can neither be decided on nor written.

    Ten thousand of them must cost little, so the garbage collector does not look at them (they
    refer to nothing that could refer to them); one that needs a write is read in full first.
    """

    namespace: str
    name: str
    uid: str
    resource_version: str
    phase: Phase
    finished_at: datetime | None
    ttl_seconds_after_finished: int | None = None
    reason: str = Reason.COMPLETED
    """Why it ended so, for the metrics."""
    archived: bool = False
    """Whether the API server has archived it."""
    archive_pending: bool = False
    """Whether its status says that it is not archived yet."""


def settled(run: RunView) -> bool:
    """Whether nothing is left to do for a run: finished, cleaned up, its generation observed."""
    status = run.status
    return (
        status.finished
        and not status.cleanup
        and status.observed_generation == run.metadata.generation
    )


def is_archived(run: RunView) -> bool:
    """Whether the API server says that it has archived the current attempt."""
    return run.metadata.annotations.get(ANNOTATION_ARCHIVED) == str(run.status.attempt)


def stub(run: RunView) -> "RunView | FinishedRun":
    """The form in which a run is kept: whole, or as a stub when nothing is left to do for it."""
    if not settled(run):
        return run
    meta, status = run.metadata, run.status
    return FinishedRun(
        meta.namespace,
        meta.name,
        meta.uid,
        meta.resource_version,
        status.phase,
        status.finished_at,
        run.spec.ttl_seconds_after_finished,
        # One text for all that have it: ten thousand copies would take a megabyte.
        sys.intern(str(status.failure.reason)) if status.failure else Reason.COMPLETED,
        is_archived(run),
        any(c.reason == Reason.ARCHIVE_PENDING for c in status.conditions),
    )
