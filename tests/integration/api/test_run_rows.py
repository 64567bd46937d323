"""Rows of runs, on each database."""

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import pytest
from sqlalchemy import Connection

from actor_operator.storage.accounts import Accounts
from actor_operator.storage.actor_ids import ActorIds
from actor_operator.storage.counters import Counters
from actor_operator.storage.database import Database
from actor_operator.storage.runs import (
    GONE,
    PENDING,
    Mirrored,
    RunFilter,
    RunRow,
    RunRows,
    find_anywhere,
    live_accounts,
)

T = TypeVar("T")

ACCOUNT, OTHER = 1, 2
ACTOR = "b" * 17


def a_row(number: int = 1, *, account: int = ACCOUNT, **more: Any) -> RunRow:
    run_id = f"r{number:016d}"
    fields: dict[str, Any] = {
        "actor_id": ACTOR,
        "actor": "team/greeter",
        "origin": "API",
        "started_at": number,
    }
    return RunRow(**{**fields, "account": account, "id": run_id, "name": run_id, **more})


def news(attempt: int, rank: int, status: str, uid: str = "uid") -> Mirrored:
    return Mirrored(
        uid=uid,
        attempt=attempt,
        phase_rank=rank,
        status=status,
        finished_at=attempt * 100 + rank if rank == 4 else None,
        build_number="1.0.1",
        build_id="c" * 17,
        mirror=b"{}",
    )


