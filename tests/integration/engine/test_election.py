"""Leader election over HTTP."""

import asyncio

import pytest
from tests.support.apiserver import ApiServer, on
from tests.support.apiserver.requestlog import Request
from tests.support.connection import connection_to
from tests.support.mirror import SECRETS, mirror
from tests.support.replica import TIMING, Replica

from actor_operator.errors import NotLeaderError

SYSTEM = "actor-operator-system"
SECRET = b'{"metadata": {"name": "a", "namespace": "default"}}'


def is_of_one(request: Request) -> bool:
    """Whether the request is a write of the first replica."""
    return isinstance(request.body, dict) and request.body["spec"]["holderIdentity"] == "one"


def replica(server: ApiServer, identity: str) -> Replica:
    return Replica(connection_to(server), identity, SYSTEM)


async def test_one_leads_and_hands_over_when_it_stops(server: ApiServer) -> None:
    async with replica(server, "one") as one:
        await one.until(leading=True)
        async with replica(server, "two") as two:
            await asyncio.sleep(1)
            assert not two.leads
            await one.shut_down()
            assert await two.until(leading=True) < TIMING.duration, "it need not run out"
    spec = server.get("leases", SYSTEM, "test")["spec"]
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("", 1)


async def test_only_the_leader_can_write(server: ApiServer) -> None:
    async with replica(server, "one") as one, replica(server, "two") as two:
        await one.until(leading=True)
        with pytest.raises(NotLeaderError):
            await two.client.create(SECRETS, "default", SECRET)
        await one.client.create(SECRETS, "default", SECRET)
    assert [r.name for r in server.requests.of("create", "secrets")] == ["a"]


async def test_a_leader_that_hears_nothing_stops_and_another_takes_over(
    server: ApiServer,
) -> None:
    async with replica(server, "one") as one:
        await one.until(leading=True)
        async with replica(server, "two") as two:
            await asyncio.sleep(0.5)
            renewal = on("update", "leases", when=is_of_one, times=None)
            hung = server.faults.hang(renewal, applied=False)
            assert await one.until(leading=False) < TIMING.duration
            assert not two.leads
            await two.until(leading=True)
            assert one.stops == 1
            with pytest.raises(NotLeaderError):
                one.elector.check()
            assert hung.hits
            server.faults.clear()
            await asyncio.sleep(1)
            assert two.leads
            assert not one.leads


async def test_an_outage_longer_than_the_lease_ends_with_one_leader(server: ApiServer) -> None:
    async with replica(server, "one") as one, replica(server, "two") as two:
        await asyncio.sleep(1)
        async with server.down():
            await asyncio.sleep(TIMING.duration + 1)
            assert not one.leads
            assert not two.leads
        await asyncio.sleep(2)
        assert one.leads is not two.leads


async def test_caches_can_be_waited_for_by_the_version_of_the_lease(server: ApiServer) -> None:
    async with mirror(connection_to(server)) as mirrored, replica(server, "one") as one:
        await mirrored.put("a", "1")
        await one.until(leading=True)
        await asyncio.sleep(0.1)
        await asyncio.wait_for(mirrored.informer.wait_for(one.fences[0]), 5)
        assert int(mirrored.informer.resource_version) >= int(one.fences[0])
