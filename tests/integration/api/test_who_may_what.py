"""Every route asked by everybody: who may, and what an outsider finds."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.integration.api.access_table import Cell, Outcome, Who, routes_of, table
from tests.integration.api.world import AUTHOR, EVERY_SCOPE, OWNER, STRANGER, World, until, world_on

from actor_operator.desired.names import ids_of
from actor_operator.desired.tokens import PermissionLevel
from actor_operator.log import configure
from actor_operator.services.queue_requests import request_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACTOR = "hidden-actor"
VARIABLE = "HIDDEN_VARIABLE"
RECORD = "HIDDEN-RECORD"
CONTENT = "hidden-content"
MESSAGE = "hidden-message"
REQUEST = request_id(CONTENT)
NOWHERE = "z0z0z0z0z0z0z0z0z"
"""An id that nothing has."""

WITHOUT = {Who.NOBODY: "", Who.GARBAGE: "apify_api_thisIsNoTokenOfAnybody"}
"""Tokens of those who have none."""

SCOPES: dict[Who, tuple[str, ...]] = {
    Who.READ: ("read",),
    Who.WRITE: ("write",),
    Who.RUN: ("run",),
    Who.ADMIN: ("admin",),
    Who.OWNER: EVERY_SCOPE,
}

LATER = {Who.ENDED: timedelta(seconds=20), Who.LONG_ENDED: timedelta(seconds=120)}
"""How long ago the run of a token has ended when it asks."""

DENIED = {
    "token-not-provided": Outcome.UNKNOWN,
    "user-or-token-not-found": Outcome.UNKNOWN,
    "insufficient-permissions": Outcome.FORBIDDEN,
    "record-not-found": Outcome.MISSING,
}
"""What the types of errors say about rights; any other answer is that of somebody who may."""

OF_HEAD = {401: Outcome.UNKNOWN, 403: Outcome.FORBIDDEN, 404: Outcome.MISSING}
"""The same for answers without a body."""


@dataclass
class Target:
    """What is asked for.

    Parameters
    ----------
    run, actor
        Id of a run, and its Actor.
    storages
        Ids of storages with names, by kind of path.
    build
        Id of the build of the Actor.
    """

    run: str
    actor: str
    build: str
    storages: dict[str, str] = field(default_factory=dict)

    def values(self, path: str) -> dict[str, str]:
        """What stands in the place of each name in a path."""
        kind = path.split("/")[2]
        return {
            "actorId": self.actor,
            "runId": self.run,
            "buildOrRunId": self.run,
            "storageId": self.storages.get(kind, ""),
            "buildId": self.build,
            "versionNumber": "1.0",
            "envVarName": VARIABLE,
            "recordKey": RECORD,
            "requestId": REQUEST,
            "userId": OWNER,
        }

    @property
    def words(self) -> set[str]:
        """What nobody may find in an answer who may not see the target."""
        known = ids_of(self.run)
        of_run = {known.run, known.dataset, known.key_value_store, known.request_queue}
        hidden = {RECORD, CONTENT, MESSAGE, REQUEST, VARIABLE}
        return of_run | hidden | {ACTOR, self.build, *self.storages.values()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    configure(level="WARNING")
    async with world_on("sqlite", tmp_path_factory.mktemp("world")) as world:
        variables = [{"name": VARIABLE, "value": CONTENT}]
        image = {"image": "registry.example/endless:1"}
        world.make_actor(ACTOR, build=image, env=variables)
        world.make_actor("endless-for-all", AUTHOR, build=image, env=variables, isPublic=True)
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client(await world.token(OWNER)) as client:
        yield client


async def test_every_route_is_in_the_table_and_the_table_has_no_other(world: World) -> None:
    assert sorted(routes_of(world.application)) == sorted(table())


@pytest.mark.parametrize("who", Who)
async def test_everybody_may_what_the_table_says(
    world: World, owner: httpx.AsyncClient, who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = await make_target(owner, limited=who is Who.LIMITED_OWN)
    token = await token_for(world, owner, who, target)
    if who in LATER:
        later = datetime.now(tz=UTC) + LATER[who]
        monkeypatch.setattr(world.api.authentication, "_now", lambda: later)
    wrong: list[str] = []
    async with world.client(token) as client:
        for cell in in_order(table().values()):
            wrong += await look_at(cell, who, client, owner, target)
    assert not wrong, "\n".join(wrong)


async def look_at(
    cell: Cell, who: Who, client: httpx.AsyncClient, owner: httpx.AsyncClient, target: Target
) -> list[str]:
    """What is wrong with a cell."""
    expected = cell.outcome(who)
    if expected is Outcome.ALLOWED:
        await fill(owner, cell.path, target)
    answer = await ask(client, cell, target, tries=expected is Outcome.ALLOWED)
    found = outcome(answer)
    if found is not expected:
        return [f"{who}: {cell.key} is {found}, not {expected}: {shown(answer)}"]
    if answer.status_code >= 500:
        return [f"{who}: {cell.key} fails: {shown(answer)}"]
    wrong = []
    if expected is Outcome.MISSING and not cell.is_twin:
        missing = await ask(client, cell, nowhere(target, keeps_actor=cell.shows_actor(who)))
        if shown(missing) != shown(answer):
            wrong.append(f"{who}: {cell.key}: {shown(answer)} is not {shown(missing)}")
    if expected is not Outcome.ALLOWED or who is Who.STRANGER:
        leaked = [word for word in target.words if word in shown(answer)]
        wrong += [f"{who}: {cell.key} tells {word}: {shown(answer)}" for word in leaked]
    return wrong


async def ask(
    client: httpx.AsyncClient, cell: Cell, target: Target, *, tries: bool = False
) -> httpx.Response:
    """Send the request of a cell."""
    values = target.values(cell.path)
    path = re.sub(r"\{(\w+)\}", lambda name: values.get(name[1], NOWHERE), cell.path)
    # A start that is let in would wait for the end of an endless run; this one is not possible.
    params = {"memory": 3} if tries and "run-sync" in path else {}
    body = None if cell.method in {"GET", "HEAD"} else b"{}"
    headers = {"Content-Type": "application/json"} if body else {}
    return await client.request(cell.method, path, params=params, content=body, headers=headers)


def outcome(answer: httpx.Response) -> Outcome:
    """What an answer says about rights."""
    if answer.request.method == "HEAD":
        return OF_HEAD.get(answer.status_code, Outcome.ALLOWED)
    if answer.status_code < 400:
        return Outcome.ALLOWED
    return DENIED.get(answer.json()["error"]["type"], Outcome.ALLOWED)


def shown(answer: httpx.Response) -> str:
    """All that an outsider sees of an answer."""
    headers = sorted((name, text) for name, text in answer.headers.items() if name != "date")
    return f"{answer.status_code} {headers} {answer.text}"


def in_order(cells: Any) -> list[Cell]:
    """Cells in an order in which none takes away what the next one needs."""
    methods = ("GET", "HEAD", "PUT", "POST", "DELETE")
    last = ("metamorph", "reboot", "resurrect", "abort")

    def key(cell: Cell) -> tuple[int, int, int]:
        end = cell.path.rpartition("/")[2]
        after = last.index(end) + 1 if end in last and "builds" not in cell.path else 0
        return after, methods.index(cell.method), -len(cell.path)

    return sorted(cells, key=key)


# What is there


async def make_target(owner: httpx.AsyncClient, *, limited: bool) -> Target:
    """A run, and a storage of each kind with a name."""
    actor = f"{AUTHOR}~endless-for-all" if limited else f"{OWNER}~{ACTOR}"
    run = must(await owner.post(f"/v2/actors/{actor}/runs"))
    message = {"statusMessage": MESSAGE}
    must(await owner.put(f"/v2/actor-runs/{run['id']}", json=message))
    storages = {
        kind: must(await owner.post(f"/v2/{kind}", params={"name": f"hidden-{run['id']}"}))["id"]
        for kind in ("key-value-stores", "datasets", "request-queues")
    }
    return Target(run["id"], actor, run["buildId"], storages)


async def fill(owner: httpx.AsyncClient, path: str, target: Target) -> None:
    """Make the record or the request that is asked for, wherever a path looks for it."""
    values = target.values(path)
    place = re.sub(r"\{(\w+)\}", lambda name: values.get(name[1], NOWHERE), path)
    if "{storageId}" in path:
        kind = path.split("/")[2]
        again = {"name": f"hidden-{target.run}"}
        target.storages[kind] = must(await owner.post(f"/v2/{kind}", params=again))["id"]
        place = place.replace(values["storageId"], target.storages[kind])
    if "{recordKey}" in path:
        answer = await owner.put(place, content=CONTENT)
        assert answer.is_success, answer.text
    if "{requestId}" in path:
        place = place.removesuffix("/lock")
        request = {"id": REQUEST, "url": f"http://{CONTENT}", "uniqueKey": CONTENT}
        must(await owner.put(place, json=request))


def nowhere(target: Target, *, keeps_actor: bool) -> Target:
    """A target that is not there; the Actor may be, if it is to be seen."""
    return Target(
        NOWHERE,
        target.actor if keeps_actor else f"{OWNER}~no-such-actor",
        NOWHERE,
        dict.fromkeys(target.storages, NOWHERE),
    )


def must(answer: httpx.Response) -> Any:
    """What an answer says that must be one."""
    assert answer.is_success, f"{answer.request.url}: {answer.text}"
    return answer.json()["data"]


# Who asks


async def token_for(world: World, owner: httpx.AsyncClient, who: Who, target: Target) -> str:
    """A token of somebody."""
    if who in WITHOUT:
        return WITHOUT[who]
    if who in SCOPES:
        return await world.token(OWNER, *SCOPES[who])
    if who is Who.LIMITED_OWN:
        return world.token_of_run(target.run, PermissionLevel.LIMITED)
    if who in {Who.STRANGER, Who.EXPIRED, Who.REVOKED}:
        return await token_of_account(world, who)
    return await token_of_other(world, owner, who)


async def token_of_account(world: World, who: Who) -> str:
    """A token of a stranger, or one that was the owner's."""
    if who is Who.STRANGER:
        return await world.token(STRANGER)
    if who is Who.EXPIRED:
        return await world.token(OWNER, lasts=timedelta(seconds=-1))
    token = await world.token(OWNER, name="revoked")
    await world.revoke("revoked", token)
    return token


async def token_of_other(world: World, owner: httpx.AsyncClient, who: Who) -> str:
    """A token of a run that is not asked about."""
    name = must(await owner.post(f"/v2/actors/{OWNER}~endless/runs"))["id"]
    level = PermissionLevel.LIMITED if who is Who.LIMITED_OTHER else PermissionLevel.FULL
    token = world.token_of_run(name, level)
    if who in {Who.ENDED, Who.LONG_ENDED, Who.EARLIER}:
        must(await owner.post(f"/v2/actor-runs/{name}/abort"))
        must(await owner.get(f"/v2/actor-runs/{name}", params={"waitForFinish": 60}))
    if who is Who.EARLIER:
        must(await owner.post(f"/v2/actor-runs/{name}/resurrect"))
        await until("the first attempt's token is over", lambda: unknown(world, token))
    return token


async def unknown(world: World, token: str) -> bool:
    return not await world.knows(token)