class World:
    """Rows of two accounts."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def write(self, work: Callable[[RunRows], T], account: int = ACCOUNT) -> T:
        return await self.database.write(lambda connection: work(RunRows(connection, account)))

    async def add(self, *rows: RunRow) -> None:
        for row in rows:
            await self.write(lambda own, row=row: own.insert(row), row.account)  # type: ignore[misc]

    async def page(self, wanted: RunFilter | None = None, **more: Any) -> tuple[list[str], int]:
        options = {"offset": 0, "limit": 1000, "desc": False} | more
        rows, total = await self.write(lambda own: own.page(wanted or RunFilter(), **options))
        return [row.id for row in rows], total


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


async def test_a_row_comes_back_as_it_was_written(world: World) -> None:
    row = a_row(
        meta=b'{"origin":"API","parentActorRunId":"x"}', input_body_len=7, status_message="Hi."
    )
    await world.add(row)
    found = await world.write(lambda own: own.get(row.id))
    assert found == row
    assert found.parent == "x"
    assert await world.write(lambda own: own.get(row.id), OTHER) is None


async def test_a_pending_row_is_in_no_list_until_it_is_shown(world: World) -> None:
    row = a_row(state=PENDING)
    await world.add(row)
    assert await world.page() == ([], 0)
    assert [found.id for found in await world.write(lambda own: own.pending(2))] == [row.id]
    for _ in range(2):
        await world.write(lambda own: own.show(row.id, "uid"))
        assert await world.page() == ([row.id], 1)
    assert await world.write(lambda own: own.pending(2)) == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_in_whatever_order_news_come_the_newest_stays(
    world: World, order: tuple[int, ...]
) -> None:
    row = a_row()
    await world.add(row)
    told = [
        news(1, 1, "RUNNING"),
        news(1, 4, "FAILED"),
        news(2, 0, "READY"),
        news(2, 1, "RUNNING"),
    ]
    for number in order:
        await world.write(lambda own, number=number: own.mirror(row.id, told[number]))  # type: ignore[misc]
    found = await world.write(lambda own: own.get(row.id))
    assert found is not None
    assert (found.attempt, found.status, found.finished_at) == (2, "RUNNING", None)
    assert await world.page(RunFilter(statuses=("RUNNING",))) == ([row.id], 1)
    assert await world.page(RunFilter(statuses=("FAILED", "READY"))) == ([], 0)


async def test_lists_have_all_of_a_row_but_what_it_mirrors(world: World) -> None:
    row = a_row(mirror=b'{"phase":"RUNNING"}', status="RUNNING", status_message="Hi.")
    await world.add(row)
    rows, _ = await world.write(lambda own: own.page(RunFilter(), offset=0, limit=1, desc=True))
    assert rows == [msgspec.structs.replace(row, mirror=None)]


async def test_news_of_another_run_of_that_name_are_not_taken(world: World) -> None:
    row = a_row(uid="uid")
    await world.add(row)
    assert not await world.write(lambda own: own.mirror(row.id, news(1, 1, "RUNNING", "other")))


async def test_totals_are_right_for_each_filter_and_account(world: World) -> None:
    await world.add(
        *(a_row(n) for n in range(1, 6)),
        a_row(6, actor_id="z" * 17, status="FAILED"),
        a_row(7, origin="ACTOR", status="SUCCEEDED"),
        a_row(8, account=OTHER),
    )
    assert (await world.page())[1] == 7
    assert (await world.page(RunFilter(actor_id=ACTOR)))[1] == 6
    assert (await world.page(RunFilter(statuses=("READY", "FAILED"))))[1] == 6
    assert (await world.page(RunFilter(statuses=("READY",), actor_id=ACTOR)))[1] == 5
    wanted = [f"runs/{ACTOR}", f"runs/{'z' * 17}", "runs/unknown"]
    totals = await world.database.read(lambda own: Counters(own, ACCOUNT).totals(wanted))
    assert totals == dict(zip(wanted, [6, 1, 0], strict=True))
    ids, total = await world.page(RunFilter(started_after=2, started_before=4), limit=2)
    assert (ids, total) == ([a_row(2).id, a_row(3).id], 3)
    ids, total = await world.page(offset=1, limit=2, desc=True)
    assert (ids, total) == ([a_row(6).id, a_row(5).id], 7)
    last = await world.write(lambda own: own.last(RunFilter(origin="API", actor_id=ACTOR)))
    assert last is not None
    assert last.id == a_row(5).id


async def test_a_row_that_is_made_twice_is_there_and_counted_once(world: World) -> None:
    for _ in range(2):
        await world.write(lambda own: own.ensure(a_row()))
    assert await world.page() == ([a_row().id], 1)


async def test_a_buried_run_is_found_by_nobody_and_removed_later(world: World) -> None:
    row = a_row()
    await world.add(row)
    for _ in range(2):
        await world.write(lambda own: own.bury(row.id, 50))
    assert await world.page() == ([], 0)
    assert await world.write(lambda own: own.gone(50)) == []
    (found,) = await world.write(lambda own: own.gone(51))
    assert found.state == GONE
    await world.write(lambda own: own.forget([row.id]))
    assert await world.write(lambda own: own.get(row.id)) is None
    assert await world.page() == ([], 0)


async def test_a_buried_run_comes_back_with_its_object(world: World) -> None:
    row = a_row(uid="uid")
    await world.add(row)
    await world.write(lambda own: own.bury(row.id, 50))
    await world.write(lambda own: own.mirror(row.id, news(1, 0, "READY", "another")))
    assert await world.page() == ([], 0)
    await world.write(lambda own: own.mirror(row.id, news(1, 0, "READY")))
    assert await world.page() == ([row.id], 1)
    assert await world.write(lambda own: own.gone(51)) == []


async def test_across_accounts_only_visible_runs_of_live_accounts_are_found(world: World) -> None:
    database = world.database
    account = await database.write(lambda c: Accounts(c).ensure("team", "uid-1", 1))
    await world.add(a_row(1, account=account), a_row(2, account=account, state=PENDING))

    async def found(number: int) -> str | None:
        answer = await database.read(lambda c: find_anywhere(c, a_row(number).id))
        return answer[1] if answer is not None else None

    assert [await found(1), await found(2), await found(3)] == ["team", None, None]
    assert await database.read(live_accounts) == [(account, "team")]
    await database.write(lambda c: Accounts(c).ensure("team", "uid-2", 2))
    assert await found(1) is None


async def test_an_actor_keeps_its_id_when_it_is_made_anew(database: Database) -> None:
    def ensure(connection: Connection, wish: str) -> dict[str, str]:
        return ActorIds(connection, ACCOUNT).ensure([("greeter", wish)], 1)

    first = await database.write(lambda connection: ensure(connection, "a" * 17))
    again = await database.write(lambda connection: ensure(connection, "b" * 17))
    assert first == again == {"greeter": "a" * 17}
