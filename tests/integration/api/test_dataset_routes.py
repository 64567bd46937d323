import gzip
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import msgspec
import pytest
from fastapi import Path, Request
from tests.support.datasets import DatasetWorld, dataset_world
from typing_extensions import override

from actor_operator.server.app import build_app
from actor_operator.server.gate import Gate, token_of
from actor_operator.server.routes.datasets import dataset_collection_routes, dataset_routes
from actor_operator.server.routing import Who
from actor_operator.services.access import StorageRef
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import NOBODY, Caller, Permission
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore


class OneToken(Gate):
    """A gate with one token."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @override
    async def admit(self, request: Request, needed: Permission) -> Caller:
        """Who asks."""
        caller = self._caller if token_of(request) == "right" else NOBODY
        if needed not in caller.permissions:
            raise ApiError("token-not-provided", "A token is needed.", status=401)
        return caller


@pytest.fixture
async def world(database: Database, objects: ObjectStore) -> DatasetWorld:
    return await dataset_world(database, objects)


@pytest.fixture
async def client(world: DatasetWorld) -> AsyncIterator[httpx.AsyncClient]:
    async def find(caller: Who, storage_id: Annotated[str, Path(alias="storageId")]) -> StorageRef:
        return StorageRef(
            world.caller.account, storage_id, caller, may_share=caller is world.caller
        )

    prefix = "/v2/datasets/{storageId}"
    app = build_app(
        OneToken(world.caller),
        [
            dataset_collection_routes(world.storages),
            dataset_routes(prefix, world.storages, world.datasets, find),
        ],
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://api",
        headers={"Authorization": "Bearer right"},
    ) as opened:
        yield opened


async def make(client: httpx.AsyncClient, *items: Any) -> str:
    answer = await client.post("/v2/datasets")
    assert answer.status_code == 201
    path = f"/v2/datasets/{answer.json()['data']['id']}"
    assert (await client.post(f"{path}/items", json=list(items))).status_code == 201
    return path


async def test_a_named_dataset_is_made_once_whatever_the_case_of_its_name(
    client: httpx.AsyncClient,
) -> None:
    made = await client.post("/v2/datasets?name=Shoes")
    found = await client.post("/v2/datasets", params={"name": "shoes"}, json={})
    assert (made.status_code, found.status_code) == (201, 200)
    assert made.json()["data"]["id"] == found.json()["data"]["id"]
    assert found.json()["data"]["name"] == "Shoes"


async def test_the_list_has_named_datasets_and_the_others_when_asked(
    client: httpx.AsyncClient,
) -> None:
    for name in ("a", "b", ""):
        await client.post("/v2/datasets", params={"name": name} if name else {})
    named = (await client.get("/v2/datasets?desc=1")).json()["data"]
    assert [item["name"] for item in named["items"]] == ["b", "a"]
    assert (named["total"], named["count"], named["desc"]) == (2, 2, True)
    every = (await client.get("/v2/datasets?unnamed=true&limit=1&offset=2")).json()["data"]
    assert (every["total"], every["count"], every["limit"]) == (3, 1, 1)
    assert every["items"][0]["name"] == every["items"][0]["id"]
    shared = (await client.get("/v2/datasets?ownership=sharedWithMe")).json()["data"]
    assert shared["items"] == []


async def test_a_dataset_is_changed_and_deleted(client: httpx.AsyncClient) -> None:
    path = await make(client, {"a": 1})
    await client.post("/v2/datasets?name=taken")
    changed = await client.put(path, json={"name": "mine", "generalAccess": "RESTRICTED"})
    assert (changed.status_code, changed.json()["data"]["name"]) == (200, "mine")
    taken = await client.put(path, json={"name": "Taken"})
    assert (taken.status_code, taken.json()["error"]["type"]) == (409, "name-not-unique")
    assert (await client.delete(path)).status_code == 204
    gone = await client.get(path)
    assert (gone.status_code, gone.json()["error"]["type"]) == (404, "record-not-found")
    assert (await client.post(f"{path}/items", json={})).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a b"},
        {"name": None},
        {"name": "-a"},
        {"generalAccess": "ALL"},
        [],
        {"title": 3},
        {"title": "a\0b"},
        {"schema": {"fields": {"type": "array"}}},
        {"schema": 3},
    ],
)
async def test_changes_that_cannot_be_are_refused(client: httpx.AsyncClient, body: Any) -> None:
    path = await make(client)
    assert (await client.put(path, json=body)).status_code == 400


async def test_items_come_as_a_bare_array_with_five_headers(client: httpx.AsyncClient) -> None:
    path = await make(client, {"n": 0}, {"n": 1}, {"n": 2})
    answer = await client.get(f"{path}/items?limit=2&desc=1")
    assert answer.json() == [{"n": 2}, {"n": 1}]
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    expected = {"total": "3", "offset": "0", "count": "2", "limit": "2", "desc": "true"}
    pagination = "x-apify-pagination-"
    found = {name: answer.headers[pagination + name] for name in expected}
    assert found == expected
    head = await client.head(f"{path}/items")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers[pagination + "limit"] == "999999999999"
    assert head.headers[pagination + "desc"] == "false"


async def test_options_have_the_names_of_apify(client: httpx.AsyncClient) -> None:
    path = await make(client, {"a": {"x": 1}, "l": [{"y": 1}, {"y": 2}], "#h": 1}, {"#h": 2})

    async def ask(**options: Any) -> Any:
        return (await client.get(f"{path}/items", params=options)).json()

    assert await ask(clean="1", omit="l") == [{"a": {"x": 1}}]
    assert await ask(skipHidden="true", fields="a") == [{"a": {"x": 1}}, {}]
    assert await ask(unwind="l", fields="y", skipEmpty=1) == [{"y": 1}, {"y": 2}]
    assert await ask(flatten="a", fields="a.x", limit=1) == [{"a.x": 1}]
    assert await ask(fields="#h", outputFields="hidden") == [{"hidden": 1}, {"hidden": 2}]
    assert await ask(offset=1, format="json", token="right") == [{"#h": 2}]


@pytest.mark.parametrize(
    ("options", "media_type", "content"),
    [
        ("format=jsonl", "application/x-ndjson; charset=utf-8", b'{"a":"<"}\n'),
        ("format=csv&bom=0", "text/csv; charset=utf-8", b"a\n<\n"),
        ("format=csv&skipHeaderRow=1", "text/csv; charset=utf-8", b"\xef\xbb\xbf<\n"),
        (
            "format=xml&xmlRoot=r&xmlRow=i",
            "application/xml; charset=utf-8",
            b'<?xml version="1.0" encoding="UTF-8"?>\n<r>\n<i><a>&lt;</a></i>\n</r>\n',
        ),
    ],
)
async def test_each_format_has_its_media_type(
    client: httpx.AsyncClient, options: str, media_type: str, content: bytes
) -> None:
    path = await make(client, {"a": "<"})
    answer = await client.get(f"{path}/items?{options}")
    assert (answer.headers["content-type"], answer.content) == (media_type, content)


@pytest.mark.parametrize(
    ("options", "saved"),
    [("", False), ("format=csv", False), ("attachment=1", True), ("format=html", True)],
)
async def test_what_a_browser_might_run_is_saved_and_not_shown(
    client: httpx.AsyncClient, options: str, *, saved: bool
) -> None:
    path = await make(client, {"a": 1})
    answer = await client.get(f"{path}/items?{options}")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers.get("content-disposition", "").startswith("attachment") is saved


@pytest.mark.parametrize(
    "options", ["format=pdf", "limit=-1", "offset=x", "view=any", "outputFields=a", "desc=maybe"]
)
async def test_options_that_cannot_be_are_refused(client: httpx.AsyncClient, options: str) -> None:
    path = await make(client)
    answer = await client.get(f"{path}/items?{options}")
    assert (answer.status_code, answer.json()["error"]["type"] != "") == (400, True)


async def test_items_are_appended_encoded_or_not(client: httpx.AsyncClient) -> None:
    path = await make(client)
    body = gzip.compress(b'[{"n":1},{"n":2}]')
    pushed = await client.post(f"{path}/items", content=body, headers={"Content-Encoding": "gzip"})
    assert (pushed.status_code, pushed.json()) == (201, {})
    assert (await client.get(f"{path}/items")).json() == [{"n": 1}, {"n": 2}]
    refused = await client.post(f"{path}/items", content=b"[3]")
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid-value")


async def test_a_long_answer_is_streamed_whole(client: httpx.AsyncClient) -> None:
    items = [{"n": number, "text": "x" * 100} for number in range(20_000)]
    path = await make(client, *items)
    async with client.stream("GET", f"{path}/items") as answer:
        assert "content-length" not in answer.headers
        assert msgspec.json.decode(await answer.aread()) == items


async def test_statistics_are_in_the_envelope(client: httpx.AsyncClient) -> None:
    path = await make(client, {"n": 1}, {"n": 3})
    answer = await client.get(f"{path}/statistics")
    found = answer.json()["data"]["fieldStatistics"]["n"]
    assert found == {"min": 1, "max": 3, "nullCount": 0, "emptyCount": 0}


async def test_who_is_not_the_owner_learns_no_key(client: httpx.AsyncClient) -> None:
    path = await make(client, {"a": 1})
    own = (await client.get(path)).json()["data"]
    shown = (await client.get(path, headers={"Authorization": ""})).json()["data"]
    assert own["urlSigningSecretKey"]
    assert own["itemsPublicUrl"].startswith("https://api.example.org/v2/datasets/")
    assert "urlSigningSecretKey" not in shown
    assert shown["itemsPublicUrl"] is None


async def test_the_openapi_document_names_every_option(client: httpx.AsyncClient) -> None:
    document = (await client.get("/v2/openapi.json")).json()
    items = document["paths"]["/v2/datasets/{storageId}/items"]["get"]
    named = {parameter["name"] for parameter in items["parameters"]}
    assert named >= {
        "storageId",
        "format",
        "outputFields",
        "skipFailedPages",
        "xmlRoot",
        "feedTitle",
    }
