"""ActorRun: one run of an Actor, and what may be asked of it while it lives."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from actor_operator.api.base import (
    AGE,
    CATEGORY,
    ApiModel,
    Column,
    CustomResource,
    Definition,
    NameRule,
)
from actor_operator.api.fields import CelRule, unchanged
from actor_operator.api.scalars import (
    NAME_LABEL,
    ActorReference,
    AttemptNumber,
    MemoryMbytes,
    PreservedObject,
    Seconds,
    TagOrNumber,
)
from actor_operator.api.v1alpha1.actor_run_status import INITIAL_STATUS, ActorRunStatus
from actor_operator.constants import MAX_NAME_LENGTH


class Origin(StrEnum):
    """How a run came about (Apify's names)."""

    DEVELOPMENT = "DEVELOPMENT"
    WEB = "WEB"
    API = "API"
    SCHEDULER = "SCHEDULER"
    TEST = "TEST"
    WEBHOOK = "WEBHOOK"
    ACTOR = "ACTOR"
    CLI = "CLI"
    CI = "CI"
    STANDBY = "STANDBY"
    MCP = "MCP"


class WhenMemoryExceeded(StrEnum):
    """What happens to a run for which its account has no memory left."""

    WAIT = "Wait"
    """It waits in READY."""
    REJECT = "Reject"
    """It fails at once."""


class AbortMode(StrEnum):
    """How a run is aborted."""

    IMMEDIATE = "Immediate"
    """Its container is killed."""
    GRACEFUL = "Graceful"
    """Its container is told, and killed 30 seconds later."""


class RunLimits(ApiModel):
    """Limits on the results of a run; actors that charge for results heed them."""

    max_items: Annotated[int | None, Field(ge=1, le=2_147_483_647)] = None
    """Most items that the run may charge for."""
    max_total_charge_usd: Annotated[float | None, Field(ge=0, le=1_000_000)] = None
    """Most that the run may cost, in US dollars."""


class Abort(ApiModel):
    """A request to stop an attempt. It never hits a later attempt and need not be cleared."""

    rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            rule="self.attempt != oldSelf.attempt || self.mode == oldSelf.mode"
            " || self.mode == 'Immediate'",
            message="within an attempt, abort.mode may change from Graceful to Immediate only",
            field_path=".mode",
        ),
    )

    attempt: AttemptNumber
    """The attempt to stop: the current one, as in `status.attempt`."""
    mode: AbortMode = AbortMode.IMMEDIATE
    """Immediate kills the container; Graceful sends it SIGTERM first and gives it 30 seconds."""


class Resurrect(ApiModel):
    """A request to run a finished run once more: same name, ids, storages and URL, a new pod."""

    rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            rule="self.attempt != oldSelf.attempt || ("
            + unchanged("build", "memoryMbytes", "timeoutSecs", "restartOnError", "limits")
            + ")",
            message="what an attempt was resurrected with never changes",
            forbidden=True,
        ),
    )

    attempt: Annotated[int, Field(ge=2, le=2_147_483_647)]
    """The attempt to start: `status.attempt` + 1."""
    build: TagOrNumber | None = None
    """Build of the attempt, a tag or a number. Default: the build number and image digest that the
    run had, even if the tag has moved."""
    memory_mbytes: MemoryMbytes | None = None
    """Memory of the attempt in MB. Default: what the run had."""
    timeout_secs: Seconds | None = None
    """Time of the attempt in seconds; 0 means no limit. Default: what the run had."""
    restart_on_error: bool | None = None
    """Whether a failed container is started again. Default: what the run had."""
    limits: RunLimits | None = None
    """Limits of the attempt. Default: what the run had."""


class Reboot(ApiModel):
    """A request to replace the pod of a running run."""

    attempt: AttemptNumber
    """The current attempt, as in `status.attempt`."""
    count: AttemptNumber
    """How often the run is rebooted, with this time: `status.stats.rebootCount` + 1."""


IMMUTABLE = (
    "actor",
    "build",
    "memoryMbytes",
    "timeoutSecs",
    "restartOnError",
    "limits",
    "origin",
    "whenMemoryExceeded",
)
"""Fields of the spec that CEL keeps as they were; of ``input`` it sees only whether it is set."""


