"""Routes of the runs of an Actor: starts, lists, and the last run."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from actor_operator.desired.names import ids_of
from actor_operator.server.answers import data, page
from actor_operator.server.described import ANYTHING, NOTHING
from actor_operator.server.items_query import items_query
from actor_operator.server.parameters import Desc, Limit, Offset, page_limit
from actor_operator.server.records import record_answer
from actor_operator.server.routes.datasets import items_answer
from actor_operator.server.routes.runs import refuse_metamorph
from actor_operator.server.routing import Routes, Who
from actor_operator.server.run_parameters import (
    ActorId,
    Filter,
    Gracefully,
    Options,
    Origin,
    RunId,
    Status,
    Wait,
    WithoutUnsupported,
    start_request,
)
from actor_operator.services.access import StorageRef
from actor_operator.services.actors import Actors
from actor_operator.services.datasets import Datasets, ItemsRequest
from actor_operator.services.errors import not_found
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.key_value_stores import KeyValueStores
from actor_operator.services.run_answers import FoundRun, RunAnswers
from actor_operator.services.run_finding import RunFinding
from actor_operator.services.run_sync import RunSync
from actor_operator.services.runs import RunService

TAG = "Runs of an Actor"

OutputKey = Annotated[
    str, Query(alias="outputRecordKey", description="Key of the record that is the answer.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorRunUses:
    """The use cases that these routes call."""

    actors: Actors
    answers: RunAnswers
    finding: RunFinding
    sync: RunSync
    runs: RunService
    stores: KeyValueStores
    datasets: Datasets


def actor_run_routes(prefix: str, uses: ActorRunUses) -> Routes:
    """Every route of the runs of an Actor."""
    routes = Routes(prefix, TAG)
    _add_start(routes, uses)
    _add_sync(routes, uses)
    _add_last(routes, uses)
    _add_single(routes, uses)
    return routes


def _add_start(routes: Routes, uses: ActorRunUses) -> None:
    @routes.get("/{actorId}/runs", needs=Permission.READ)
    async def list_runs(
        caller: Who,
        actor_id: ActorId,
        wanted: Filter,
        offset: Offset = 0,
        limit: Limit = 0,
        *,
        desc: Desc = False,
    ) -> Response:
        """List the runs of an Actor."""
        found = await uses.actors.find(caller, actor_id)
        most = page_limit(limit)
        listed = await uses.runs.page(
            caller, wanted.of_actor(found.id), offset=offset, limit=most, desc=desc
        )
        return page(listed.items, total=listed.total, offset=offset, limit=most, desc=desc)

    @routes.post(
        "/{actorId}/runs",
        needs=Permission.RUN,
        takes=ANYTHING,
        dependencies=[WithoutUnsupported],
    )
    async def start_run(
        request: Request, caller: Who, actor_id: ActorId, options: Options, wait: Wait = 0
    ) -> Response:
        """Start a run."""
        actor = await uses.actors.find(caller, actor_id)
        wanted = await start_request(request, actor, options)
        return data(await uses.sync.start(caller, wanted, wait), 201)


def _add_sync(routes: Routes, uses: ActorRunUses) -> None:
    async def run_sync(
        request: Request,
        caller: Who,
        actor_id: ActorId,
        options: Options,
        output_key: OutputKey = "OUTPUT",
    ) -> Response:
        """Start a run and answer with its output."""
        actor = await uses.actors.find(caller, actor_id)
        found = await uses.sync.run(caller, await start_request(request, actor, options))
        store = _storage(found, ids_of(found.row.id).key_value_store, caller)
        record = await uses.stores.get_record(store, output_key)
        answer = record_answer(record, request.headers.get("accept-encoding"), save=False)
        answer.status_code = 201
        return answer

    async def run_sync_items(
        request: Request,
        caller: Who,
        actor_id: ActorId,
        options: Options,
        asked: Annotated[ItemsRequest, Depends(items_query)],
    ) -> Response:
        """Start a run and answer with the items of its dataset."""
        actor = await uses.actors.find(caller, actor_id)
        found = await uses.sync.run(caller, await start_request(request, actor, options))
        dataset = _storage(found, ids_of(found.row.id).dataset, caller)
        return items_answer(*await uses.datasets.read_items(dataset, asked), 201)

    for method in ("GET", "POST"):
        for path, handler in (
            ("/{actorId}/run-sync", run_sync),
            ("/{actorId}/run-sync-get-dataset-items", run_sync_items),
        ):
            routes.add(
                method,
                path,
                needs=Permission.RUN,
                status=201,
                gives=ANYTHING,
                takes=ANYTHING if method == "POST" else NOTHING,
                dependencies=[WithoutUnsupported],
            )(handler)


def _add_last(routes: Routes, uses: ActorRunUses) -> None:
    async def last(
        caller: Who, actor_id: ActorId, status: Status = "", origin: Origin = ""
    ) -> FoundRun:
        return await uses.finding.last(caller, actor_id, status, origin)

    Last = Annotated[FoundRun, Depends(last)]  # noqa: N806 -- a type

    @routes.get("/{actorId}/runs/last", needs=Permission.READ)
    async def get_last(found: Last, wait: Wait = 0) -> Response:
        """Get the last run of an Actor."""
        return data(await uses.answers.describe(found, wait))

    @routes.post("/{actorId}/runs/last/abort", needs=Permission.RUN, status=200)
    async def abort_last(found: Last, *, gracefully: Gracefully = False) -> Response:
        """Stop the last run of an Actor."""
        return data(await uses.runs.abort(found, gracefully=gracefully))

    @routes.post("/{actorId}/runs/last/reboot", needs=Permission.RUN, status=200)
    async def reboot_last(found: Last) -> Response:
        """Give the last run of an Actor a new container."""
        return data(await uses.runs.reboot(found))

    @routes.post("/{actorId}/runs/last/metamorph", needs=Permission.RUN, status=200)
    async def metamorph_last(found: Last) -> None:
        """Refuse: this server does not support metamorph."""
        await refuse_metamorph(uses.answers, found)


def _add_single(routes: Routes, uses: ActorRunUses) -> None:
    """Runs by their id below their Actor; Apify calls these routes deprecated."""

    async def single(caller: Who, actor_id: ActorId, run_id: RunId) -> FoundRun:
        actor = await uses.actors.find(caller, actor_id)
        found = await uses.answers.find(caller, run_id)
        if found.row.actor_id != actor.id:
            raise not_found("Run")
        return found

    Single = Annotated[FoundRun, Depends(single)]  # noqa: N806 -- a type

    @routes.get("/{actorId}/runs/{runId}", needs=Permission.READ)
    async def get_run(found: Single, wait: Wait = 0) -> Response:
        """Get a run of an Actor."""
        return data(await uses.answers.describe(found, wait))

    @routes.post("/{actorId}/runs/{runId}/abort", needs=Permission.RUN, status=200)
    async def abort_run(found: Single, *, gracefully: Gracefully = False) -> Response:
        """Stop a run of an Actor."""
        return data(await uses.runs.abort(found, gracefully=gracefully))

    @routes.post("/{actorId}/runs/{runId}/resurrect", needs=Permission.RUN, status=200)
    async def resurrect_run(found: Single, options: Options) -> Response:
        """Run a finished run of an Actor once more."""
        return data(await uses.runs.resurrect(found, options))

    @routes.post("/{actorId}/runs/{runId}/metamorph", needs=Permission.RUN, status=200)
    async def metamorph_run(found: Single) -> None:
        """Refuse: this server does not support metamorph."""
        await refuse_metamorph(uses.answers, found)


def _storage(found: FoundRun, storage_id: str, caller: Caller) -> StorageRef:
    return StorageRef(found.row.account, storage_id, caller)
