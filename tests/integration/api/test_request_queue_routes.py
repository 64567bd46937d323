"""Request queues over HTTP."""

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import msgspec
import pytest
from fastapi import Path, Request
from typing_extensions import override

from actor_operator.desired.tokens import PermissionLevel, RunIdentity
from actor_operator.server.app import build_app
from actor_operator.server.gate import Gate, token_of
from actor_operator.server.routes.request_queues import (
    request_queue_collection_routes,
    request_queue_routes,
)
from actor_operator.server.routing import Who
from actor_operator.services.access import StorageRef
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import NOBODY, OF_RUNS, Caller, Permission
from actor_operator.services.queue_requests import request_id
from actor_operator.services.request_queues import RequestQueues
from actor_operator.services.storage_forms import storage_forms
from actor_operator.services.storage_object import Addresses
from actor_operator.services.storage_use import StorageUse
from actor_operator.services.storages import Storages
from actor_operator.services.times import millis_of
from actor_operator.storage.accounts import Accounts
from actor_operator.storage.catalog import StorageKind
from actor_operator.storage.database import Database

NOW = millis_of(datetime(2024, 1, 31, 12, tzinfo=UTC))
MINUTE_LATER = "2024-01-31T12:01:00.000Z"


class Tokens(Gate):
    """A gate that knows a program and a run by their tokens."""

    def __init__(self, account: int) -> None:
        run = RunIdentity("key", "crawls", "run", "uid-1", 1, PermissionLevel.FULL)
        self._callers = {
            "program": Caller(account, "crawls", OF_RUNS),
            "run": Caller(account, "crawls", OF_RUNS, run),
        }

    @override
    async def admit(self, request: Request, needed: Permission) -> Caller:
        """Who asks."""
        caller = self._callers.get(token_of(request), NOBODY)
        if needed not in caller.permissions:
            raise ApiError("token-not-provided", "A token is needed.", status=401)
        return caller


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    account = await database.write(
        lambda connection: Accounts(connection).ensure("crawls", "uid-of-namespace", NOW)
    )

    async def find(caller: Who, storage_id: Annotated[str, Path(alias="storageId")]) -> StorageRef:
        return StorageRef(account, storage_id, caller)

    async def no_run(_: Caller) -> str | None:
        return None

    forms = {form.kind: form for form in storage_forms(Addresses("https://api.example.com"))}
    storages = Storages(forms[StorageKind.REQUEST_QUEUE], database, lambda: NOW, no_run)
    queues = RequestQueues(database, StorageUse(database, lambda: NOW), lambda: NOW)
    app = build_app(
        Tokens(account),
        [
            request_queue_collection_routes(storages),
            request_queue_routes("/v2/request-queues/{storageId}", storages, queues, find),
        ],
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://api",
        headers={"Authorization": "Bearer program"},
    ) as opened:
        yield opened


@pytest.fixture
async def path(client: httpx.AsyncClient) -> str:
    answer = await client.post("/v2/request-queues", params={"name": "pages"})
    assert answer.status_code == 201
    return f"/v2/request-queues/{answer.json()['data']['id']}"


def draft(key: str, **fields: object) -> dict[str, object]:
    return {"url": f"https://example.com/{key}", "uniqueKey": key, **fields}


