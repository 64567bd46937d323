"""What holds for every request, on a real port: methods, origins, bodies, paths, logs."""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from tests.integration.api.world import OWNER, World, world_on

from actor_operator.log import configure
from actor_operator.server import bodies

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = {"Origin": "https://page.example"}
"""A script of another origin asks."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    configure(level="ERROR")
    async with world_on("sqlite", tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def token(world: World) -> str:
    return await world.token(OWNER)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(world: World, token: str) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client(token) as client:
        for kind in ("datasets", "key-value-stores"):
            (await client.post(f"/v2/{kind}", params={"name": "edge"})).raise_for_status()
        yield client


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["type"]


# Methods


async def test_a_post_may_stand_for_put_and_delete(client: httpx.AsyncClient) -> None:
    path = "/v2/key-value-stores/~edge/records/by-post"
    put = await client.post(path, params={"method": "PUT"}, content=b"x")
    assert put.status_code == 201
    deleted = await client.post(path, params={"method": "delete"})
    assert deleted.status_code == 204
    assert error(await client.get(path)) == (404, "record-not-found")


async def test_a_link_changes_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v2/datasets/~edge", params={"method": "DELETE"})
    assert answer.status_code == 200
    assert (await client.get("/v2/datasets/~edge")).status_code == 200
    posted = await client.post("/v2/datasets/~edge/items", params={"method": "GET"}, json={})
    assert posted.status_code == 201


async def test_a_method_that_a_path_does_not_take_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.patch("/v2/datasets/~edge")
    assert error(answer) == (405, "method-not-allowed")


# Other origins


async def test_a_browser_may_ask_from_any_origin_but_without_cookies(world: World) -> None:
    wish = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization, content-type, content-encoding",
    }
    async with world.client() as client:
        answer = await client.options("/v2/datasets/~edge", headers=PAGE | wish)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_page_reads_answers_and_errors(client: httpx.AsyncClient) -> None:
    for path in ("/v2/datasets/~edge/items", "/v2/datasets/~none"):
        answer = await client.get(path, headers=PAGE)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "X-Apify-Pagination-Total" in answer.headers["access-control-expose-headers"]


# Bodies


async def test_a_body_that_is_too_large_is_refused_on_the_wire(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(bodies.MAX_WIRE_BYTES // 1_000_000 + 2):
            yield b" " * 1_000_000

    path = "/v2/datasets/~edge/items"
    known = await client.post(path, content=b" " * (bodies.MAX_WIRE_BYTES + 1))
    assert error(known) == (413, "request-too-large")
    assert error(await client.post(path, content=pieces())) == (413, "request-too-large")


async def test_a_small_body_that_becomes_too_large_is_refused(client: httpx.AsyncClient) -> None:
    packed = io.BytesIO()
    with gzip.open(packed, "wb") as file:
        for _ in range(bodies.MAX_DECODED_BYTES // 1_048_576 + 1):
            file.write(b" " * 1_048_576)
    answer = await client.post(
        "/v2/datasets/~edge/items",
        content=packed.getvalue(),
        headers={"Content-Encoding": "gzip"},
    )
    assert error(answer) == (413, "request-too-large")


async def test_an_encoding_that_nobody_knows_is_refused_and_a_broken_one_too(
    client: httpx.AsyncClient,
) -> None:
    path = "/v2/datasets/~edge/items"
    strange = await client.post(path, content=b"{}", headers={"Content-Encoding": "rot13"})
    assert error(strange) == (415, "unsupported-content-encoding")
    broken = await client.post(path, content=b"{}", headers={"Content-Encoding": "gzip"})
    assert error(broken) == (400, "invalid-request")


async def test_a_body_that_stops_coming_is_not_waited_for(
    world: World, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.1)
    reader, writer = await connect(world)
    writer.write(request(f"POST /v2/datasets/~edge/items?token={token}", "Content-Length: 10"))
    writer.write(b"{")
    answer = await reader.read()
    writer.close()
    assert b"408 Request Timeout" in answer
    assert b"request-timeout" in answer


async def test_a_client_that_goes_away_is_no_failure(world: World, token: str) -> None:
    told = io.StringIO()
    configure(level="INFO", stream=told)
    before = failures(world)
    _, writer = await connect(world)
    writer.write(request(f"POST /v2/datasets/~edge/items?token={token}", "Content-Length: 10"))
    writer.write(b"{")
    await writer.drain()
    writer.close()
    async with world.client(token) as client:
        assert (await client.get("/v2/datasets/~edge")).status_code == 200
    configure(level="ERROR")
    assert failures(world) == before
    assert "A request failed" not in told.getvalue()


# Paths


@pytest.mark.parametrize(
    "path",
    [
        f"/v2/acts/{OWNER}%2Fquick",
        "/v2/actors/me%2fquick",
        f"/v2/actors/{OWNER}%2Fquick/builds/default",
        f"/v2/datasets/{OWNER}%2Fedge",
        f"/accounts/{OWNER}/v2/datasets/%2fedge/items",
    ],
)
async def test_a_name_with_an_escaped_slash_is_the_name_with_its_owner(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(path)).status_code == 200


async def test_a_run_is_started_by_a_name_with_an_escaped_slash(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v2/acts/me%2Fquick/runs?waitForFinish=60")
    assert (answer.status_code, answer.json()["data"]["status"]) == (201, "SUCCEEDED")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_a_slash_in_a_key_is_escaped_and_refused(
    client: httpx.AsyncClient, method: str
) -> None:
    """It stands in no key; clients escape it, and must learn why it is none."""
    answer = await client.request(method, "/v2/key-value-stores/~edge/records/a%2Fb")
    assert answer.status_code == 400
    if method != "HEAD":
        assert error(answer)[1] == "invalid-record-key"


async def test_other_escaped_symbols_of_a_key_are_what_they_stand_for(
    client: httpx.AsyncClient,
) -> None:
    path = "/v2/key-value-stores/~edge/records/"
    assert (await client.put(f"{path}%61%28b%29", content=b"x")).status_code == 201
    assert (await client.get(f"{path}a(b)")).content == b"x"
    assert error(await client.get(f"{path}a%252Fb")) == (400, "invalid-record-key")


@pytest.mark.parametrize("kind", ["key-value-stores", "request-queues"])
async def test_only_datasets_have_schemas(client: httpx.AsyncClient, kind: str) -> None:
    schema = {"title": "x", "collections": {}}
    answer = await client.post(f"/v2/{kind}", json={"schema": schema})
    assert answer.status_code == 400
    assert "not supported" in answer.text
    assert (await client.post(f"/v2/{kind}", json={"schema": None})).status_code == 201


async def test_a_slash_at_the_end_is_another_address(client: httpx.AsyncClient) -> None:
    assert error(await client.get("/v2/datasets/")) == (404, "page-not-found")
    assert error(await client.get("/v2/datasets/~edge/")) == (404, "page-not-found")


async def test_usernames_are_the_same_in_any_case_of_their_letters(
    client: httpx.AsyncClient,
) -> None:
    by_name = await client.get(f"/v2/datasets/{OWNER.upper()}~EDGE")
    assert by_name.json()["data"]["name"] == "edge"


# Logs


async def test_no_token_is_ever_logged(
    world: World, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = io.StringIO()
    configure(level="DEBUG", stream=told)
    query = {"token": token}

    def fail(*_: object) -> None:
        raise RuntimeError("on purpose")

    async with world.client() as client:
        assert (await client.get("/v2/users/me", params=query)).status_code == 200
        monkeypatch.setattr(world.api.users, "describe_me", fail)
        failed = await client.get("/v2/users/me", params=query)
    configure(level="ERROR")
    assert error(failed) == (500, "internal-server-error")
    assert "A request failed" in told.getvalue()
    # The client of this test tells its own requests.
    ours = [line for line in told.getvalue().splitlines() if "HTTP Request:" not in line]
    assert token not in "\n".join(ours)


async def connect(world: World) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = world.url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


def request(line: str, *headers: str) -> bytes:
    return "\r\n".join((f"{line} HTTP/1.1", "Host: x", *headers, "", "")).encode()


def failures(world: World) -> float:
    """Answers that were failures of the server."""
    found = world.api.metrics.registry.collect()
    samples = [each for metric in found for each in metric.samples]
    return sum(
        each.value
        for each in samples
        if each.name == "actor_operator_api_requests_total"
        and each.labels["status"].startswith("5")
    )
