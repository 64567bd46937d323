"""Statuses of accounts: written when they say something new, at most once a second."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from msgspec.structs import replace

from actor_operator.api.views.account import AccountSpec, AccountStatus, AccountView
from actor_operator.api.views.metadata import Metadata
from actor_operator.engine.store import Store
from actor_operator.kube.errors import ServerError
from actor_operator.reconcile.account_status import PAUSE, AccountStatuses

pytestmark = pytest.mark.looptime


class World:
    """One account, what it uses, and what was written when."""

    def __init__(self) -> None:
        self.accounts: Store[AccountView] = Store()
        self.used = 0
        self.served = True
        self.errors: list[Exception] = []
        self.written: list[tuple[int | None, float]] = []
        self._version = 1
        self.statuses = AccountStatuses(
            accounts=self.accounts, writer=cast("Any", self), serves=lambda _: self.served
        )

    def add(self) -> None:
        metadata = Metadata(name="team", uid="uid", resource_version="1", generation=1)
        self.accounts.apply(AccountView(metadata=metadata, spec=AccountSpec()))

    def judge(self, _: AccountView) -> AccountStatus:
        return AccountStatus(observed_generation=1, memory_used_mbytes=self.used)

    async def write_status(self, account: AccountView, status: AccountStatus) -> AccountView:
        if self.errors:
            raise self.errors.pop(0)
        self.written.append((status.memory_used_mbytes, asyncio.get_running_loop().time()))
        self._version += 1
        metadata = replace(account.metadata, resource_version=str(self._version))
        return replace(account, metadata=metadata, status=status)

    def use(self, memory: int) -> None:
        self.used = memory
        self.statuses.ask("team")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    world.add()
    world.statuses.start_leading(world.judge)
    yield world
    await world.statuses.stop_leading(0)


async def test_the_status_is_written_when_leading_begins(world: World) -> None:
    await asyncio.sleep(0.1)

    assert [used for used, _ in world.written] == [0]


async def test_a_status_that_says_nothing_new_is_not_written(world: World) -> None:
    await asyncio.sleep(0.1)
    world.use(0)
    await asyncio.sleep(5)

    assert len(world.written) == 1


async def test_many_changes_are_written_once_a_second_and_the_last_one_is_told(
    world: World,
) -> None:
    for n in range(1, 26):
        world.use(n)
        await asyncio.sleep(0.1)
    await asyncio.sleep(2)

    assert world.written[-1][0] == 25
    times = [moment for _, moment in world.written]
    assert len(times) <= 4
    assert all(b - a >= PAUSE for a, b in itertools.pairwise(times))


async def test_a_write_that_fails_is_tried_again(world: World) -> None:
    world.errors = [ServerError("away", status=503)]

    await asyncio.sleep(3)

    assert [used for used, _ in world.written] == [0]


async def test_nothing_is_written_for_a_namespace_that_another_installation_serves(
    world: World,
) -> None:
    await asyncio.sleep(0.1)
    world.served = False

    world.use(9)
    await asyncio.sleep(3)

    assert [used for used, _ in world.written] == [0]


async def test_without_an_account_there_is_nothing_to_write(world: World) -> None:
    await asyncio.sleep(0.1)
    world.accounts.remove("", "team", "uid")
    world.use(5)
    world.statuses.ask("other")
    await asyncio.sleep(3)

    assert len(world.written) == 1


async def test_an_account_that_goes_before_its_turn_is_not_written(world: World) -> None:
    await asyncio.sleep(0.1)
    world.use(5)
    world.accounts.remove("", "team", "uid")
    await asyncio.sleep(3)

    assert len(world.written) == 1


async def test_who_leads_no_more_writes_nothing(world: World) -> None:
    await asyncio.sleep(0.1)

    assert await world.statuses.stop_leading(1)
    world.use(7)
    await asyncio.sleep(3)

    assert len(world.written) == 1
