"""Parameters of routes about runs."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request

from actor_operator.server.bodies import read_body
from actor_operator.services.actor_directory import FoundActor
from actor_operator.services.errors import invalid, unsupported
from actor_operator.services.run_finding import statuses_of
from actor_operator.services.run_options import RunOptions
from actor_operator.services.run_plan import StartRequest
from actor_operator.services.times import millis_of
from actor_operator.storage.runs import RunFilter

ActorId = Annotated[
    str, Path(alias="actorId", description="Id of the Actor, username~name, or one's own name.")
]
RunId = Annotated[str, Path(alias="runId", description="Id of the run.")]
Wait = Annotated[
    float,
    Query(
        alias="waitForFinish",
        ge=0,
        description="Seconds for which the answer waits for the end; at most 60.",
    ),
]
Status = Annotated[str, Query(description="Only runs in one of these statuses (by commas).")]
Origin = Annotated[str, Query(description="Only runs that came about so, such as API.")]
Gracefully = Annotated[
    bool, Query(description="Whether the actor is told first, and has 30 seconds.")
]
Build = Annotated[str, Query(description="Tag or number of the build.")]


def _options(
    *,
    build: Build = "",
    memory: Annotated[int | None, Query(description="Memory in MB, a power of two.")] = None,
    timeout: Annotated[int | None, Query(description="Time limit in seconds; 0 is none.")] = None,
    restart_on_error: Annotated[
        bool | None,
        Query(alias="restartOnError", description="Whether a failed container starts again."),
    ] = None,
    max_items: Annotated[
        int | None, Query(alias="maxItems", description="Most results that are charged for.")
    ] = None,
    max_total_charge_usd: Annotated[
        float | None,
        Query(alias="maxTotalChargeUsd", description="Most that it may cost, in US dollars."),
    ] = None,
) -> RunOptions:
    return RunOptions(
        build=build or None,
        memory_mbytes=memory,
        timeout_secs=timeout,
        restart_on_error=restart_on_error,
        max_items=max_items,
        max_total_charge_usd=max_total_charge_usd,
    )


Options = Annotated[RunOptions, Depends(_options)]
"""How a run is to be."""


def _refuse_unsupported(
    webhooks: Annotated[str, Query(description="Not supported: webhooks for the run.")] = "",
    force_permission_level: Annotated[
        str,
        Query(alias="forcePermissionLevel", description="Not supported: another level of rights."),
    ] = "",
) -> None:
    if webhooks:
        raise unsupported("webhooks of a run")
    if force_permission_level:
        raise unsupported("forcePermissionLevel")


WithoutUnsupported = Depends(_refuse_unsupported)
"""Refuses parameters of a start that are not supported, instead of ignoring them."""


def _filter(
    status: Status = "",
    started_after: Annotated[
        str, Query(alias="startedAfter", description="Only runs that began then or later.")
    ] = "",
    started_before: Annotated[
        str, Query(alias="startedBefore", description="Only runs that began then or earlier.")
    ] = "",
) -> RunFilter:
    return RunFilter(
        statuses=statuses_of(status),
        started_after=_moment(started_after, "startedAfter"),
        started_before=_moment(started_before, "startedBefore"),
    )


Filter = Annotated[RunFilter, Depends(_filter)]
"""Which runs a list has."""


async def start_request(request: Request, actor: FoundActor, options: RunOptions) -> StartRequest:
    """What a request for a start asks for.

    Raises
    ------
    ApiError
        When its body is too large or broken.
    """
    return StartRequest(
        actor=actor,
        options=options,
        body=await read_body(request),
        content_type=request.headers.get("content-type", ""),
        client_ip=request.client.host if request.client else "",
        user_agent=request.headers.get("user-agent", ""),
    )


def _moment(text: str, name: str) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(
            f"{name} must be a time such as 2026-01-31T12:00:00.000Z.", "invalid-value"
        ) from None
    return millis_of(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
