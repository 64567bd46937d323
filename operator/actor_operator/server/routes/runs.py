"""Routes of runs: ``/v2/actor-runs``."""

from typing import Any, NoReturn

from fastapi import Request
from fastapi.responses import Response

from actor_operator.server.answers import data, no_content, page
from actor_operator.server.bodies import read_json
from actor_operator.server.described import OBJECT
from actor_operator.server.parameters import Desc, Limit, Offset, page_limit
from actor_operator.server.routing import Routes, Who
from actor_operator.server.run_parameters import Filter, Gracefully, Options, RunId, Wait
from actor_operator.services.errors import invalid, unsupported
from actor_operator.services.identity import Permission
from actor_operator.services.run_answers import FoundRun, RunAnswers
from actor_operator.services.runs import RunChanges, RunService, job_finished

PREFIX = "/v2/actor-runs"


def run_routes(service: RunService, answers: RunAnswers) -> Routes:
    """Every route of runs by their id."""
    routes = Routes(PREFIX, "Runs")
    _add_reading(routes, service, answers)
    _add_changing(routes, service, answers)
    _add_stopping(routes, service, answers)
    return routes


def _add_reading(routes: Routes, service: RunService, answers: RunAnswers) -> None:
    @routes.get("", needs=Permission.READ)
    async def list_runs(
        caller: Who, wanted: Filter, offset: Offset = 0, limit: Limit = 0, *, desc: Desc = False
    ) -> Response:
        """List the runs of the account."""
        most = page_limit(limit)
        found = await service.page(caller, wanted, offset=offset, limit=most, desc=desc)
        return page(found.items, total=found.total, offset=offset, limit=most, desc=desc)

    @routes.get("/{runId}", needs=Permission.SHARED)
    async def get_run(caller: Who, run_id: RunId, wait: Wait = 0) -> Response:
        """Get a run, as it is now or once it has ended."""
        return data(await answers.describe(await answers.find_to_read(caller, run_id), wait))


def _add_changing(routes: Routes, service: RunService, answers: RunAnswers) -> None:
    @routes.put("/{runId}", needs=Permission.STATUS, takes=OBJECT)
    async def update_run(request: Request, caller: Who, run_id: RunId) -> Response:
        """Set the status message or the general access of a run."""
        changes = _changes(await read_json(request))
        return data(await service.change(await answers.find(caller, run_id), changes))

    @routes.delete("/{runId}", needs=Permission.ADMIN)
    async def delete_run(caller: Who, run_id: RunId) -> Response:
        """Remove a finished run and the storages that it has by default."""
        await service.delete(await answers.find(caller, run_id))
        return no_content()

    @routes.post("/{runId}/charge", needs=Permission.RUN)
    async def charge(caller: Who, run_id: RunId) -> Response:
        """Refuse: this server does not support paying for events."""
        await answers.find(caller, run_id)
        raise unsupported("charging for events")


def _add_stopping(routes: Routes, service: RunService, answers: RunAnswers) -> None:
    @routes.post("/{runId}/abort", needs=Permission.RUN, status=200)
    async def abort_run(caller: Who, run_id: RunId, *, gracefully: Gracefully = False) -> Response:
        """Stop a run."""
        found = await answers.find(caller, run_id)
        return data(await service.abort(found, gracefully=gracefully))

    @routes.post("/{runId}/reboot", needs=Permission.RUN, status=200)
    async def reboot_run(caller: Who, run_id: RunId) -> Response:
        """Give a running run a new container."""
        return data(await service.reboot(await answers.find(caller, run_id)))

    @routes.post("/{runId}/resurrect", needs=Permission.RUN, status=200)
    async def resurrect_run(caller: Who, run_id: RunId, options: Options) -> Response:
        """Run a finished run once more, with the same storages."""
        return data(await service.resurrect(await answers.find(caller, run_id), options))

    @routes.post("/{runId}/metamorph", needs=Permission.RUN, status=200)
    async def metamorph_run(caller: Who, run_id: RunId) -> None:
        """Refuse: this server does not support metamorph."""
        await refuse_metamorph(answers, await answers.find(caller, run_id))


async def refuse_metamorph(answers: RunAnswers, found: FoundRun) -> NoReturn:
    """Refuse a metamorph: one of a finished run as Apify does, any other as not supported.

    Raises
    ------
    ApiError
        Always.
    """
    answer = await answers.describe(found)
    if answer["finishedAt"] is not None:
        raise job_finished("turned into another Actor")
    raise unsupported("metamorph")


def _changes(body: Any) -> RunChanges:
    """What a body asks for; fields that are not known are left alone (SDKs send ``level``)."""
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    message, terminal = body.get("statusMessage"), body.get("isStatusMessageTerminal")
    access = body.get("generalAccess")
    if not isinstance(message, str | None) or not isinstance(access, str | None):
        raise invalid("statusMessage and generalAccess must be texts.", "invalid-value")
    if not isinstance(terminal, bool | None):
        raise invalid("isStatusMessageTerminal must be true or false.", "invalid-value")
    return RunChanges(message, terminal, access)
