"""What a run with limited permissions gets, and what it does not, where the table cannot say it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.integration.api.world import AUTHOR, OWNER, World, world_on

from actor_operator.desired.tokens import PermissionLevel
from actor_operator.log import configure

pytestmark = pytest.mark.asyncio(loop_scope="module")

KIND = "/v2/key-value-stores"


@dataclass
class Asking:
    """Clients of the owner, and of a run of somebody else's Actor in the same account."""

    owner: httpx.AsyncClient
    limited: httpx.AsyncClient
    write: httpx.AsyncClient


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    configure(level="ERROR")
    async with world_on("sqlite", tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(world: World) -> AsyncIterator[Asking]:
    write = await world.token(OWNER, "write")
    async with world.client(await world.token(OWNER)) as owner, world.client(write) as writer:
        run = must(
            await owner.post(
                f"/v2/actors/{AUTHOR}~public-endless/runs",
                json={"given": "given", "deeper": [{"store": f"{OWNER}~deeper"}]},
            )
        )
        token = world.token_of_run(run["id"], PermissionLevel.LIMITED)
        async with world.client(token) as limited:
            yield Asking(owner, limited, writer)


def must(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()["data"]


async def make(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    found: dict[str, Any] = must(await client.post(KIND, params={"name": name}))
    return found


async def test_it_does_not_get_a_storage_by_making_one_of_the_same_name(asking: Asking) -> None:
    secret = await make(asking.owner, "not-yours")
    for name in ("not-yours", "NOT-yours"):
        answer = await asking.limited.post(KIND, params={"name": name})
        assert answer.status_code == 403
        assert answer.json()["error"]["type"] == "insufficient-permissions"
        assert secret["id"] not in answer.text
        assert secret["urlSigningSecretKey"] not in answer.text


async def test_what_it_makes_is_its_own(asking: Asking) -> None:
    made = await make(asking.limited, "mine")
    assert made["urlSigningSecretKey"]
    assert (await make(asking.limited, "mine"))["urlSigningSecretKey"]
    path = f"{KIND}/{made['id']}"
    assert (await asking.limited.put(f"{path}/records/k", content=b"1")).status_code == 201
    assert must(await asking.limited.get(path))["urlSigningSecretKey"]
    assert (await asking.limited.delete(path)).status_code == 204


@pytest.mark.parametrize("name", ["given", "deeper"])
async def test_what_its_input_names_it_reads_but_does_not_change_nor_share(
    asking: Asking, name: str
) -> None:
    await make(asking.owner, name)
    assert (await asking.owner.put(f"{KIND}/~{name}/records/k", content=b"1")).status_code == 201
    by_name = await make(asking.limited, name)
    path = f"{KIND}/{by_name['id']}"
    shown = must(await asking.limited.get(path))
    for answer in (by_name, shown):
        assert "urlSigningSecretKey" not in answer
        assert answer["keysPublicUrl"] is None
    keys = must(await asking.limited.get(f"{path}/keys"))
    assert "signature" not in keys["items"][0]["recordPublicUrl"]
    assert (await asking.limited.get(f"{path}/records/k")).content == b"1"
    for method in ("PUT", "DELETE"):
        answer = await asking.limited.request(method, f"{path}/records/k", content=b"2")
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "record-not-found")


async def test_a_token_that_may_only_write_learns_no_key(asking: Asking) -> None:
    made = await make(asking.write, "written")
    assert "urlSigningSecretKey" not in made
    changed = must(await asking.write.put(f"{KIND}/{made['id']}", json={"title": "T"}))
    assert "urlSigningSecretKey" not in changed
    assert changed["keysPublicUrl"] is None


async def test_a_wrong_signature_does_not_tell_whether_there_is_something(
    world: World, asking: Asking
) -> None:
    there = (await make(asking.owner, "signed"))["id"]
    async with world.client() as nobody:
        answers = [
            await nobody.get(f"{KIND}/{storage}/keys", params={"signature": "wrong"})
            for storage in (there, "z0z0z0z0z0z0z0z0z")
        ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text == answers[1].text


async def test_a_signed_link_works_whoever_follows_it(world: World, asking: Asking) -> None:
    link = (await make(asking.owner, "linked"))["keysPublicUrl"]
    assert link.startswith(world.url)
    async with world.client() as nobody:
        assert (await nobody.get(link)).status_code == 200
    assert (await asking.limited.get(link)).status_code == 200
    assert (await asking.write.get(link)).status_code == 200


async def test_a_shared_run_shows_itself_and_nothing_of_its_storages(
    world: World, asking: Asking
) -> None:
    run = must(await asking.owner.post("/v2/actors/endless/runs"))
    path = f"/v2/actor-runs/{run['id']}"
    must(await asking.owner.put(path, json={"generalAccess": "ANYONE_WITH_ID_CAN_READ"}))
    async with world.client() as nobody:
        assert must(await nobody.get(path))["id"] == run["id"]
        for below in ("dataset/items", "key-value-store/records/INPUT", "request-queue/head"):
            answer = await nobody.get(f"{path}/{below}")
            assert (answer.status_code, answer.json()["error"]["type"]) == (404, "record-not-found")
        assert (await nobody.post(f"{path}/abort")).status_code == 401
