"""Logs of runs, and what is known of builds."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Path, Query
from fastapi.responses import Response, StreamingResponse

from actor_operator.server.answers import GUARDS
from actor_operator.server.described import PLAIN_TEXT
from actor_operator.server.routes.builds import BuildId
from actor_operator.server.routing import Routes, Who
from actor_operator.server.run_parameters import ActorId, Origin, RunId, Status
from actor_operator.services.actors import Actors
from actor_operator.services.identity import Permission
from actor_operator.services.logs import Logs
from actor_operator.services.run_answers import FoundRun, RunAnswers
from actor_operator.services.run_finding import RunFinding

TAG = "Logs"
TEXT = "text/plain; charset=utf-8"

AnyId = Annotated[str, Path(alias="buildOrRunId", description="Id of the run or build.")]


@dataclass(frozen=True, slots=True)
class _How:
    """How a log is wanted."""

    stream: bool
    download: bool
    raw: bool


async def _how(
    *,
    stream: Annotated[bool, Query(description="Go on until the run ends.")] = False,
    download: Annotated[bool, Query(description="To be saved, not shown.")] = False,
    raw: Annotated[bool, Query(description="With the control sequences of terminals.")] = False,
) -> _How:
    return _How(stream, download, raw)


How = Annotated[_How, Depends(_how)]

FindRun = Callable[..., Awaitable[FoundRun]]


def log_routes(logs: Logs, answers: RunAnswers, actors: Actors) -> Routes:
    """Logs by the id of their run or build."""

    async def by_id(caller: Who, run_id: RunId) -> FoundRun:
        return await answers.find_to_read(caller, run_id)

    routes = Routes("/v2", TAG)
    _add(routes, "/actor-runs/{runId}/log", by_id, logs, answers)

    @routes.get("/logs/{buildOrRunId}", needs=Permission.SHARED, gives=PLAIN_TEXT)
    async def get_log(caller: Who, wanted: AnyId, how: How) -> Response:
        """Get the log of a run or of a build."""
        if Permission.READ in caller.permissions and actors.is_build(wanted):
            return _answer(wanted, how, _once(await actors.build_log(caller, wanted)))
        return _follow(await answers.find_to_read(caller, wanted), how, logs, answers)

    @routes.get("/actor-builds/{buildId}/log", needs=Permission.READ, gives=PLAIN_TEXT)
    async def get_build_log(caller: Who, build_id: BuildId, how: How) -> Response:
        """Get the log of a build, which was made elsewhere: what is known of it."""
        return _answer(build_id, how, _once(await actors.build_log(caller, build_id)))

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
    async def get_log(found: Annotated[FoundRun, Depends(find)], how: How) -> Response:
        """Get the log of a run."""
        return _follow(found, how, logs, answers)


def _follow(found: FoundRun, how: _How, logs: Logs, answers: RunAnswers) -> Response:
    row = found.row
    if how.stream:
        ended = partial(answers.has_ended, found)
        return _answer(row.id, how, logs.stream(row.account, row.id, ended, raw=how.raw))
    return _answer(row.id, how, logs.read(row.account, row.id, raw=how.raw))


def _answer(name: str, how: _How, content: AsyncIterator[bytes]) -> Response:
    headers = dict(GUARDS)
    if how.download:
        headers["Content-Disposition"] = f'attachment; filename="{name}.log"'
    return StreamingResponse(content, 200, headers, media_type=TEXT)


async def _once(text: str) -> AsyncIterator[bytes]:
    yield text.encode()
