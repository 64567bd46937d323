"""Starts of runs when something goes wrong: nothing is started twice, nothing is left behind."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from tests.integration.api.run_bench import NAMESPACE, SETTINGS, RunBench, run_bench, until
from tests.support.apiserver import ApiServer, on
from typing_extensions import override

from actor_operator.constants import LABEL_RUN, LABEL_RUN_UID
from actor_operator.desired.tokens import PermissionLevel, RunIdentity
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import Caller
from actor_operator.services.run_options import RunOptions
from actor_operator.services.run_plan import StartRequest
from actor_operator.services.run_start import RunStart
from actor_operator.storage.catalog import Catalog, StorageKind
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.runs import PENDING, VISIBLE, RunRow, RunRows

ACCOUNT = 1

FAR = 2**60
"""A moment after all others, in milliseconds."""


@pytest.fixture
async def bench(
    server: ApiServer, database: Database, objects: ObjectStore
) -> AsyncIterator[RunBench]:
    """A bench with an Actor, on each database; the test is the operator."""
    build = {"number": "1.0.1", "image": "registry.example/quick:1"}
    spec = {"builds": [build], "taggedBuilds": {"latest": "1.0.1"}}
    server.create("actors", {"metadata": {"name": "quick"}, "spec": spec})
    async with run_bench(server, database, objects) as bench:
        yield bench


def admit_all(bench: RunBench) -> None:
    """Make a pod for each run as soon as it is there, as the operator does for admitted ones."""

    def note(change: Any) -> None:
        if change.kind.kind == "ActorRun" and change.type == "ADDED":
            admit(bench, change.after.object)

    bench.server.store.listen(note)


def admit(bench: RunBench, run: dict[str, Any]) -> None:
    """Make the pod of a run."""
    meta = run["metadata"]
    labels = {LABEL_RUN_UID: meta["uid"], LABEL_RUN: meta["name"]}
    containers = [{"name": "actor", "image": "registry.example/quick:1"}]
    bench.server.create(
        "pods",
        {
            "metadata": {"name": f"{meta['name']}-1", "labels": labels},
            "spec": {"containers": containers},
        },
    )


async def start(bench: RunBench) -> httpx.Response:
    """Start a run over HTTP."""
    async with bench.client() as client:
        return await client.post("/v2/actors/quick/runs")


async def rows(bench: RunBench, state: str) -> list[RunRow]:
    """All rows in a state."""

    def read(connection: Any) -> list[RunRow]:
        of_account = RunRows(connection, ACCOUNT)
        return of_account.pending(FAR) if state == PENDING else of_account.unfinished()

    return await bench.database.read(read)


async def storages(bench: RunBench) -> int:
    """How many key-value stores there are."""
    page = await bench.database.read(
        lambda connection: Catalog(connection, ACCOUNT).page(
            StorageKind.KEY_VALUE_STORE, offset=0, limit=10, desc=False, unnamed=True
        )
    )
    return page.total


@pytest.mark.parametrize("moment", ["applied", "during"])
async def test_a_creation_whose_answer_is_lost_is_found_by_its_name(
    bench: RunBench, moment: str
) -> None:
    admit_all(bench)
    bench.server.faults.reset(on("create", "actorruns"), **{moment: True})

    answer = await start(bench)

    assert answer.status_code == 201, answer.text
    made = bench.server.objects("actorruns", NAMESPACE)
    assert [run["metadata"]["name"] for run in made] == [answer.json()["data"]["id"]]
    assert [row.id for row in await rows(bench, VISIBLE)] == [answer.json()["data"]["id"]]


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (403, 403, "insufficient-permissions"),
        (422, 400, "invalid-request"),
        (429, 503, "service-unavailable"),
    ],
)
async def test_a_creation_that_kubernetes_refuses_leaves_nothing(
    bench: RunBench, code: int, status: int, kind: str
) -> None:
    bench.server.faults.fail(code, on("create", "actorruns", times=None))

    answer = await start(bench)

    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert await rows(bench, PENDING) == []
    assert await storages(bench) == 0


async def begin_and_go_away(bench: RunBench) -> RunRow:
    """Begin a start in a process that goes away before there is a verdict."""

    class Gone(RunStart):
        @override
        async def settle(self, *_: object, **__: object) -> None:
            raise ConnectionAbortedError

    caller = bench.gate.callers["owner"]
    actor = await bench.parts.actors.find(caller, "quick")
    with suppress(ConnectionAbortedError):
        await Gone(bench.parts).start(caller, StartRequest(actor, RunOptions(), b""))
    (row,) = await rows(bench, PENDING)
    # As if that were two minutes ago.
    await bench.database.write(
        lambda connection: RunRows(connection, ACCOUNT).change(
            row.id, started_at=row.started_at - 120_000
        )
    )
    return row


async def test_a_start_that_was_left_behind_is_shown_when_the_run_was_admitted(
    bench: RunBench,
) -> None:
    admit_all(bench)
    row = await begin_and_go_away(bench)

    async def has_pod() -> bool:
        run = bench.directory.by_id(row.id)
        return run is not None and bool(bench.hub.state(run.uid).pods)

    await until("its pod is seen", has_pod)
    await bench.sweeper.sweep()
    assert [found.id for found in await rows(bench, VISIBLE)] == [row.id]


async def test_a_start_that_was_left_behind_is_taken_back_when_nobody_has_decided(
    bench: RunBench,
) -> None:
    await begin_and_go_away(bench)
    await bench.sweeper.sweep()
    assert bench.server.objects("actorruns", NAMESPACE) == []
    assert await rows(bench, PENDING) == []
    assert await storages(bench) == 0


async def test_a_start_that_never_came_to_kubernetes_is_forgotten(bench: RunBench) -> None:
    row = await begin_and_go_away(bench)
    bench.server.delete("actorruns", NAMESPACE, row.id)
    await bench.sweeper.sweep()
    assert await rows(bench, PENDING) == []


async def test_a_refused_run_gets_no_row_from_what_the_informer_tells_of_it_later(
    bench: RunBench,
) -> None:
    limits = SETTINGS.api.limits.model_copy(update={"start_seconds": 0.05})
    api = SETTINGS.api.model_copy(update={"limits": limits})
    object.__setattr__(bench.parts, "settings", SETTINGS.model_copy(update={"api": api}))
    answer = await start(bench)
    assert answer.status_code == 503
    await bench.mirror.flush()
    assert await rows(bench, VISIBLE) == []


async def test_what_vanished_while_nobody_watched_is_buried_at_the_next_start(
    bench: RunBench, objects: ObjectStore
) -> None:
    admit_all(bench)
    gone, stays = [(await start(bench)).json()["data"]["id"] for _ in range(2)]
    await bench.close()
    bench.server.delete("actorruns", NAMESPACE, gone)

    async with run_bench(bench.server, bench.database, objects) as again:
        await again.mirror.look_for_missing()
        assert [row.id for row in await rows(again, VISIBLE)] == [stays]


async def test_a_run_that_only_the_informer_does_not_know_yet_is_not_buried(
    bench: RunBench,
) -> None:
    admit_all(bench)
    run_id = (await start(bench)).json()["data"]["id"]
    del bench.runs._objects[NAMESPACE, run_id]
    await bench.mirror.look_for_missing()
    assert [row.id for row in await rows(bench, VISIBLE)] == [run_id]


async def test_rows_stay_when_many_runs_vanish_at_once(bench: RunBench) -> None:
    for number in range(30):
        meta = {"name": f"run-{number}"}
        bench.server.create("actorruns", {"metadata": meta, "spec": {"actor": "quick"}})

    async def all_there() -> bool:
        return len(await rows(bench, VISIBLE)) == 30

    await until("they have rows", all_there)
    for run in list(bench.directory.all())[:25]:
        bench.runs.remove(run.namespace, run.name, run.uid)

    async def has_halted() -> bool:
        return bench.mirror.halted == 25

    await until("it is noticed", has_halted)
    await bench.mirror.flush()
    assert await all_there()


async def test_a_limited_run_starts_no_run_with_more_rights(bench: RunBench) -> None:
    owner = bench.gate.callers["owner"]
    limited = Caller(owner.account, owner.namespace, owner.permissions, limited_identity())
    actor = await bench.parts.actors.find(owner, "quick")
    with pytest.raises(ApiError, match="limited permissions"):
        await bench.start.start(limited, StartRequest(actor, RunOptions(), b""))


def limited_identity() -> RunIdentity:
    return RunIdentity("k", NAMESPACE, "asking", "uid-of-asking", 1, PermissionLevel.LIMITED)


async def test_a_nul_is_no_failure_of_the_database(bench: RunBench) -> None:
    admit_all(bench)
    run_id = (await start(bench)).json()["data"]["id"]
    async with bench.client() as client:
        refused = [
            await client.get(address)
            for address in (
                "/v2/actor-runs/a%00b",
                "/v2/actors/quick/runs/last?origin=%00",
                "/v2/actor-runs?startedAfter=%00",
            )
        ]
        told = await client.put(f"/v2/actor-runs/{run_id}", json={"statusMessage": "a\0b"})

    assert [(one.status_code, one.json()["error"]["type"]) for one in refused] == [
        (404, "record-not-found"),
        (400, "invalid-value"),
        (400, "invalid-value"),
    ]
    assert (told.status_code, told.json()["data"]["statusMessage"]) == (200, "a\ufffdb")
