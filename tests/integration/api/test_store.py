"""The store over HTTP: public Actors of all namespaces."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.api.world import AUTHOR, OWNER, STRANGER, World, open_world
from tests.support.apiserver import ApiServer

from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore


@pytest.fixture
def backend() -> str:
    """The tests of this file are of Actors, not of databases."""
    return "sqlite"


@pytest.fixture
async def world(
    server: ApiServer, database: Database, objects: ObjectStore, tmp_path: Path
) -> AsyncIterator[World]:
    """The API server; an author has public Actors, some with texts."""
    async with open_world(server, database, objects, tmp_path) as world:
        texts = {"title": "Reads news", "description": "Of the WHOLE world."}
        world.make_actor("news", STRANGER, isPublic=True, **texts)
        world.make_actor("secret-news", STRANGER)
        yield world


async def listed(world: World, **params: Any) -> dict[str, Any]:
    """A page of the store, as the account OWNER sees it."""
    async with world.client(await world.token(OWNER, "read")) as client:
        answer = await client.get("/v2/store", params=params)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()["data"]
    return page


def names(page: dict[str, Any]) -> list[str]:
    return [f"{item['username']}/{item['name']}" for item in page["items"]]


async def test_the_store_has_public_actors_of_all_accounts_and_no_others(world: World) -> None:
    page = await listed(world)

    assert f"{STRANGER}/news" in names(page)
    assert f"{AUTHOR}/public-quick" in names(page)
    assert all(name.startswith((STRANGER, f"{AUTHOR}/public-")) for name in names(page))
    assert f"{STRANGER}/secret-news" not in names(page)
    assert page["total"] == page["count"] == len(page["items"])


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"search": "NEWS whole"}, [f"{STRANGER}/news"]),
        ({"search": "news nothing"}, []),
        ({"search": "public-quick"}, [f"{AUTHOR}/public-quick"]),
        ({"username": STRANGER}, [f"{STRANGER}/news"]),
        ({"username": OWNER}, []),
        ({"category": "AI"}, []),
        ({"pricingModel": "PAY_PER_EVENT"}, []),
        ({"pricingModel": "FREE", "search": "news"}, [f"{STRANGER}/news"]),
    ],
)
async def test_actors_are_found_by_words_and_owner(
    world: World, params: dict[str, str], found: list[str]
) -> None:
    page = await listed(world, **params)

    assert names(page) == found
    assert page["total"] == len(found)


async def test_pages_follow_each_other(world: World) -> None:
    whole = names(await listed(world))

    first = await listed(world, limit=2)
    second = await listed(world, limit=2, offset=2)

    assert names(first) + names(second) == whole[:4]
    assert first["total"] == len(whole)


async def test_an_actor_of_the_store_can_be_run_by_its_id(world: World) -> None:
    async with world.client(await world.token(OWNER)) as client:
        found = (await client.get("/v2/store", params={"search": "public-quick"})).json()
        (item,) = found["data"]["items"]
        run = await client.post(f"/v2/actors/{item['id']}/runs")

    assert run.status_code == 201
    assert run.json()["data"]["actId"] == item["id"]


async def test_apifys_client_reads_the_store(world: World) -> None:
    client = world.apify(await world.token(OWNER))

    page = await client.store().list(search="news")

    assert [item.name for item in page.items] == ["news"]


async def test_the_store_is_not_shown_to_nobody(world: World) -> None:
    async with world.client() as client:
        assert (await client.get("/v2/store")).status_code == 401


async def test_another_form_of_the_answer_is_refused(world: World) -> None:
    async with world.client(await world.token(OWNER)) as client:
        answer = await client.get("/v2/store", params={"responseFormat": "agent"})

    assert answer.status_code == 400
    assert "not supported" in answer.json()["error"]["message"]
