"""The server as a whole: who may come in, what it notes, when it is away."""

import aiohttp
import pytest
from tests.contract.client import Api
from tests.support.apiserver import ApiServer, PodPlayer


async def test_a_token_is_needed_where_there_is_one(
    server: ApiServer, session: aiohttp.ClientSession
) -> None:
    server.token = "secret"
    codes = []
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer secret"}):
        async with session.get("/api/v1/pods", headers=headers) as response:
            codes.append(response.status)

    assert codes == [401, 401, 200]


async def test_while_it_is_down_connections_are_refused_and_open_ones_break(
    server: ApiServer, api: Api
) -> None:
    url = server.url
    async with api.watch("pods") as stream, server.down():
        with pytest.raises(aiohttp.ClientError):
            await api.list("pods")
        with pytest.raises(aiohttp.ClientError):
            await stream.next()
    reply = await api.list("pods")

    assert reply.code == 200
    assert server.url == url


async def test_what_was_there_before_a_restart_is_there_after_it(
    server: ApiServer, api: Api
) -> None:
    await api.create("configmaps", "a")
    await server.restart()

    assert (await api.list("configmaps")).names == ["a"]


async def test_requests_are_noted_with_their_outcome(server: ApiServer, api: Api) -> None:
    await api.create("configmaps", "a")
    await api.post("configmaps", {"metadata": {"name": "a"}})
    await api.list("configmaps")
    await api.delete("configmaps", "a")

    lines = [str(request) for request in server.requests]
    assert lines == [
        "1 create configmaps default/a -> 201",
        "2 create configmaps default/a -> 409",
        "3 list configmaps default -> 200",
        "4 delete configmaps default/a -> 200",
    ]
    assert [request.applied for request in server.requests] == [True, False, False, True]
    assert len(server.requests.writes) == 3
    assert [request.code for request in server.requests.of("create", "configmaps")] == [201, 409]


async def test_what_tests_do_directly_is_not_noted(server: ApiServer) -> None:
    server.create("configmaps", {"metadata": {"name": "a"}})

    assert len(server.requests) == 0


async def test_leases_do_not_count_as_writes(server: ApiServer, api: Api) -> None:
    await api.create("leases", "a", spec={"holderIdentity": "x"})

    assert server.requests.writes == []
    assert len(server.requests.of("write", "leases")) == 1


async def test_the_history_tells_every_version(server: ApiServer) -> None:
    server.create("configmaps", {"metadata": {"name": "a"}})
    server.patch("configmaps", "default", "a", {"data": {"a": "b"}})
    server.delete("configmaps", "default", "a")

    assert [change.type for change in server.history("configmaps")] == [
        "ADDED",
        "MODIFIED",
        "DELETED",
    ]


async def test_the_text_of_a_secret(server: ApiServer) -> None:
    server.create("secrets", {"metadata": {"name": "a"}, "stringData": {"key": "value"}})

    assert server.secret_text("default", "a") == {"key": "value"}


async def test_it_says_what_it_serves(session: aiohttp.ClientSession) -> None:
    async with session.get("/apis/actor-operator.dev/v1alpha1") as response:
        names = {entry["name"] for entry in (await response.json())["resources"]}
    async with session.get("/version") as response:
        version = (await response.json())["gitVersion"]
    async with session.get("/readyz") as response:
        health = await response.text()

    assert {"actorruns", "actorruns/status", "actors", "actoraccounts"} <= names
    assert version == "v1.36.3"
    assert health == "ok"


async def test_a_definition_that_comes_later_is_served_and_one_that_goes_is_not(
    server: ApiServer, api: Api
) -> None:
    definition = {
        "metadata": {"name": "parts.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"plural": "parts", "kind": "Part"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    }
    server.create("customresourcedefinitions", definition)
    served = await api.call("GET", "/apis/example.org/v1/parts")
    server.delete("customresourcedefinitions", "", "parts.example.org")
    gone = await api.call("GET", "/apis/example.org/v1/parts")

    assert (served.code, gone.code) == (200, 404)


async def test_a_container_prints(server: ApiServer, api: Api) -> None:
    spec = {"containers": [{"name": "main", "image": "x:1"}]}
    server.create("pods", {"metadata": {"name": "a"}, "spec": spec})
    server.pod("default", "a").run().print("one\n").print("two\n")
    reply = await api.call("GET", api.path("pods", "a", "log"))

    assert reply.body["text"] == "one\ntwo\n"


async def test_nothing_happens_any_more_once_it_is_closed() -> None:
    async with ApiServer() as server:
        with PodPlayer(server):
            spec = {"containers": [{"name": "main", "image": "x:1"}]}
            server.create("pods", {"metadata": {"name": "a"}, "spec": spec})
    history = len(server.history("pods"))

    assert history == 1


async def test_a_route_of_the_gateway_api_has_defaults_a_status_and_a_generation(
    server: ApiServer,
) -> None:
    backend = {"name": "service", "port": 80}
    spec = {"parentRefs": [{"name": "gateway"}], "rules": [{"backendRefs": [backend]}]}
    route = server.create("httproutes", {"metadata": {"name": "a"}, "spec": spec})
    told = server.patch(
        "httproutes", "default", "a", {"status": {"parents": []}, "spec": {}}, "status"
    )

    assert route["metadata"]["generation"] == 1
    assert "status" not in route
    assert told["status"] == {"parents": []}
    assert told["metadata"]["generation"] == 1
    (rule,) = told["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert rule["backendRefs"] == [backend | {"group": "", "kind": "Service", "weight": 1}]
