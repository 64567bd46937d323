"""ActorAccount: the limits of one account, which is one namespace."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from actor_operator.api.base import (
    AGE,
    ApiModel,
    Column,
    Condition,
    CustomResource,
    Definition,
    NameRule,
    Scope,
)
from actor_operator.api.fields import list_map
from actor_operator.api.scalars import DNS_LABEL, MAX_INT32, Count, Seconds


class Retention(ApiModel):
    """When finished runs are removed."""

    ttl_seconds_after_finished: Seconds | None = None
    """Seconds after its end at which a run is removed, unless it says otherwise itself. Default:
    the installation's."""
    keep_last: Count | None = None
    """How many of the newest finished runs are kept whatever their age; runs that have a
    `ttlSecondsAfterFinished` of their own do not count. Default: the installation's."""


class ActorAccountSpec(ApiModel):
    """The limits of an account."""

    memory_limit_mbytes: Annotated[int | None, Field(ge=128, le=MAX_INT32)] = None
    """Most memory in MB that the live runs of the account may have together. Default: the
    installation's."""
    max_concurrent_runs: Annotated[int | None, Field(ge=1, le=MAX_INT32)] = None
    """Most runs of the account that may be live at a time. Default: the installation's."""
    retention: Retention | None = None
    """When finished runs of the account are removed."""
    suspended: bool = False
    """Whether no further run of the account is started; live runs go on."""


class ActorAccountStatus(ApiModel):
    """What the account uses."""

    observed_generation: Annotated[int | None, Field(ge=-1)] = None
    """The `metadata.generation` that the conditions were judged for."""
    memory_limit_mbytes: Count | None = None
    """The limit in force in MB: the account's own, else the installation's; absent: none."""
    max_concurrent_runs: Count | None = None
    """The limit in force on runs that live at a time; absent: none."""
    memory_used_mbytes: Count | None = None
    """Memory in MB that is reserved for the account's runs."""
    live_runs: Count | None = None
    """How many runs have memory reserved."""
    waiting_runs: Count | None = None
    """How many runs wait for memory."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8), list_map("type")] = ()
    """Facts about the account. `Admitting` is True while a run that fits would be started at
    once."""


class ActorAccount(CustomResource):
    """The limits of one account.

    Its name is that of the namespace that it governs; without one, the installation's limits hold.
    """

    definition: ClassVar[Definition] = Definition(
        plural="actoraccounts",
        scope=Scope.CLUSTER,
        name=NameRule(
            pattern=DNS_LABEL,
            max_length=63,
            message="an ActorAccount has the name of the namespace that it governs: at most 63"
            " lower-case letters, digits and '-', with a letter or digit at both ends",
        ),
        columns=(
            Column(
                name="Limit",
                path=".status.memoryLimitMbytes",
                type="integer",
                description="Most memory in MB that live runs may have",
            ),
            Column(
                name="Used",
                path=".status.memoryUsedMbytes",
                type="integer",
                description="Reserved memory in MB",
            ),
            Column(
                name="Live",
                path=".status.liveRuns",
                type="integer",
                description="Runs that have memory",
            ),
            Column(
                name="Waiting",
                path=".status.waitingRuns",
                type="integer",
                description="Runs that wait for memory",
            ),
            Column(
                name="Suspended",
                path=".spec.suspended",
                type="boolean",
                description="Whether no further run is started",
            ),
            AGE,
        ),
    )

    kind: Literal["ActorAccount"] = "ActorAccount"
    """Name of this kind."""
    spec: ActorAccountSpec
    """The limits."""
    status: ActorAccountStatus = ActorAccountStatus()
    """What the account uses."""