def told(answer: httpx.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"]["type"])


async def test_a_queue_says_what_is_in_it(client: httpx.AsyncClient, path: str) -> None:
    await client.post(f"{path}/requests", json=draft("a"))
    await client.post(f"{path}/requests", json=draft("b", handledAt="2024-01-01T00:00:00.000Z"))

    queue = told(await client.get(path), 200)

    expected = {
        "name": "pages",
        "username": "crawls",
        "totalRequestCount": 2,
        "handledRequestCount": 1,
        "pendingRequestCount": 1,
        "hadMultipleClients": False,
        "modifiedAt": "2024-01-31T12:00:00.000Z",
    }
    assert queue.items() >= expected.items()
    assert queue["consoleUrl"].startswith("https://api.example.com/")
    assert queue["stats"]["writeCount"] == 2
    assert queue["stats"]["storageBytes"] > 100
    listed = told(await client.get("/v2/request-queues"), 200)
    assert listed["items"][0].items() >= expected.items()


async def test_a_request_comes_back_as_it_was_sent(client: httpx.AsyncClient, path: str) -> None:
    sent = draft("a", method="POST", userData={"depth": 2}, somethingNew=[1, 2.5])

    added = told(await client.post(f"{path}/requests", json=sent), 201)

    assert added == {
        "requestId": request_id("a"),
        "wasAlreadyPresent": False,
        "wasAlreadyHandled": False,
    }
    found = told(await client.get(f"{path}/requests/{request_id('a')}"), 200)
    assert found == {**sent, "id": request_id("a"), "retryCount": 0, "orderNo": 1}
    changed = found | {"handledAt": "2024-01-31T12:00:00.000Z", "retryCount": 2}
    answer = await client.put(f"{path}/requests/{request_id('a')}", json=changed)
    assert told(answer, 200)["wasAlreadyPresent"]
    found = told(await client.get(f"{path}/requests/{request_id('a')}"), 200)
    assert found == changed | {"orderNo": None}


async def test_a_batch_is_added_in_any_encoding_and_removed(
    client: httpx.AsyncClient, path: str
) -> None:
    body = gzip.compress(msgspec.json.encode([draft("a"), draft("b"), draft("c")]))
    added = await client.post(
        f"{path}/requests/batch?forefront=1", content=body, headers={"Content-Encoding": "gzip"}
    )
    assert told(added, 201) == {
        "processedRequests": [
            {
                "requestId": request_id(key),
                "uniqueKey": key,
                "wasAlreadyPresent": False,
                "wasAlreadyHandled": False,
            }
            for key in "abc"
        ],
        "unprocessedRequests": [],
    }
    wanted = [{"id": request_id("a")}, {"uniqueKey": "b"}, {"uniqueKey": "missing"}]

    removed = await client.request("DELETE", f"{path}/requests/batch", json=wanted)

    assert told(removed, 200) == {"processedRequests": wanted, "unprocessedRequests": []}
    assert told(await client.get(path), 200)["totalRequestCount"] == 1
    for _ in range(2):
        assert (await client.delete(f"{path}/requests/{request_id('c')}")).status_code == 204
    assert told(await client.get(path), 200)["totalRequestCount"] == 0


async def test_the_head_shows_what_waits(client: httpx.AsyncClient, path: str) -> None:
    await client.post(f"{path}/requests/batch", json=[draft("a"), draft("b", method="PUT")])

    head = told(await client.get(f"{path}/head", params={"limit": 5000}), 200)

    assert head == {
        "limit": 1000,
        "queueModifiedAt": "2024-01-31T12:00:00.000Z",
        "hadMultipleClients": False,
        "items": [
            {
                "id": request_id(key),
                "retryCount": 0,
                "uniqueKey": key,
                "url": f"https://example.com/{key}",
                "method": method,
            }
            for key, method in (("a", "GET"), ("b", "PUT"))
        ],
    }


async def test_locks_are_taken_prolonged_and_given_back(
    client: httpx.AsyncClient, path: str
) -> None:
    await client.post(f"{path}/requests/batch", json=[draft("a"), draft("b")])
    mine = {"clientKey": "mine"}
    locked = await client.post(f"{path}/head/lock", params={"lockSecs": 60, "limit": 1, **mine})
    head = told(locked, 201)
    assert head.items() >= {"lockSecs": 60, "limit": 1, "clientKey": "mine"}.items()
    assert head["queueHasLockedRequests"]
    assert [item["uniqueKey"] for item in head["items"]] == ["a"]
    assert head["items"][0]["lockExpiresAt"] == MINUTE_LATER
    lock = f"{path}/requests/{request_id('a')}/lock"

    others = await client.put(lock, params={"lockSecs": 60, "clientKey": "other"})
    assert refused(others, 400) == "request-handled-or-locked"
    others = await client.delete(lock, params={"clientKey": "other"})
    assert refused(others, 400) == "request-handled-or-locked"
    assert told(await client.put(lock, params={"lockSecs": 60, **mine}), 200) == {
        "lockExpiresAt": MINUTE_LATER
    }
    for _ in range(2):
        assert (await client.delete(lock, params=mine)).status_code == 204

    rest = told(await client.post(f"{path}/head/lock", params={"lockSecs": 60, **mine}), 201)
    assert [item["uniqueKey"] for item in rest["items"]] == ["b", "a"]
    unlocked = await client.post(f"{path}/requests/unlock", params=mine)
    assert told(unlocked, 200) == {"unlockedCount": 2}


async def test_a_run_holds_its_locks_by_its_token(client: httpx.AsyncClient, path: str) -> None:
    await client.post(f"{path}/requests", json=draft("a"))
    run = {"Authorization": "Bearer run"}
    await client.post(f"{path}/head/lock?lockSecs=60&clientKey=one", headers=run)
    lock = f"{path}/requests/{request_id('a')}/lock"

    assert refused(await client.put(f"{lock}?lockSecs=9&clientKey=two"), 400)

    told(await client.put(f"{lock}?lockSecs=9&clientKey=two", headers=run), 200)


async def test_the_list_has_pages(client: httpx.AsyncClient, path: str) -> None:
    await client.post(f"{path}/requests/batch", json=[draft(key) for key in "abc"])

    first = told(await client.get(f"{path}/requests?limit=2&filter=pending,locked"), 200)
    last = told(await client.get(f"{path}/requests", params={"cursor": first["nextCursor"]}), 200)

    assert (len(first["items"]), first["limit"], last["limit"]) == (2, 2, 10_000)
    ids = [item["id"] for item in first["items"] + last["items"]]
    assert sorted(ids) == sorted(request_id(key) for key in "abc")
    assert "nextCursor" not in last


@pytest.mark.parametrize(
    ("method", "below", "error_type"),
    [
        ("POST", "/requests?clientKey=", "invalid-client-key"),
        ("GET", f"/head?clientKey={'x' * 33}", "invalid-client-key"),
        ("POST", "/head/lock", "invalid-parameter"),
        ("POST", "/head/lock?lockSecs=0", "invalid-parameter"),
        ("POST", "/head/lock?lockSecs=nan", "invalid-parameter"),
        ("GET", "/requests?filter=handled", "param-not-one-of"),
        ("GET", "/requests?exclusiveStartId=%00", "invalid-value"),
        ("GET", "/requests?exclusiveStartId=a&cursor=b", "invalid-request"),
        ("POST", "/requests", "invalid-value"),
        ("POST", "/requests/batch", "invalid-value"),
        ("DELETE", "/requests/batch", "invalid-value"),
    ],
)
async def test_what_cannot_be_is_refused(
    client: httpx.AsyncClient, path: str, method: str, below: str, error_type: str
) -> None:
    assert refused(await client.request(method, path + below), 400) == error_type


@pytest.mark.parametrize("name", ["missing", "%00", "AAAAAAAAAAAAAAA", "a%2Fb"])
async def test_a_request_that_is_not_there_is_not_found(
    client: httpx.AsyncClient, path: str, name: str
) -> None:
    for method, below in (("GET", ""), ("PUT", "/lock?lockSecs=1"), ("DELETE", "/lock")):
        answer = await client.request(method, f"{path}/requests/{name}{below}")
        assert refused(answer, 404) == "record-not-found"


async def test_a_queue_that_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    path = "/v2/request-queues/missing"
    for method, below in (
        ("GET", ""),
        ("GET", "/head"),
        ("GET", "/requests"),
        ("POST", "/head/lock?lockSecs=1"),
        ("POST", "/requests/unlock"),
        ("DELETE", "/requests/abc"),
    ):
        assert refused(await client.request(method, path + below), 404) == "record-not-found"
    assert refused(await client.post(f"{path}/requests", json=draft("a")), 404)


async def test_without_a_token_nothing_is_changed(client: httpx.AsyncClient, path: str) -> None:
    nobody = {"Authorization": ""}
    for method, below in (
        ("POST", "/requests"),
        ("POST", "/requests/batch"),
        ("DELETE", "/requests/batch"),
        ("PUT", "/requests/abc"),
        ("DELETE", "/requests/abc"),
        ("POST", "/head/lock?lockSecs=1"),
        ("PUT", "/requests/abc/lock?lockSecs=1"),
        ("DELETE", "/requests/abc/lock"),
        ("POST", "/requests/unlock"),
        ("PUT", ""),
        ("DELETE", ""),
    ):
        assert refused(await client.request(method, path + below, headers=nobody), 401)
