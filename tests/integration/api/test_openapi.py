"""The OpenAPI document, and whether the server keeps to it."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.integration.api.fuzzing import Fuzzer
from tests.integration.api.world import OWNER, World, world_on

from actor_operator.log import configure

pytestmark = pytest.mark.asyncio(loop_scope="module")

CASES = int(os.environ.get("CASES", "60"))
"""Requests for each chapter of the document; `make api-fuzz` sends more."""

TAGS = (
    "Actors",
    "Builds",
    "Datasets",
    "Key-value stores",
    "Logs",
    "Not supported",
    "Request queues",
    "Runs",
    "Runs of an Actor",
    "Store",
    "Users",
)
"""Chapters of the document."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    configure(level="ERROR")
    async with world_on("sqlite", tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fuzzer(world: World) -> Fuzzer:
    token, actor = await world.token(OWNER), f"{OWNER}~quick"
    async with world.client(token) as client:
        run = (await client.post(f"/v2/actors/{actor}/runs?waitForFinish=60")).json()["data"]
    return Fuzzer(world.url, token, world.application.openapi(), actor, run["id"])


async def test_every_operation_has_a_name_of_its_own(world: World) -> None:
    paths = world.application.openapi()["paths"].values()
    names = Counter(operation["operationId"] for path in paths for operation in path.values())
    assert [name for name, count in names.items() if count > 1] == []


async def test_every_chapter_is_tried(world: World) -> None:
    paths = world.application.openapi()["paths"].values()
    assert {tag for path in paths for item in path.values() for tag in item["tags"]} == set(TAGS)


@pytest.mark.timeout(3600)
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # Schemathesis does
@pytest.mark.parametrize("tag", TAGS)
async def test_answers_are_as_the_document_says_and_nothing_fails(fuzzer: Fuzzer, tag: str) -> None:
    wrong = await asyncio.to_thread(fuzzer.fuzz, tag, CASES)
    assert not wrong, "\n\n".join(wrong)
