"""Faults strike the requests that they are meant for, when they are meant to."""

import asyncio

import aiohttp
import pytest
from tests.contract.client import Api
from tests.support.apiserver import ApiServer, Request, on


@pytest.mark.parametrize("code", [403, 409, 429, 500, 503, 504])
async def test_a_write_is_refused_and_not_applied(server: ApiServer, api: Api, code: int) -> None:
    server.faults.fail(code, on("create", "configmaps"))
    refused = await api.post("configmaps", {"metadata": {"name": "a"}})
    accepted = await api.post("configmaps", {"metadata": {"name": "a"}})

    assert (refused.code, accepted.code) == (code, 201)
    assert refused.body["kind"] == "Status"
    assert refused.body["code"] == code


async def test_the_time_to_wait_is_in_the_header_and_in_the_details(
    server: ApiServer, api: Api
) -> None:
    server.faults.fail(429, on("create"), retry_after=30)
    reply = await api.post("configmaps", {"metadata": {"name": "a"}})

    assert reply.headers["Retry-After"] == "30"
    assert reply.details["retryAfterSeconds"] == 30
    assert reply.reason == "TooManyRequests"


async def test_the_answer_to_an_applied_write_is_an_error(server: ApiServer, api: Api) -> None:
    server.faults.fail(504, on("create"), applied=True)
    reply = await api.post("configmaps", {"metadata": {"name": "a"}})

    assert reply.code == 504
    assert server.find("configmaps", "default", "a")
    assert server.requests.entries[0].applied


async def test_only_the_requests_from_the_nth_are_struck(server: ApiServer, api: Api) -> None:
    fault = server.faults.fail(500, on("create", "configmaps", nth=2, times=2))
    codes = [(await api.post("configmaps", {"metadata": {"name": name}})).code for name in "abcd"]

    assert codes == [201, 500, 500, 201]
    assert [request.name for request in fault.hits] == ["b", "c"]


async def test_a_fault_can_be_for_one_name_or_for_what_a_test_says(
    server: ApiServer, api: Api
) -> None:
    server.faults.fail(500, on("write", "*", "b", times=None))
    server.faults.fail(503, on(when=lambda request: bool(request.body and "data" in request.body)))
    codes = [
        (await api.post("configmaps", {"metadata": {"name": "a"}})).code,
        (await api.post("configmaps", {"metadata": {"name": "b"}})).code,
        (await api.delete("configmaps", "b")).code,
        (await api.post("configmaps", {"metadata": {"name": "c"}, "data": {}})).code,
    ]

    assert codes == [201, 500, 500, 503]


async def test_a_fault_lasts_as_long_as_it_is_told(server: ApiServer, api: Api) -> None:
    server.faults.fail(503, on(seconds=0.2))
    first = await api.list("configmaps")
    await asyncio.sleep(0.25)
    second = await api.list("configmaps")

    assert (first.code, second.code) == (503, 200)


async def test_faults_can_be_called_off(server: ApiServer, api: Api) -> None:
    server.faults.fail(503, on(times=None))
    server.faults.clear()

    assert (await api.list("configmaps")).code == 200


@pytest.mark.parametrize("applied", [False, True])
async def test_a_reset_leaves_the_write_undone_or_done(
    server: ApiServer, api: Api, *, applied: bool
) -> None:
    server.faults.reset(on("create"), applied=applied)
    with pytest.raises(aiohttp.ClientError):
        await api.post("configmaps", {"metadata": {"name": "a"}})

    assert bool(server.find("configmaps", "default", "a")) is applied
    assert server.requests.entries[0].code is None


async def test_a_reset_in_the_midst_of_the_answer(server: ApiServer, api: Api) -> None:
    server.faults.reset(on("create"), during=True)
    with pytest.raises(aiohttp.ClientError):
        await api.post("configmaps", {"metadata": {"name": "a"}})

    assert server.find("configmaps", "default", "a")


@pytest.mark.parametrize("applied", [False, True])
async def test_a_request_that_is_never_answered(
    server: ApiServer, api: Api, *, applied: bool
) -> None:
    server.faults.hang(on("create"), applied=applied)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await api.post("configmaps", {"metadata": {"name": "a"}})

    assert bool(server.find("configmaps", "default", "a")) is applied


async def test_a_slow_answer(server: ApiServer, api: Api) -> None:
    server.faults.delay(0.2, on("list"))
    started = asyncio.get_running_loop().time()
    await api.list("configmaps")

    assert asyncio.get_running_loop().time() - started >= 0.2


async def test_another_client_writes_first(server: ApiServer, api: Api) -> None:
    config = await api.create("configmaps", "a")
    server.faults.touch(on("update", "configmaps"))
    late = await api.put("configmaps", config | {"data": {"a": "b"}})

    assert (late.code, late.reason) == (409, "Conflict")
    assert len(server.history("configmaps")) == 2


@pytest.mark.parametrize("applied", [False, True])
async def test_a_test_can_act_at_the_moment_of_the_write(
    server: ApiServer, api: Api, *, applied: bool
) -> None:
    seen: list[tuple[Request, bool]] = []

    def look(request: Request) -> None:
        seen.append((request, server.find("configmaps", "default", "a") is not None))

    server.faults.call(look, on("create"), applied=applied)
    await api.post("configmaps", {"metadata": {"name": "a"}})

    assert [there for _, there in seen] == [applied]


async def test_a_watch_is_refused_with_410_as_status(server: ApiServer, api: Api) -> None:
    server.faults.fail(410, on("watch", "pods"))
    reply = await api.list("pods", watch="1")

    assert (reply.code, reply.reason) == (410, "Expired")
