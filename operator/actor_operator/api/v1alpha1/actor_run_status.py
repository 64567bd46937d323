"""``status`` of an ActorRun: what became of it. Only the operator writes it.

The rules make the API server refuse a status that a correct operator would never write: they are
paid for at every write, so they are few and cheap.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from actor_operator.api.base import ApiModel, Condition
from actor_operator.api.fields import ATOMIC_LIST, NO_DEFAULT, CelRule, list_map, stays, unchanged
from actor_operator.api.scalars import (
    AnyName,
    AttemptNumber,
    Count,
    Message,
    Seconds,
    Timestamp,
    Url,
    Word,
)
from actor_operator.api.v1alpha1.phase import FINISHED, STEPS, Phase

MAX_ATTEMPTS_LISTED = 10
"""How many ended attempts ``status.attempts`` holds: the last ones."""

MAX_RESTARTS_LISTED = 3
"""How many restarts ``status.restartedAt`` holds: as many as may happen in 60 seconds."""


class Options(ApiModel):
    """What was resolved from the run, its Actor and the installation."""

    build: Word
    """The build that was asked for: a tag or a number."""
    memory_mbytes: Count
    """Memory in MB."""
    timeout_secs: Seconds
    """Time in seconds; 0 means no limit."""
    disk_mbytes: Count
    """Disk in MB: twice the memory."""
    cpu: Word
    """Share of a processor as a Kubernetes quantity: one core for each 4096 MB."""
    restart_on_error: Annotated[bool, NO_DEFAULT] = False
    """Whether a container that fails is started again."""
    max_items: int | None = None
    """Most items that the run may charge for."""
    max_total_charge_usd: float | None = None
    """Most that the run may cost, in US dollars."""


class Failure(ApiModel):
    """Why a run did not succeed."""

    reason: Word
    """Why, as a CamelCase word for machines."""
    message: Annotated[Message, NO_DEFAULT] = ""
    """Why, as a sentence for people."""
    platform: Annotated[bool, NO_DEFAULT] = False
    """Whether the platform is at fault and not the actor."""
    requested_mbytes: Count | None = None
    """Memory in MB that the run needed, if its account refused it."""
    used_mbytes: Count | None = None
    """Memory in MB that other runs of the account had then."""
    limit_mbytes: Count | None = None
    """Most memory in MB that the account might use then; absent: there was no limit on it."""


class Stats(ApiModel):
    """Figures of a run over all of its attempts."""

    resurrect_count: Annotated[Count, NO_DEFAULT] = 0
    """How often it was resurrected."""
    restart_count: Annotated[Count, NO_DEFAULT] = 0
    """How often its container was started again after an error."""
    migration_count: Annotated[Count, NO_DEFAULT] = 0
    """How often it got a new pod because the old one was lost."""
    reboot_count: Annotated[Count, NO_DEFAULT] = 0
    """How often it got a new pod because a user asked for a reboot."""
    duration_millis: Annotated[int, Field(ge=0), NO_DEFAULT] = 0
    """Milliseconds from its creation to its end, with the time between attempts."""
    run_time_secs: Annotated[float, Field(ge=0), NO_DEFAULT] = 0
    """Seconds from the start to the end of its container, all attempts together."""
    compute_units: Annotated[float, Field(ge=0), NO_DEFAULT] = 0
    """Compute units: 1024 MB for one hour is one unit."""


class Attempt(ApiModel):
    """An attempt that has ended."""

    attempt: AttemptNumber
    """Which attempt; the first is 1."""
    phase: Phase
    """How it ended."""
    reason: Word | None = None
    """Why it ended so, as a word for machines."""
    started_at: Timestamp | None = None
    """When its container started."""
    finished_at: Timestamp | None = None
    """When it ended."""
    exit_code: int | None = None
    """Exit code of its container."""


_FINISHED = f"{sorted(map(str, FINISHED))}"
_STEPS = [f"{before} to {after}" for before, afters in STEPS.items() for after in sorted(afters)]
_STEPS_IN_WORDS = "; ".join(
    f"from {before} to {' or '.join(sorted(afters))}"
    for before, afters in STEPS.items()
    if before not in FINISHED
)
_COUNTERS = ("resurrectCount", "migrationCount", "restartCount", "rebootCount")
_COUNTERS_STAY = " && ".join(
    f"self.stats.?{name}.orValue(0) >= oldSelf.stats.?{name}.orValue(0)" for name in _COUNTERS
)
_IDENTITY = (
    "runId",
    "defaultKeyValueStoreId",
    "defaultDatasetId",
    "defaultRequestQueueId",
    "inputSha256",
)


class ActorRunStatus(ApiModel):
    """What became of a run."""

    rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            rule=f"self.phase == oldSelf.phase || oldSelf.phase + ' to ' + self.phase in {_STEPS}",
            message=f"the phase goes {_STEPS_IN_WORDS}; and from each of the others to READY, with"
            " the next attempt",
            field_path=".phase",
            forbidden=True,
        ),
        CelRule(
            rule="self.attempt == oldSelf.attempt + (oldSelf.finished && !self.finished ? 1 : 0)",
            message="attempt rises by one when a finished run becomes READY again, and else stays",
            field_path=".attempt",
            forbidden=True,
        ),
        CelRule(
            rule="!oldSelf.finished || !self.finished"
            f" || ({unchanged('exitCode', 'finishedAt', 'failure')})",
            message="the verdict of a finished attempt (exitCode, finishedAt, failure) never"
            " changes",
            forbidden=True,
        ),
        CelRule(
            rule=f"self.finished == (self.phase in {_FINISHED})",
            message="finished must be true in the phases SUCCEEDED, FAILED, TIMED-OUT and ABORTED,"
            " and false in all others",
            field_path=".finished",
        ),
        # The number of the current pod is made of these: were one to fall, a pod could come twice.
        CelRule(
            rule=f"!has(oldSelf.stats) || (has(self.stats) && {_COUNTERS_STAY})",
            message=f"the counters ({', '.join(_COUNTERS)}) never fall",
            field_path=".stats",
            forbidden=True,
        ),
        CelRule(
            rule="self.attempt != oldSelf.attempt"
            " || (self.?migrations.orValue(0) >= oldSelf.?migrations.orValue(0)"
            f" && {stays('startedAt')})",
            message="within an attempt, migrations never falls and startedAt never changes",
            forbidden=True,
        ),
        CelRule(
            rule=stays(*_IDENTITY),
            message=f"once they are told, {', '.join(_IDENTITY)} never change",
            forbidden=True,
        ),
    )

    phase: Phase = Phase.READY
    """Where the run is in its life, derived from the conditions: READY, RUNNING, TIMING-OUT,
    ABORTING while it lives; SUCCEEDED, FAILED, TIMED-OUT, ABORTED in the end."""
    attempt: AttemptNumber = 1
    """The current attempt: 1 at first, one more with each resurrection."""
    observed_generation: Annotated[int, Field(ge=-1)] = -1
    """The `metadata.generation` that this status takes into account; -1 before the operator has
    seen the run."""
    finished: bool = False
    """Whether the verdict of the current attempt is final."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16), list_map("type")] = ()
    """Facts about the run. `Finished` is True in the end; `Succeeded` then says how."""
    failure: Failure | None = None
    """Why the run did not succeed; absent if it did."""
    exit_code: int | None = None
    """Exit code of the container; absent if none is known."""
    options: Options | None = None
    """What holds for the current attempt."""
    run_id: Annotated[str | None, Field(min_length=17, max_length=17)] = None
    """Id of the run in Apify's form: 17 letters and digits."""
    actor_namespace: AnyName | None = None
    """Namespace of the Actor."""
    actor_generation: int | None = None
    """The Actor's `metadata.generation` that the current attempt was made from."""
    build_number: Word | None = None
    """Number of the build."""
    image: Annotated[str | None, Field(max_length=1024)] = None
    """Image of the run, with its digest once that is known."""
    input_sha256: Word | None = None
    """SHA-256 of the input as compact JSON."""
    pod_name: AnyName | None = None
    """Name of the current pod."""
    node_name: AnyName | None = None
    """Node of the current pod."""
    container_url: Url | None = None
    """URL at which the web server of the run is reached while the condition WebServerReady is true.
    It stays the same for all pods and attempts of the run."""
    queued_at: Timestamp | None = None
    """Since when the attempt stands in its account's queue for memory; for an attempt that was
    resurrected, when it was asked for."""
    admitted_at: Timestamp | None = None
    """When an attempt that waited for memory of its account got it."""
    started_at: Timestamp | None = None
    """When the container of the current attempt started."""
    finished_at: Timestamp | None = None
    """When the current attempt ended."""
    timeout_at: Timestamp | None = None
    """When the time of the current attempt is up."""
    migrations: Annotated[Count, NO_DEFAULT] = 0
    """How often the current attempt got a new pod because the old one was lost."""
    restarted_at: Annotated[
        tuple[Timestamp, ...], Field(max_length=MAX_RESTARTS_LISTED), ATOMIC_LIST
    ] = ()
    """When the container of the current attempt was started again after an error: the last three
    times."""
    stats: Stats | None = None
    """Figures over all attempts."""
    default_key_value_store_id: Word | None = None
    """Id of the run's key-value store."""
    default_dataset_id: Word | None = None
    """Id of the run's dataset."""
    default_request_queue_id: Word | None = None
    """Id of the run's request queue."""
    attempts: Annotated[
        tuple[Attempt, ...], Field(max_length=MAX_ATTEMPTS_LISTED), ATOMIC_LIST
    ] = ()
    """The last ten attempts that have ended, oldest first."""
    cleanup: Annotated[tuple[Word, ...], Field(max_length=16), ATOMIC_LIST] = ()
    """What is still to be removed after the end; empty when no container of the run is left."""


INITIAL_STATUS = ActorRunStatus()
"""The status that a new run has before anything is written."""
