"""The sockets of actors, over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from tests.support.builders import KEYRING, RUN_UID, a_pod, a_run, a_status
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import RunStatus, RunView
from actor_operator.clock import SystemClock
from actor_operator.desired.tokens import events_path
from actor_operator.kube.errors import UnreachableError
from actor_operator.server.events import MAX_SOCKETS, ROUTE, EventSockets
from actor_operator.services.run_watch import RunHub, pod_store, run_store
from actor_operator.services.system_info import SystemInfo

RUNNING = a_status(started=2)
ENDED = a_status(started=2, end=Phase.SUCCEEDED)
MOST = 10
"""Sockets that the server takes."""

PATH = events_path(KEYRING, uid=RUN_UID, attempt=1)


def at_version(number: int, status: RunStatus, **fields: Any) -> RunView:
    run = a_run(status=status, **fields)
    metadata = msgspec.structs.replace(run.metadata, resource_version=str(number))
    return msgspec.structs.replace(run, metadata=metadata)


class World:
    """A server of sockets and what it knows."""

    def __init__(self) -> None:
        self.runs, self.pods = run_store(), pod_store()
        self.hub = RunHub(self.runs, self.pods)
        self.live: RunView | Exception | None = None
        self.asked = 0
        info = SystemInfo(self.hub, None)
        self.sockets = EventSockets(KEYRING, self.hub, self, info, SystemClock(), MOST)
        self.url = ""

    async def read(self, uid: str) -> RunView | None:
        assert uid == RUN_UID
        self.asked += 1
        if isinstance(self.live, Exception):
            raise self.live
        return self.live

    @asynccontextmanager
    async def connected(self, path: str = PATH) -> AsyncIterator[ClientConnection]:
        async with connect(self.url + path) as socket:
            yield socket


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    app = Starlette(routes=[WebSocketRoute(ROUTE, world.sockets.serve)])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
        await asyncio.sleep(0.01)
    world.url = f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield world
    server.should_exit = True
    await task


async def frames(socket: ClientConnection, count: int) -> list[str]:
    """The names of the next frames, without those that come each second."""
    found: list[str] = []
    while len(found) < count:
        name = json.loads(await socket.recv())["name"]
        if name != "systemInfo":
            found.append(name)
    return found


async def close_code(socket: ClientConnection) -> int | None:
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def test_a_running_actor_gets_complete_numbers_each_second(world: World) -> None:
    world.runs.apply(at_version(1, RUNNING))
    async with world.connected() as socket:
        first, second = json.loads(await socket.recv()), json.loads(await socket.recv())
    assert first["name"] == second["name"] == "systemInfo"
    assert first["createdAt"] < second["createdAt"]
    assert len(first["data"]) == 8
    assert first["data"]["memMaxBytes"] == 1024 * 1024 * 1024
    assert world.asked == 0


async def test_what_happens_is_told_when_it_happens_and_the_end_closes_normally(
    world: World,
) -> None:
    world.runs.apply(at_version(1, RUNNING))
    async with world.connected() as socket:
        await socket.recv()
        world.pods.apply(a_pod(running=2, deleted=10))
        assert await frames(socket, 1) == ["migrating"]
        aborting = a_status(started=2, stop=Reason.ABORT_GRACEFUL)
        world.runs.apply(at_version(2, aborting, abort="Graceful"))
        assert await frames(socket, 2) == ["aborting", "persistState"]
        world.runs.apply(at_version(3, ENDED))
        assert await close_code(socket) == 1000


async def test_who_connects_late_is_told_what_is_true_already(world: World) -> None:
    world.runs.apply(
        at_version(1, a_status(started=2, stop=Reason.ABORT_GRACEFUL), abort="Graceful")
    )
    async with world.connected() as socket:
        assert await frames(socket, 2) == ["aborting", "persistState"]


@pytest.mark.parametrize("path", ["/events/x", "/events/a/b", PATH[:-1] + "?", PATH + "x"])
async def test_a_path_that_is_not_ours_is_accepted_and_closed_with_1008(
    world: World, path: str
) -> None:
    world.runs.apply(at_version(1, RUNNING))
    async with world.connected(path) as socket:
        assert await close_code(socket) == 1008


async def test_an_unknown_or_ended_run_is_closed_with_1008_after_a_live_look(
    world: World,
) -> None:
    async with world.connected() as socket:
        assert await close_code(socket) == 1008
    world.live = at_version(5, ENDED)
    world.runs.apply(world.live)
    async with world.connected() as socket:
        assert await close_code(socket) == 1008
    assert world.asked == 2


async def test_a_run_that_only_a_live_look_knows_is_served_and_ended_by_the_watch(
    world: World,
) -> None:
    world.live = at_version(5, RUNNING)
    async with world.connected() as socket:
        assert json.loads(await socket.recv())["name"] == "systemInfo"
        world.runs.apply(at_version(6, ENDED))
        assert await close_code(socket) == 1000


async def test_an_old_end_that_the_watch_knows_does_not_close_the_next_attempt(
    world: World,
) -> None:
    world.runs.apply(at_version(5, ENDED))
    world.live = at_version(7, msgspec.structs.replace(RUNNING, attempt=2))
    path = events_path(KEYRING, uid=RUN_UID, attempt=2)
    async with world.connected(path) as socket:
        assert json.loads(await socket.recv())["name"] == "systemInfo"
        world.runs.apply(at_version(6, ENDED))
        assert json.loads(await socket.recv())["name"] == "systemInfo"
        ended = msgspec.structs.replace(ENDED, attempt=2)
        world.runs.apply(at_version(8, ended))
        assert await close_code(socket) == 1000


async def test_while_kubernetes_does_not_answer_a_valid_path_stays_open(world: World) -> None:
    world.live = UnreachableError("silence")
    async with world.connected() as socket:
        world.runs.apply(at_version(1, RUNNING))
        assert json.loads(await socket.recv())["name"] == "systemInfo"


async def test_a_run_that_is_deleted_ends_its_sockets(world: World) -> None:
    world.runs.apply(at_version(1, RUNNING))
    async with world.connected() as socket:
        await socket.recv()
        world.runs.remove("team", "hello", RUN_UID)
        assert await close_code(socket) == 1000


async def test_the_ninth_socket_is_closed_and_a_place_becomes_free_again(world: World) -> None:
    world.runs.apply(at_version(1, RUNNING))
    sockets = [await connect(world.url + PATH) for _ in range(MAX_SOCKETS)]
    for socket in sockets:
        await socket.recv()
    async with world.connected() as ninth:
        assert await close_code(ninth) == 1008
    assert world.sockets.count == MAX_SOCKETS
    for socket in sockets:
        await socket.close()
    while world.sockets.count:  # noqa: ASYNC110 -- the server notices the closing by itself
        await asyncio.sleep(0.01)
    async with world.connected() as again:
        assert json.loads(await again.recv())["name"] == "systemInfo"


async def test_a_process_that_is_full_sends_sdks_away_for_a_while(world: World) -> None:
    world.runs.apply(at_version(1, RUNNING))
    world.live = at_version(1, RUNNING)
    others = [events_path(KEYRING, uid=RUN_UID, attempt=number) for number in (2, 3)]
    assert MOST > MAX_SOCKETS
    world.sockets._open["another"] = MOST - 1
    async with world.connected() as last:
        await last.recv()
        assert world.sockets.count == MOST
        for path in (PATH, *others):
            async with world.connected(path) as refused:
                assert await close_code(refused) == 1013
    while world.sockets.count == MOST:  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0.01)
    async with world.connected() as again:
        assert json.loads(await again.recv())["name"] == "systemInfo"


async def test_what_clients_send_is_ignored(world: World) -> None:
    world.runs.apply(at_version(1, RUNNING))
    async with world.connected() as socket:
        await socket.send("hello")
        await socket.send(b"\xff")
        names = [json.loads(await socket.recv())["name"] for _ in range(2)]
    assert names == ["systemInfo", "systemInfo"]
