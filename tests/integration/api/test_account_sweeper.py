"""Accounts whose namespace is gone: kept, adopted, or removed with all they had."""

from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from tests.integration.api.test_run_rows import a_row

from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.engine.store import Store
from actor_operator.services.account_sweeper import AccountSweeper
from actor_operator.storage.accounts import Account, Accounts
from actor_operator.storage.across import across_accounts
from actor_operator.storage.actor_ids import ActorIds
from actor_operator.storage.catalog import Catalog, NewStorage, StorageKind
from actor_operator.storage.database import Database
from actor_operator.storage.logs import LogOwners, LogRow, LogSegments, NewSegment
from actor_operator.storage.records import Records
from actor_operator.storage.removals import remove_content
from actor_operator.storage.run_starts import create_storages
from actor_operator.storage.runs import RunRows
from actor_operator.storage.tables import METADATA

DAY = 86_400
STORE = StorageKind.KEY_VALUE_STORE


class World:
    """Two accounts with things, and the sweeper."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = 1_700_000_000_000
        self.namespaces: Store[NamespaceView] = Store()
        self.sweeper = AccountSweeper(database, self.namespaces, 30 * DAY, lambda: self.now)

    def there(self, name: str, uid: str) -> None:
        meta = Metadata(name, uid=uid, resource_version=str(self.now))
        self.namespaces.apply(NamespaceView(meta))

    def gone(self, name: str, uid: str) -> None:
        self.namespaces.remove("", name, uid)

    async def ensure(self, name: str, uid: str, adopts: str = "") -> int:
        return await self.database.write(
            lambda connection: Accounts(connection).ensure(name, uid, self.now, adopts)
        )

    async def account(self, number: int) -> Account:
        found = await self.database.read(lambda connection: Accounts(connection).get(number))
        assert found is not None
        return found

    async def fill(self, account: int) -> None:
        """Give an account something of everything."""

        def fill(connection: Connection) -> None:
            for number in range(3):
                row = a_row(account * 10 + number, account=account)
                RunRows(connection, account).insert(row)
                create_storages(connection, row)
            store, _ = Catalog(connection, account).create(NewStorage(STORE, "kept"), self.now)
            Records(connection, account).put(
                store.id, "k", b"x", content_type="a/b", content_encoding=None, now=self.now
            )
            ActorIds(connection, account).ensure([("greeter", f"a{account:016d}")], self.now)
            LogOwners(connection, account).take(row.id, "me", self.now, self.now + 1)
            LogSegments(connection, account).append(
                row.id, LogRow(attempt=1), NewSegment(1, 1, b"x"), owner="me", now=self.now
            )

        await self.database.write(fill)

    async def left(self, account: int) -> dict[str, int]:
        """How many rows of each table an account has."""

        def count(connection: Connection) -> dict[str, int]:
            found = {}
            for table in METADATA.tables.values():
                if "account" in table.c:
                    query: Any = select(func.count()).where(table.c.account == account)
                    found[table.name] = connection.execute(across_accounts(query)).scalar_one()
            return {name: number for name, number in found.items() if number}

        return await self.database.read(count)


@pytest.fixture
async def world(database: Database) -> World:
    world = World(database)
    world.there("team", "one")
    world.there("others", "two")
    for name, uid in (("team", "one"), ("others", "two")):
        await world.fill(await world.ensure(name, uid))
    return world


async def test_what_a_namespace_had_is_removed_a_month_after_its_end_and_nothing_else(
    world: World,
) -> None:
    before = await world.left(2)
    world.gone("team", "one")
    await world.sweeper.sweep()
    await world.sweeper.sweep()
    world.now += 30 * DAY * 1000 - 1
    await world.sweeper.sweep()
    assert (await world.left(1))["runs"] == 3
    world.now += 1
    await world.sweeper.sweep()
    await remove_content(world.database, world.now)
    await world.sweeper.sweep()

    assert await world.left(1) == {}
    assert (await world.account(1)).purged_at == world.now
    assert await world.left(2) == before
    assert await world.ensure("team", "three") == 3


async def test_a_namespace_that_one_replica_has_not_heard_of_yet_stays_in_use(
    world: World,
) -> None:
    await world.ensure("new", "three")
    await world.sweeper.sweep()
    world.there("new", "three")
    await world.sweeper.sweep()
    await world.sweeper.sweep()
    assert (await world.account(3)).unreachable_at is None


async def test_nothing_is_judged_before_namespaces_are_known(database: Database) -> None:
    world = World(database)
    number = await world.ensure("team", "one")
    for _ in range(3):
        await world.sweeper.sweep()
    assert (await world.account(number)).unreachable_at is None


async def test_a_namespace_that_is_seen_again_is_in_use_again(world: World) -> None:
    world.gone("team", "one")
    await world.sweeper.sweep()
    await world.sweeper.sweep()
    assert (await world.account(1)).unreachable_at == world.now
    world.there("team", "one")
    world.now += 60 * DAY * 1000
    await world.sweeper.sweep()
    assert (await world.account(1)).unreachable_at is None
    assert (await world.left(1))["runs"] == 3


async def test_a_new_namespace_has_what_the_old_one_had_when_it_adopts_it(world: World) -> None:
    world.gone("team", "one")
    world.there("team", "three")
    assert await world.ensure("team", "three") == 3
    assert await world.ensure("team", "three", adopts="one") == 1
    assert await world.ensure("team", "three", adopts="one") == 1
    assert await world.ensure("team", "three") == 1

    world.now += 31 * DAY * 1000
    await world.sweeper.sweep()
    assert (await world.left(1))["runs"] == 3
    put_aside = await world.account(3)
    assert put_aside.namespace_uid == "replaced-3"
    assert put_aside.unreachable_at is not None


async def test_an_adoption_can_be_taken_back(world: World) -> None:
    assert await world.ensure("team", "three") == 3
    await world.ensure("team", "three", adopts="one")
    assert await world.ensure("team", "three", adopts="replaced-3") == 3
    assert (await world.account(1)).namespace_uid == "replaced-1"


async def test_nobody_adopts_what_a_namespace_of_another_name_had(world: World) -> None:
    world.gone("team", "one")
    assert await world.ensure("thief", "three", adopts="one") == 3
    assert await world.ensure("thief", "three", adopts="two") == 3
    assert (await world.account(2)).namespace_uid == "two"
