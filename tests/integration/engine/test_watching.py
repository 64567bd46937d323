"""The informer over HTTP, on an API server that is disturbed in every way."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest
from tests.support.apiserver import ApiServer, on
from tests.support.connection import connection_to
from tests.support.mirror import Mirror, mirror


@pytest.fixture
async def mirrored(server: ApiServer) -> AsyncIterator[Mirror]:
    async with mirror(connection_to(server)) as made:
        yield made


def forget(server: ApiServer) -> None:
    """The stream is cut and cannot go on from where it was."""
    server.compact()
    server.watches.cut("secrets")


def lists_of(server: ApiServer) -> int:
    """Lists by the mirror: they have pages of five objects."""
    return sum(1 for r in server.requests.of("list", "secrets") if r.query.get("limit") == "5")


async def test_many_changes_arrive_in_order_and_completely(mirrored: Mirror) -> None:
    for number in range(12):
        await mirrored.put(f"s-{number}", "1")
    for number in range(0, 12, 2):
        await mirrored.put(f"s-{number}", "2")
    for number in range(0, 12, 3):
        await mirrored.delete(f"s-{number}")
    await mirrored.until_equal()
    assert mirrored.told.count((None, "s-1")) == 1
    assert mirrored.told.count(("s-3", None)) == 1


async def test_a_list_of_several_pages_is_whole(server: ApiServer, mirrored: Mirror) -> None:
    for number in range(12):
        await mirrored.put(f"s-{number}", "1")
    await mirrored.until_equal()
    server.watches.send_error("secrets", 410)
    server.requests.clear()
    await mirrored.put("s-12", "1")
    await mirrored.until_equal()
    assert len(server.requests.of("list", "secrets")) >= 3


async def test_a_deletion_in_a_gap_of_history_is_found(server: ApiServer, mirrored: Mirror) -> None:
    await mirrored.put("goes", "1")
    await mirrored.put("stays", "1")
    await mirrored.until_equal()
    async with server.down():
        server.delete("secrets", "default", "goes")
        server.compact()
    await mirrored.until_equal()
    assert ("goes", None) in mirrored.told


@pytest.mark.parametrize(
    "disturb",
    [
        lambda s: s.watches.cut("*"),
        lambda s: s.watches.cut("*", abort=True),
        lambda s: s.watches.send_error("secrets", 500),
        lambda s: s.watches.send_half_a_line("secrets"),
        lambda s: s.watches.cut_after_each_event("secrets"),
        lambda s: s.faults.fail(503, on("watch", "secrets"), retry_after=None),
        lambda s: s.faults.reset(on("watch", "secrets")),
    ],
    ids=["end", "reset", "error 500", "half a line", "cut after each", "503", "reset at opening"],
)
async def test_a_disturbed_stream_goes_on_without_a_list(
    server: ApiServer, mirrored: Mirror, disturb: Callable[[ApiServer], None]
) -> None:
    await mirrored.put("a", "1")
    await mirrored.until_equal()
    server.requests.clear()
    disturb(server)
    server.watches.cut("secrets")
    for number in range(10):
        await mirrored.put("a", str(number + 2))
        await mirrored.put(f"b-{number}", "1")
    await mirrored.until_equal()
    assert lists_of(server) == 0


async def test_410_as_a_status_leads_to_a_list(server: ApiServer, mirrored: Mirror) -> None:
    server.faults.fail(410, on("watch", "secrets"))
    server.requests.clear()
    server.watches.cut("secrets")
    await mirrored.put("a", "1")
    await mirrored.until_equal()
    assert lists_of(server) == 1


async def test_a_stream_that_falls_silent_is_opened_again_in_time(
    server: ApiServer, mirrored: Mirror
) -> None:
    await mirrored.put("a", "1")
    await mirrored.until_equal()
    server.watches.hold("secrets")
    await mirrored.put("a", "2")
    await asyncio.sleep(4)
    assert len(server.requests.of("watch", "secrets")) >= 2
    server.watches.release("secrets")
    await mirrored.until_equal()


async def test_an_outage_is_survived_and_the_store_is_right_soon_after(
    server: ApiServer, mirrored: Mirror
) -> None:
    await mirrored.put("a", "1")
    await mirrored.until_equal()
    async with server.down():
        await asyncio.sleep(2)
        server.delete("secrets", "default", "a")
        assert mirrored.informer.age() > 1.5
    await mirrored.until_equal(5)
    assert mirrored.informer.age() < 3


async def test_a_version_of_another_kind_is_waited_for_on_a_quiet_kind(
    server: ApiServer, mirrored: Mirror
) -> None:
    server.create("configmaps", {"metadata": {"name": "elsewhere"}})
    other = server.get("configmaps", "default", "elsewhere")["metadata"]["resourceVersion"]
    assert int(mirrored.informer.resource_version) < int(other)
    await asyncio.wait_for(mirrored.informer.wait_for(other), 4)
    assert int(mirrored.informer.resource_version) >= int(other)


@pytest.mark.parametrize("seed", range(3))
async def test_after_whatever_happened_the_store_is_what_the_server_has(
    server: ApiServer, mirrored: Mirror, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 -- a schedule, no secret
    disturbances: list[Callable[[], object]] = [
        lambda: server.watches.cut("secrets"),
        lambda: server.watches.cut("secrets", abort=True),
        lambda: server.watches.send_error("secrets", 410),
        lambda: server.watches.send_error("secrets", 504),
        lambda: server.watches.send_half_a_line("secrets"),
        lambda: server.watches.bookmark("secrets"),
        lambda: server.watches.hold("secrets"),
        lambda: server.watches.release("secrets"),
        lambda: forget(server),
        lambda: server.faults.fail(503, on("list", "secrets", times=2), retry_after=None),
        lambda: server.faults.fail(410, on("watch", "secrets")),
        lambda: server.faults.reset(on("list", "secrets"), during=True),
    ]
    for _ in range(60):
        name = f"s-{chance.randrange(8)}"
        if server.find("secrets", "default", name) is None:
            labels = {"test": "mirror"}
            server.create("secrets", {"metadata": {"name": name, "labels": labels}})
        elif chance.random() < 0.5:
            data = {"data": {"value": f"{chance.randrange(10**6):08d}"}}
            server.patch("secrets", "default", name, data)
        else:
            server.delete("secrets", "default", name)
        if chance.random() < 0.5:
            chance.choice(disturbances)()
        await asyncio.sleep(chance.uniform(0, 0.1))
    server.watches.release("secrets")
    server.faults.clear()
    await mirrored.until_equal(20)
