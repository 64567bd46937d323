"""Actors, versions and builds over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.integration.api.run_bench import NAMESPACE, RunBench, run_bench, until
from tests.support.apiserver import ApiServer

from actor_operator.services.actor_directory import build_id
from actor_operator.services.identity import Permission
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore

OTHERS = "actor-operator-system"
"""The namespace of somebody else."""

ACTOR_FIELDS = {
    "id", "userId", "name", "username", "isPublic", "createdAt", "modifiedAt", "stats", "versions",
    "defaultRunOptions", "taggedBuilds",
}  # fmt: skip
BUILD_FIELDS = {"id", "actId", "userId", "startedAt", "status", "meta", "buildNumber"}


@pytest.fixture
def backend() -> str:
    """The tests of this file are of Actors, not of databases."""
    return "sqlite"


@pytest.fixture
async def bench(
    server: ApiServer, database: Database, objects: ObjectStore
) -> AsyncIterator[RunBench]:
    """A bench with Actors of two namespaces."""
    secret = {"name": "KEY", "secretKeyRef": {"name": "secrets", "key": "key"}}
    make(server, "mine", env=[{"name": "COLOUR", "value": "red"}, secret], title="My own")
    make(server, "public", OTHERS, isPublic=True, env=[{"name": "COLOUR", "value": "blue"}])
    make(server, "private", OTHERS)
    async with run_bench(server, database, objects) as bench:
        yield bench


@pytest.fixture
async def client(bench: RunBench) -> AsyncIterator[httpx.AsyncClient]:
    async with bench.client() as client:
        yield client


def make(server: ApiServer, name: str, namespace: str = NAMESPACE, **spec: Any) -> None:
    builds = [
        {"number": number, "image": f"registry.example/{name}:{number}"}
        for number in ("1.0.1", "1.0.10", "1.1.2")
    ]
    body = {"builds": builds, "taggedBuilds": {"latest": "1.0.10", "beta": "1.1.2"}, **spec}
    server.create("actors", {"metadata": {"name": name, "namespace": namespace}, "spec": body})


async def get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize("prefix", ["/v2/actors", "/v2/acts"])
async def test_an_actor_is_found_by_each_of_its_names(
    client: httpx.AsyncClient, prefix: str
) -> None:
    actor = await get(client, f"{prefix}/mine")
    assert set(actor) >= ACTOR_FIELDS
    for name in (actor["id"], "MINE", f"{NAMESPACE}~mine", "me~mine"):
        assert (await get(client, f"{prefix}/{name}"))["id"] == actor["id"], name


async def test_a_public_actor_of_others_is_seen_without_what_is_private(
    client: httpx.AsyncClient,
) -> None:
    found = await get(client, f"/v2/actors/{OTHERS}~public")
    assert found["username"] == OTHERS
    assert (await get(client, f"/v2/actors/{found['id']}"))["name"] == "public"
    assert all(version["envVars"] == [] for version in found["versions"])
    for path in (f"{OTHERS}~private", "private", "public", "a" * 17, "none~none"):
        answer = await client.get(f"/v2/actors/{path}")
        assert answer.status_code == 404
        assert answer.json()["error"]["type"] == "record-not-found"


async def test_the_list_has_the_accounts_own_actors(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    make(bench.server, "second")

    async def both() -> bool:
        return bool((await get(client, "/v2/actors"))["total"] == 2)

    await until("both are seen", both)
    page = await get(client, "/v2/actors?limit=1&desc=1")
    assert (page["total"], page["count"], len(page["items"])) == (2, 1, 1)


async def test_an_actor_keeps_its_id_when_it_is_made_anew(
    client: httpx.AsyncClient, bench: RunBench
) -> None:
    before = await get(client, "/v2/actors/mine")
    bench.server.delete("actors", NAMESPACE, "mine")
    make(bench.server, "mine")

    async def is_new() -> bool:
        answer = await client.get("/v2/actors/mine")
        return answer.status_code == 200 and answer.json()["data"]["title"] == "mine"

    await until("the new one is seen", is_new)
    assert (await get(client, "/v2/actors/mine"))["id"] == before["id"]


async def test_a_build_has_a_log_that_tells_where_it_is(client: httpx.AsyncClient) -> None:
    (build, *_) = (await get(client, "/v2/actors/mine/builds"))["items"]
    log = await client.get(f"/v2/actor-builds/{build['id']}/log?stream=1")
    assert log.headers["content-type"] == "text/plain; charset=utf-8"
    first = f"{build['startedAt']} ACTOR: Build 1.0.1 of {NAMESPACE}/mine is the image"
    assert log.text.startswith(f"{first} registry.example/mine:1.0.1.\n")
    same = await client.get(f"/v2/logs/{build['id']}?download=1")
    assert same.text == log.text
    assert same.headers["content-disposition"] == f'attachment; filename="{build["id"]}.log"'


async def test_nobody_else_is_told_where_the_images_of_an_actor_are(
    client: httpx.AsyncClient,
) -> None:
    (build, *_) = (await get(client, f"/v2/actors/{OTHERS}~public/builds"))["items"]
    log = await client.get(f"/v2/actor-builds/{build['id']}/log")
    assert log.status_code == 200
    assert "registry.example" not in log.text


async def test_a_build_has_an_openapi_document(client: httpx.AsyncClient) -> None:
    (build, *_) = (await get(client, "/v2/actors/mine/builds"))["items"]
    document = (await client.get(f"/v2/actor-builds/{build['id']}/openapi.json")).json()
    assert document["info"]["x-build-id"] == build["id"]
    assert document["servers"] == [{"url": "http://api.test/v2"}]
    for path in document["paths"]:
        assert path.startswith(f"/acts/{NAMESPACE}~mine/")
    by_actor = await client.get(f"/v2/actors/mine/builds/{build['id']}/openapi.json")
    assert by_actor.json() == document
    default = (await client.get("/v2/actors/mine/builds/default/openapi.json")).json()
    assert default["info"]["version"] == "1.0"
    assert default["info"]["x-build-id"] != build["id"]


@pytest.mark.parametrize("what", ["log", "openapi.json"])
async def test_a_build_that_one_may_not_see_has_nothing(
    client: httpx.AsyncClient, bench: RunBench, what: str
) -> None:
    private = bench.parts.actors.named(f"{OTHERS}/private")
    assert private is not None
    hidden = build_id(private.uid, "1.0.1")
    for found in (hidden, "a" * 17):
        answer = await client.get(f"/v2/actor-builds/{found}/{what}")
        assert answer.json()["error"]["type"] == "record-not-found"
    assert (await client.get(f"/v2/logs/{hidden}")).status_code == 404


async def test_builds_are_listed_by_number_and_found_by_id(client: httpx.AsyncClient) -> None:
    listed = (await get(client, "/v2/actors/mine/builds"))["items"]
    assert [build["buildNumber"] for build in listed] == ["1.0.1", "1.0.10", "1.1.2"]
    assert [build["buildNumberInt"] for build in listed] == [10000001, 10000010, 10100002]
    for build in listed:
        for path in (f"/v2/actor-builds/{build['id']}", f"/v2/actors/mine/builds/{build['id']}"):
            found = await get(client, path)
            assert set(found) >= BUILD_FIELDS
            assert found["buildNumber"] == build["buildNumber"]
    assert (await get(client, "/v2/actors/mine/builds/default"))["buildNumber"] == "1.0.10"
    tagged = (await get(client, "/v2/actors/mine"))["taggedBuilds"]
    assert tagged["beta"]["buildId"] == listed[2]["id"]
    assert (await get(client, "/v2/actor-builds?desc=1&limit=1"))["total"] == 3
    assert (await client.get(f"/v2/actor-builds/{'a' * 17}")).status_code == 404


async def test_versions_show_variables_but_no_secrets(client: httpx.AsyncClient) -> None:
    versions = await get(client, "/v2/actors/mine/versions")
    assert [version["versionNumber"] for version in versions["items"]] == ["1.0", "1.1"]
    variables = await get(client, "/v2/actors/mine/versions/1.0/env-vars")
    assert variables["items"] == [
        {"name": "COLOUR", "value": "red", "isSecret": False},
        {"name": "KEY", "isSecret": True},
    ]
    one = await get(client, "/v2/actors/mine/versions/1.1/env-vars/COLOUR")
    assert one["value"] == "red"
    assert (await client.get("/v2/actors/mine/versions/9.9")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/actors"),
        ("PUT", "/v2/actors/mine"),
        ("DELETE", "/v2/acts/mine"),
        ("POST", "/v2/actors/mine/builds"),
        ("POST", "/v2/actors/mine/versions"),
        ("PUT", "/v2/actors/mine/versions/1.0/env-vars/A"),
        ("DELETE", f"/v2/actor-builds/{'a' * 17}"),
        ("POST", f"/v2/actor-builds/{'a' * 17}/abort"),
    ],
)
async def test_what_is_not_supported_says_so(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, path, json={} if method != "GET" else None)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid-request")
    assert "not supported" in answer.text


async def test_an_actor_has_no_webhooks(client: httpx.AsyncClient) -> None:
    assert (await get(client, "/v2/actors/mine/webhooks"))["total"] == 0


async def test_many_who_ask_at_once_get_the_same_ids(
    bench: RunBench, client: httpx.AsyncClient
) -> None:
    bench.gate.callers["other"] = await bench.caller(OTHERS, [Permission.READ])
    async with bench.client("other") as other:
        answers = await asyncio.gather(
            *(get(client, f"/v2/actors/{OTHERS}~public") for _ in range(5)),
            *(get(other, "/v2/actors/public") for _ in range(5)),
        )
    assert len({answer["id"] for answer in answers}) == 1
