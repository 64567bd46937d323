"""Logs of runs."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Path, Query
from fastapi.responses import Response, StreamingResponse

from actor_operator.server.answers import GUARDS
from actor_operator.server.described import PLAIN_TEXT
from actor_operator.server.routing import Routes, Who
from actor_operator.server.run_parameters import ActorId, Origin, RunId, Status
from actor_operator.services.identity import Permission
from actor_operator.services.logs import Logs
from actor_operator.services.run_answers import FoundRun, RunAnswers
from actor_operator.services.run_finding import RunFinding

TAG = "Logs"
TEXT = "text/plain; charset=utf-8"

AnyId = Annotated[str, Path(alias="buildOrRunId", description="Id of the run.")]
Stream = Annotated[bool, Query(description="Go on until the run ends.")]
Download = Annotated[bool, Query(description="To be saved, not shown.")]
Raw = Annotated[bool, Query(description="With the control sequences of terminals.")]

FindRun = Callable[..., Awaitable[FoundRun]]


def log_routes(logs: Logs, answers: RunAnswers) -> Routes:
    """Logs by the id of their run."""

    async def by_any_id(caller: Who, run_id: AnyId) -> FoundRun:
        return await answers.find_to_read(caller, run_id)

    async def by_id(caller: Who, run_id: RunId) -> FoundRun:
        return await answers.find_to_read(caller, run_id)

    routes = Routes("/v2", TAG)
    _add(routes, "/logs/{buildOrRunId}", by_any_id, logs, answers)
    _add(routes, "/actor-runs/{runId}/log", by_id, logs, answers)
    return routes


def last_log_routes(prefix: str, logs: Logs, answers: RunAnswers, finding: RunFinding) -> Routes:
    """The log of the last run of an Actor."""

    async def last(
        caller: Who, actor_id: ActorId, status: Status = "", origin: Origin = ""
    ) -> FoundRun:
        return await finding.last_to_read(caller, actor_id, status, origin)

    routes = Routes(prefix, TAG)
    _add(routes, "/{actorId}/runs/last/log", last, logs, answers)
    return routes


def _add(routes: Routes, path: str, find: FindRun, logs: Logs, answers: RunAnswers) -> None:
    @routes.get(path, needs=Permission.SHARED, gives=PLAIN_TEXT)
    async def get_log(
        found: Annotated[FoundRun, Depends(find)],
        *,
        stream: Stream = False,
        download: Download = False,
        raw: Raw = False,
    ) -> Response:
        """Get the log of a run."""
        row = found.row
        content = (
            logs.stream(row.account, row.id, lambda: answers.has_ended(found), raw=raw)
            if stream
            else logs.read(row.account, row.id, raw=raw)
        )
        headers = dict(GUARDS)
        if download:
            headers["Content-Disposition"] = f'attachment; filename="{row.id}.log"'
        return StreamingResponse(content, 200, headers, media_type=TEXT)