class ActorRunSpec(ApiModel):
    """What to run, and what is asked of the run."""

    rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            # The short way first: it makes status writes, which leave the spec alone, cheaper.
            rule=f"self == oldSelf || ({unchanged(*IMMUTABLE)}"
            " && has(self.input) == has(oldSelf.input))",
            message=f"what a run was made with never changes ({', '.join((*IMMUTABLE, 'input'))});"
            " make a new run, or resurrect this one with other options",
            forbidden=True,
        ),
    )

    actor: ActorReference
    """The Actor to run: its name, or `NAMESPACE/NAME` for a public Actor of another namespace.
    Never changes."""
    build: TagOrNumber | None = None
    """Build to run: a tag or a number. Default: the Actor's default, else the tag `latest`.
    Never changes."""
    memory_mbytes: MemoryMbytes | None = None
    """Memory in MB: a power of two from 128 to 32768. It also decides the share of a processor
    (one core for each 4096 MB) and the disk (twice the memory). Default: the Actor's, else the
    installation's. Never changes."""
    timeout_secs: Seconds | None = None
    """Time in seconds after which the run is stopped, from the start of its pod; 0 means no
    limit. Default: the Actor's, else the installation's. Never changes."""
    restart_on_error: bool | None = None
    """Whether a container that exits with another code than 0 is started again, fewer than 3
    times in 60 seconds. Default: the Actor's. Never changes."""
    input: PreservedObject | None = None
    """Input of the run: any JSON object of at most 65,536 bytes as compact JSON; integers beyond
    64 bits must be strings. Readable for all who may read the run, so no secrets. Never
    changes."""
    limits: RunLimits | None = None
    """Limits on the results of the run. Never changes."""
    origin: Origin = Origin.CLI
    """How the run came about. Never changes."""
    when_memory_exceeded: WhenMemoryExceeded = WhenMemoryExceeded.WAIT
    """What happens if the account has no room for the first attempt: Wait in READY, or Reject,
    which ends it as FAILED with MemoryLimitExceeded, ConcurrentRunsLimitExceeded or
    AccountSuspended. Never changes."""
    ttl_seconds_after_finished: Seconds | None = None
    """Seconds after its end at which the run is removed with all that belongs to it. Default: the
    account's, else the installation's. May change at any time."""
    abort: Abort | None = None
    """Request to stop an attempt. Not for manifests: set it with `kubectl patch` or
    `actorctl abort`. Removing it takes nothing back."""
    resurrect: Resurrect | None = None
    """Request to run a finished run once more. Not for manifests: set it with `kubectl patch` or
    `actorctl resurrect`."""
    reboot: Reboot | None = None
    """Request to replace the pod of a running run. Not for manifests: set it with
    `kubectl patch`."""


_RULES = (
    CelRule(
        rule="!has(self.spec.abort)"
        " || self.spec.abort.attempt == oldSelf.?spec.?abort.?attempt.orValue(0)"
        " || self.spec.abort.attempt == self.?status.?attempt.orValue(1)",
        message="abort.attempt must be the run's current attempt, as in status.attempt",
        field_path=".spec.abort.attempt",
        on_create=True,
    ),
    CelRule(
        rule="!has(self.spec.resurrect)"
        " || self.spec.resurrect.attempt == oldSelf.?spec.?resurrect.?attempt.orValue(0)"
        " || (self.?status.?finished.orValue(false)"
        " && self.spec.resurrect.attempt == self.status.attempt + 1)",
        message="only a finished run can be resurrected, and resurrect.attempt must be"
        " status.attempt + 1",
        field_path=".spec.resurrect.attempt",
        on_create=True,
    ),
    CelRule(
        rule="!has(self.spec.reboot)"
        " || (self.spec.reboot.count == oldSelf.?spec.?reboot.?count.orValue(0)"
        " && self.spec.reboot.attempt == oldSelf.?spec.?reboot.?attempt.orValue(0))"
        " || (self.?status.?phase.orValue('READY') == 'RUNNING'"
        " && self.spec.reboot.attempt == self.status.attempt"
        " && self.spec.reboot.count == self.status.?stats.?rebootCount.orValue(0) + 1)",
        message="only a RUNNING run can be rebooted; reboot.attempt must be status.attempt and"
        " reboot.count must be status.stats.rebootCount + 1 (1 at first)",
        field_path=".spec.reboot",
        on_create=True,
    ),
)

_COLUMNS = (
    Column(name="Phase", path=".status.phase", description="Where the run is in its life"),
    Column(
        name="Reason",
        path=".status.conditions[?(@.type=='Succeeded')].reason",
        description="Why it is there",
    ),
    Column(name="Actor", path=".spec.actor", description="Actor that is run"),
    Column(name="Build", path=".status.buildNumber", description="Number of the build"),
    Column(
        name="Memory",
        path=".status.options.memoryMbytes",
        type="integer",
        description="Memory in MB",
    ),
    Column(name="Attempt", path=".status.attempt", type="integer", description="Current attempt"),
    AGE,
    Column(name="Pod", path=".status.podName", description="Current pod", wide=True),
    Column(name="Node", path=".status.nodeName", description="Node of the pod", wide=True),
    Column(
        name="Exit",
        path=".status.exitCode",
        type="integer",
        description="Exit code of the container",
        wide=True,
    ),
    Column(name="URL", path=".status.containerUrl", description="URL of the web server", wide=True),
    Column(
        name="Finished",
        path=".status.finishedAt",
        type="date",
        description="Time since the end",
        wide=True,
    ),
)


class ActorRun(CustomResource):
    """One run of an Actor: its options and input, its phase and result.

    Create one to start a run; delete it to remove the run and all that belongs to it.
    """

    definition: ClassVar[Definition] = Definition(
        plural="actorruns",
        short_names=("arun", "aruns"),
        categories=(CATEGORY,),
        name=NameRule(
            pattern=NAME_LABEL,
            max_length=MAX_NAME_LENGTH,
            message=f"the name of an ActorRun has at most {MAX_NAME_LENGTH} lower-case letters,"
            " digits and '-', starts with a letter and ends with a letter or digit",
        ),
        columns=_COLUMNS,
        selectable_fields=(".status.phase", ".status.finished", ".spec.actor"),
        rules=_RULES,
    )

    kind: Literal["ActorRun"] = "ActorRun"
    """Name of this kind."""
    spec: ActorRunSpec
    """What to run, and what is asked of the run."""
    status: ActorRunStatus = INITIAL_STATUS
    """What became of the run. Written by the operator only."""
