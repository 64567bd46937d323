"""What the proxy of plans of faults does to requests and watches."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import aiohttp
import pytest
from tests.faults.director import Director, Seat
from tests.faults.kinds import (
    Conflict,
    Crash,
    Does,
    Freeze,
    Moment,
    Outage,
    Refuse,
    Reset,
    Silence,
    Watch,
)
from tests.faults.plan import Fault, Plan
from tests.faults.proxy import Proxy
from tests.faults.replica import Replica
from tests.support.apiserver import ApiServer

MAPS = "/api/v1/namespaces/default/secrets"
"""Objects that the operator writes; what is in them does not matter here."""

AT = "create secrets it"

BROKEN = (aiohttp.ClientError, ConnectionError)
"""What a client raises that gets no whole answer."""


class FakeReplica:
    """Notes what is done to an operator."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def kill(self) -> None:
        self.log.append("killed")

    def ask_to_stop(self) -> None:
        self.log.append("asked to stop")

    def freeze(self) -> None:
        self.log.append("frozen")

    async def come_back(self, seconds: float) -> None:
        self.log.append("back")

    async def thaw(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.log.append("thawed")


class Operator:
    """A client behind a proxy."""

    def __init__(self, server: ApiServer, session: aiohttp.ClientSession, *faults: Fault) -> None:
        self.replica = FakeReplica()
        self.touched: list[str] = []
        self.rotated = threading.Event()
        self.director = Director(
            Plan(workload="succeeds", faults=faults),
            touch=self.touched.append,
            rotate=self.rotated.set,
            disturb=lambda _does, _seconds: None,
        )
        self.seat = Seat(cast("Replica", self.replica), self.director)
        self.proxy = Proxy(server.url, session, self.seat)
        self._server = server
        self._session = session

    async def create(self, name: str = "it", token: str = "") -> int:
        """Create an object; returns the status code."""
        body = {"metadata": {"name": name}}
        headers = {"Authorization": token}
        url = self.proxy.url + MAPS
        async with self._session.post(url, json=body, headers=headers) as answer:
            await answer.read()
            return answer.status

    def is_there(self, name: str = "it") -> bool:
        """Whether the API server has it."""
        return self._server.find("secrets", "default", name) is not None

    async def watch(self, version: str = "0") -> AsyncIterator[dict[str, Any]]:
        """The events of a watch."""
        query = {"watch": "1", "resourceVersion": version}
        async with self._session.get(self.proxy.url + MAPS, params=query) as answer:
            if answer.status != 200:
                yield {"type": f"HTTP {answer.status}"}
                return
            async for line in answer.content:
                yield json.loads(line)


Start = Callable[..., Awaitable[Operator]]


@pytest.fixture
async def start(server: ApiServer) -> AsyncIterator[Start]:
    """Starts an operator with faults."""
    begun: list[Operator] = []
    async with aiohttp.ClientSession() as session:

        async def start(*faults: Fault) -> Operator:
            operator = Operator(server, session, *faults)
            await operator.proxy.start()
            begun.append(operator)
            return operator

        yield start
        for operator in begun:
            await operator.proxy.close()


@pytest.mark.parametrize(("moment", "there"), [(Moment.BEFORE, False), (Moment.COMMITTED, True)])
async def test_who_crashes_hears_no_answer(start: Start, moment: Moment, *, there: bool) -> None:
    operator = await start(Crash(at=AT, moment=moment))

    with pytest.raises(BROKEN):
        await operator.create()
    await operator.director.settle()

    assert operator.is_there() is there
    assert operator.replica.log == ["killed", "back"]
    assert operator.director.missed == []


async def test_who_crashes_with_its_answer_does_nothing_with_it(start: Start) -> None:
    operator = await start(Crash(at=AT, moment=Moment.ANSWERED))

    assert await operator.create() == 201
    with pytest.raises(BROKEN):
        await operator.create("another")
    await operator.director.settle()

    assert not operator.is_there("another")
    assert operator.replica.log == ["killed", "back"]


async def test_a_request_goes_on_when_its_sender_is_asked_to_stop(start: Start) -> None:
    operator = await start(Crash(at=AT, moment=Moment.BEFORE, signal="TERM"))

    assert await operator.create() == 201
    assert operator.replica.log[0] == "asked to stop"


async def test_what_a_frozen_operator_has_sent_arrives_late(start: Start) -> None:
    operator = await start(Freeze(at=AT, seconds=1.0))

    request = asyncio.create_task(operator.create())
    await asyncio.sleep(0.2)
    assert not operator.is_there()
    assert await request == 201
    await operator.director.settle()

    assert operator.replica.log == ["frozen", "thawed"]


@pytest.mark.parametrize("applied", [False, True])
async def test_a_refusal_is_told_as_often_as_it_is_meant(start: Start, *, applied: bool) -> None:
    operator = await start(Refuse(at=AT, code=503, times=2, applied=applied))

    assert [await operator.create() for _ in range(2)] == [503, 503]
    assert operator.is_there() is applied
    assert await operator.create() == (409 if applied else 201)


async def test_another_client_is_faster(start: Start) -> None:
    operator = await start(Conflict(at=AT))

    assert await operator.create() == 201
    assert operator.touched == [MAPS]


@pytest.mark.parametrize("applied", [False, True])
async def test_silence_lasts_until_the_operator_gives_up(start: Start, *, applied: bool) -> None:
    operator = await start(Silence(at=AT, applied=applied))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(operator.create(), 0.5)

    assert operator.is_there() is applied


@pytest.mark.parametrize(
    ("moment", "there"),
    [(Moment.BEFORE, False), (Moment.COMMITTED, True), (Moment.DURING, True)],
)
async def test_connections_are_reset(start: Start, moment: Moment, *, there: bool) -> None:
    operator = await start(Reset(at=AT, moment=moment))

    with pytest.raises(BROKEN):
        await operator.create()

    assert operator.is_there() is there


async def test_in_an_outage_everything_is_refused(start: Start) -> None:
    operator = await start(Outage(at=AT, code=403, seconds=0.3))

    assert [await operator.create(), await operator.create("another")] == [403, 403]
    await operator.director.settle()

    assert await operator.create() == 201


async def test_a_token_that_is_refused_stays_bad(start: Start) -> None:
    operator = await start(Outage(at=AT, code=401, seconds=0.1))

    assert await operator.create(token="Bearer old") == 401
    await operator.director.settle()

    assert operator.rotated.is_set()
    assert await operator.create(token="Bearer old") == 401
    assert await operator.create(token="Bearer new") == 201


async def told(operator: Operator, count: int) -> list[str]:
    """The first events of a watch from the beginning: names, or types of what is no object."""
    found: list[str] = []
    async for event in operator.watch():
        name = event.get("object", {}).get("metadata", {}).get("name")
        found.append(name or event["type"])
        if len(found) == count:
            break
    return found


async def test_late_events_come_late(start: Start) -> None:
    operator = await start(Watch(at=AT, does=Does.DELAY, kinds=("secrets",), seconds=0.5))
    await operator.create()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(told(operator, 1), 0.2)
    assert await told(operator, 1) == ["it"]


async def test_a_watch_that_stands_still_goes_on(start: Start) -> None:
    operator = await start(Watch(at=AT, does=Does.STALL, kinds=("secrets",), seconds=0.5))
    await operator.create()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(told(operator, 1), 0.2)
    await operator.director.settle()
    assert await told(operator, 1) == ["it"]


@pytest.mark.parametrize(
    ("does", "last"),
    [
        (Does.CUT, []),
        (Does.ERROR_500, ["ERROR"]),
        (Does.ERROR_504, ["ERROR"]),
    ],
)
async def test_open_watches_end(start: Start, does: Does, last: list[str]) -> None:
    operator = await start(Watch(at="create secrets last", does=does, kinds=("secrets",)))
    await operator.create()
    following = asyncio.create_task(told(operator, 10))
    await until(lambda: bool(operator.seat.streams["secrets"].endings))
    await asyncio.sleep(0.1)

    await operator.create("last")

    assert [name for name in await following if name != "last"] == ["it", *last]


async def test_a_watch_that_is_reset_has_no_end(start: Start) -> None:
    operator = await start(Watch(at=AT, does=Does.RESET, kinds=("secrets",)))
    following = asyncio.create_task(told(operator, 10))
    await until(lambda: bool(operator.seat.streams["secrets"].endings))

    await operator.create()

    with pytest.raises(BROKEN):
        await following


async def test_each_watch_tells_one_event(start: Start) -> None:
    operator = await start(Watch(at=AT, does=Does.ONE_EACH, kinds=("secrets",)))
    await operator.create()
    await operator.create("another")

    assert len(await told(operator, 10)) == 1


async def test_the_next_line_ends_in_its_middle(start: Start) -> None:
    operator = await start(Watch(at=AT, does=Does.HALF_LINE, kinds=("secrets",)))
    await operator.create()

    with pytest.raises(json.JSONDecodeError):
        await told(operator, 1)
    assert await told(operator, 1) == ["it"]


@pytest.mark.parametrize(
    ("does", "first"), [(Does.GONE_EVENT, "ERROR"), (Does.GONE_STATUS, "HTTP 410")]
)
async def test_what_was_lost_is_told_as_gone_once(start: Start, does: Does, first: str) -> None:
    operator = await start(Watch(at=AT, does=does, kinds=("secrets",), seconds=0.2))
    following = asyncio.create_task(told(operator, 10))
    await until(lambda: bool(operator.seat.streams["secrets"].endings))
    await operator.create()
    with pytest.raises(BROKEN):
        await following

    assert await told(operator, 10) == [first]
    assert await told(operator, 1) == ["it"]


async def until(done: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 -- nobody signals it
            await asyncio.sleep(0.01)
