"""The catalogue of storages, and accounts, on each database."""

import asyncio
import re
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from actor_operator.desired.names import ID_ALPHABET, ID_LENGTH
from actor_operator.storage.accounts import Account, Accounts
from actor_operator.storage.any_account import find_in_any_account
from actor_operator.storage.catalog import (
    Catalog,
    NameTakenError,
    NewStorage,
    StorageChanges,
    StorageKind,
    StorageRow,
    new_id,
)
from actor_operator.storage.database import Database
from actor_operator.storage.records import Records
from actor_operator.storage.removals import BATCH, remove_content

T = TypeVar("T")

MINE, OTHERS = 1, 2
NOW = 1_700_000_000_000
KVS, DATASET = StorageKind.KEY_VALUE_STORE, StorageKind.DATASET
DERIVED = "k" * ID_LENGTH


class World:
    """The catalogue of an account."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def do(self, work: Callable[[Catalog], T], account: int = MINE) -> T:
        return await self.database.write(lambda connection: work(Catalog(connection, account)))

    async def make(self, name: str | None = None, now: int = NOW) -> StorageRow:
        row, made = await self.do(lambda catalog: catalog.create(NewStorage(KVS, name), now))
        assert made
        return row

    async def names(
        self, *, offset: int = 0, limit: int = 100, desc: bool = False, unnamed: bool = False
    ) -> tuple[int, list[str | None]]:
        page = await self.do(
            lambda catalog: catalog.page(
                KVS, offset=offset, limit=limit, desc=desc, unnamed=unnamed
            )
        )
        return page.total, [item.name for item in page.items]


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


async def test_a_name_is_one_storage_whatever_the_case_of_its_letters(world: World) -> None:
    first = await world.make("My-Store")

    second, made = await world.do(
        lambda catalog: catalog.create(NewStorage(KVS, "mY-sTORE"), NOW + 1)
    )

    assert (second, made) == (first, False)
    assert await world.do(lambda catalog: catalog.find(KVS, "MY-STORE")) == first
    assert await world.do(lambda catalog: catalog.get(KVS, first.id)) == first


async def test_of_many_who_make_the_same_at_once_one_makes_it(world: World) -> None:
    results = await asyncio.gather(
        *(
            world.do(lambda catalog: catalog.create(NewStorage(KVS, "shared"), NOW))
            for _ in range(20)
        )
    )

    assert len({row.id for row, _ in results}) == 1
    assert sum(made for _, made in results) == 1
    assert await world.names() == (1, ["shared"])


async def test_kinds_and_accounts_have_names_of_their_own(world: World) -> None:
    mine = await world.make("same")
    dataset, made = await world.do(lambda catalog: catalog.create(NewStorage(DATASET, "same"), NOW))
    others, made_too = await world.do(
        lambda catalog: catalog.create(NewStorage(KVS, "same"), NOW), OTHERS
    )

    assert made
    assert made_too
    assert len({mine.id, dataset.id, others.id}) == 3
    assert await world.do(lambda catalog: catalog.get(DATASET, mine.id)) is None
    assert await world.do(lambda catalog: catalog.get(KVS, others.id)) is None
    assert await world.do(lambda catalog: catalog.delete(KVS, others.id, NOW)) is False
    changes = StorageChanges(title="stolen")
    assert await world.do(lambda catalog: catalog.update(KVS, others.id, changes, NOW)) is None


async def test_a_derived_id_is_made_once(world: World) -> None:
    new = NewStorage(KVS, id=DERIVED, run_id="r" * ID_LENGTH, actor_id="a" * ID_LENGTH)

    first = await world.do(lambda catalog: catalog.create(new, NOW))
    second = await world.do(lambda catalog: catalog.create(new, NOW + 1))

    assert (first[1], second[1]) == (True, False)
    assert first[0] == second[0]
    assert first[0].id == DERIVED
    assert await world.do(lambda catalog: catalog.of_run("r" * ID_LENGTH)) == [first[0]]


async def test_what_is_made_again_under_a_deleted_id_is_empty(world: World) -> None:
    new = NewStorage(KVS, id=DERIVED)

    def fill(connection: Connection) -> None:
        for number in range(BATCH + 5):
            Records(connection, MINE).put(
                DERIVED, f"k{number}", b"x", content_type="", content_encoding=None, now=NOW
            )

    await world.do(lambda catalog: catalog.create(new, NOW))
    await world.database.write(fill)
    await world.do(lambda catalog: catalog.delete(KVS, DERIVED, NOW))
    await world.do(lambda catalog: catalog.create(new, NOW))
    await world.database.write(
        lambda connection: Records(connection, MINE).put(
            DERIVED, "new", b"y", content_type="", content_encoding=None, now=NOW
        )
    )

    assert await remove_content(world.database, NOW) == 0
    page = await world.database.read(
        lambda connection: Records(connection, MINE).keys(DERIVED, limit=10)
    )
    assert page.items == [("new", 1)]


async def test_a_list_has_its_pages_in_the_order_of_making(world: World) -> None:
    for number in range(5):
        await world.make(f"s{number}", NOW + number)
        await world.make(None, NOW + number)

    assert await world.names() == (5, ["s0", "s1", "s2", "s3", "s4"])
    assert await world.names(desc=True, limit=2) == (5, ["s4", "s3"])
    assert await world.names(offset=3, limit=2) == (5, ["s3", "s4"])
    assert await world.names(offset=9) == (5, [])
    total, names = await world.names(unnamed=True)
    assert (total, len(names), names.count(None)) == (10, 10, 5)


async def test_totals_follow_names_that_are_given_and_storages_that_go(world: World) -> None:
    first, second = await world.make(), await world.make("named")

    changes = StorageChanges(name="First", title="The first", general_access="RESTRICTED")
    changed = await world.do(lambda catalog: catalog.update(KVS, first.id, changes, NOW + 9))
    assert changed is not None
    assert (changed.name, changed.title) == ("First", "The first")
    assert (changed.general_access, changed.modified_at) == ("RESTRICTED", NOW + 9)
    assert (await world.names())[0] == 2

    assert await world.do(lambda catalog: catalog.delete(KVS, second.id, NOW))
    assert not await world.do(lambda catalog: catalog.delete(KVS, second.id, NOW))
    assert await world.names() == (1, ["First"])
    assert (await world.names(unnamed=True))[0] == 1


async def test_a_name_that_another_one_has_is_refused(world: World) -> None:
    await world.make("taken")
    other = await world.make("other", NOW + 1)

    with pytest.raises(NameTakenError, match="TAKEN"):
        await world.do(
            lambda catalog: catalog.update(KVS, other.id, StorageChanges(name="TAKEN"), NOW)
        )

    assert await world.names() == (2, ["taken", "other"])
    # Its own name in other letters is none that another one has.
    changed = await world.do(
        lambda catalog: catalog.update(KVS, other.id, StorageChanges(name="Other"), NOW)
    )
    assert changed is not None
    assert changed.name == "Other"


async def test_only_the_search_for_checks_of_access_sees_other_accounts(world: World) -> None:
    row = await world.make("mine")

    found = await world.database.read(
        lambda connection: find_in_any_account(connection, KVS, row.id)
    )

    assert found == (MINE, row)
    assert (
        await world.database.read(
            lambda connection: find_in_any_account(connection, DATASET, row.id)
        )
        is None
    )


def test_random_ids_have_the_form_of_ids() -> None:
    ids = {new_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert all(re.fullmatch(f"[a-z][{ID_ALPHABET}]{{{ID_LENGTH - 1}}}", each) for each in ids)


async def test_a_namespace_made_anew_is_another_account(database: Database) -> None:
    async def ensure(uid: str, now: int) -> int:
        return await database.write(
            lambda connection: Accounts(connection).ensure("team", uid, now)
        )

    async def current() -> Account | None:
        return await database.read(lambda connection: Accounts(connection).of_namespace("team"))

    old = await ensure("uid-1", NOW)
    assert await ensure("uid-1", NOW + 1) == old

    new = await ensure("uid-2", NOW + 2)

    assert new != old
    assert await current() == Account(new, "team", "uid-2", NOW + 2, None)
    gone = await database.read(lambda connection: Accounts(connection).unreachable(NOW + 3))
    assert gone == [Account(old, "team", "uid-1", NOW, NOW + 2)]


async def test_a_replica_that_lags_does_not_bring_the_namespace_before_back(
    database: Database,
) -> None:
    async def ensure(uid: str, now: int) -> int:
        return await database.write(
            lambda connection: Accounts(connection).ensure("team", uid, now)
        )

    old, new = await ensure("uid-1", NOW), await ensure("uid-2", NOW + 1)

    assert await ensure("uid-1", NOW + 2) == old

    current = await database.read(lambda connection: Accounts(connection).of_namespace("team"))
    assert current is not None
    assert (current.id, current.unreachable_at) == (new, None)
    gone = await database.read(lambda connection: Accounts(connection).unreachable(NOW + 3))
    assert [account.id for account in gone] == [old]


async def test_replicas_that_see_a_namespace_together_make_one_account(
    database: Database,
) -> None:
    numbers = await asyncio.gather(
        *(
            database.write(lambda connection: Accounts(connection).ensure("team", "uid", NOW))
            for _ in range(10)
        )
    )

    assert len(set(numbers)) == 1


async def test_nobody_finds_the_storages_of_a_namespace_that_is_gone(
    world: World, database: Database
) -> None:
    account = await database.write(lambda c: Accounts(c).ensure("team", "uid-1", NOW))
    row, _ = await world.do(lambda catalog: catalog.create(NewStorage(KVS, "old"), NOW), account)
    assert await database.read(lambda c: find_in_any_account(c, KVS, row.id)) is not None

    await database.write(lambda c: Accounts(c).ensure("team", "uid-2", NOW + 1))

    assert await database.read(lambda c: find_in_any_account(c, KVS, row.id)) is None
