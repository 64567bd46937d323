"""What must hold of what a crash left behind."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select
from tests.support.crashing.entries import Entry, Kind
from tests.support.crashing.workload import steps
from tests.support.crashing.world import START, World

from actor_operator.services.access import StorageRef
from actor_operator.storage.catalog import NAMED, StorageKind
from actor_operator.storage.counters import Counters
from actor_operator.storage.objects import ObjectMissingError
from actor_operator.storage.removals import remove_content
from actor_operator.storage.tables import BLOCKS, RECORDS, REQUESTS, STORAGES
from actor_operator.storage.uploads import HOUR, UPLOAD_TIME, sweep

WITH_OBJECTS = (RECORDS, BLOCKS)


async def problems(world: World, entries: Iterable[Entry], *, tidies: bool) -> list[str]:
    """What is wrong: lost, half there, left over, or counted wrongly.

    Parameters
    ----------
    world
        The storages, opened again.
    entries
        What was done and acknowledged before.
    tidies
        Whether what is left over may be removed, which must work then.
    """
    found = [*await _lost(world, allowed(entries)), *await _miscounted(world)]
    found += await _missing_objects(world)
    if not tidies:
        return found
    await _tidy(world)
    return [*found, *await _missing_objects(world), *await _left_over(world)]


def allowed(entries: Iterable[Entry]) -> dict[str, list[Any]]:
    """What may be seen of each fact: the last acknowledged value, and those that were underway."""
    numbered = [step for group in steps() for step in group]
    values: dict[str, list[Any]] = {step.fact: [None] for step in numbered}
    underway: set[int] = set()
    for entry in entries:
        if entry.kind is Kind.BEGUN:
            underway.add(entry.offset)
        elif entry.kind is Kind.DONE:
            underway.discard(entry.offset)
            step = numbered[entry.offset]
            values[step.fact] = [step.value]
    for step in (numbered[number] for number in underway):
        values[step.fact].append(step.value)
    return values


async def _lost(world: World, expected: dict[str, list[Any]]) -> list[str]:
    found = []
    for fact, values in expected.items():
        try:
            seen = await observe(world, fact)
        except ObjectMissingError as error:
            found.append(f"{fact}: {error}")
            continue
        if seen not in values:
            found.append(f"{fact}: there is {str(seen)[:200]} instead of {str(values)[:200]}")
    return found


async def observe(world: World, fact: str) -> Any:
    """What can be seen of a fact, as the steps say it; None: nothing is there."""
    what, _, name = fact.partition(" ")
    kind = {
        "store": StorageKind.KEY_VALUE_STORE,
        "record": StorageKind.KEY_VALUE_STORE,
        "dataset": StorageKind.DATASET,
        "queue": StorageKind.REQUEST_QUEUE,
    }.get(what)
    if kind is None:
        return None
    storage_name = "store" if kind is StorageKind.KEY_VALUE_STORE else name
    row = await world.row(kind, storage_name)
    if row is None:
        return None
    storage = StorageRef(world.account, row.id, world.caller)
    match what:
        case "record":
            return await world.record(storage, name)
        case "dataset":
            return await world.items(storage)
        case "queue":
            return await _requests(world, storage)
        case _:
            return True


async def _requests(world: World, queue: StorageRef) -> dict[str, str]:
    """The state of each request, by its unique key."""
    found = {}
    for state in ("all", "locked"):
        page = await world.queues.page(
            queue, start="", cursor="", limit=0, states=() if state == "all" else (state,),
            client_key=None,
        )  # fmt: skip
        for item in map(msgspec.json.decode, page["items"]):
            done = "handled" if item.get("handledAt") else "free"
            found[item["uniqueKey"]] = done if state == "all" else state
    return found


async def _miscounted(world: World) -> list[str]:
    return await world.database.read(lambda connection: _compare(connection, world.account))


def _compare(connection: Connection, account: int) -> list[str]:
    """Compare every counter with what it counts."""
    found = []
    rows = connection.execute(select(STORAGES).where(STORAGES.c.account == account)).all()
    for row in rows:
        counted = _count(connection, row)
        kept = {name: getattr(row, name) for name in counted}
        if kept != counted:
            found.append(f"{row.kind} {row.name}: its row says {kept}, there are {counted}")
    for kind in StorageKind:
        total = Counters(connection, account).total(kind, (NAMED,))
        there = sum(row.kind == kind for row in rows)
        if total != there:
            found.append(f"{kind}: {total} are counted, there are {there}")
    return found


def _count(connection: Connection, row: Any) -> dict[str, int]:
    table = {
        StorageKind.KEY_VALUE_STORE: RECORDS,
        StorageKind.DATASET: BLOCKS,
        StorageKind.REQUEST_QUEUE: REQUESTS,
    }[row.kind]
    inside = (table.c.account == row.account, table.c.storage == row.id)
    size = connection.scalar(select(func.coalesce(func.sum(table.c.size), 0)).where(*inside))
    counted = {"storage_bytes": int(size or 0)}
    if table is BLOCKS:
        items = connection.scalar(select(func.coalesce(func.sum(BLOCKS.c.count), 0)).where(*inside))
        counted["item_count"] = int(items or 0)
    if table is REQUESTS:
        query = select(func.count(), func.count(REQUESTS.c.handled_at)).where(*inside)
        counted["item_count"], counted["handled_count"] = connection.execute(query).one()
    return counted


async def _referred(world: World) -> set[str]:
    def read(connection: Connection) -> set[str]:
        keys: set[str] = set()
        for table in WITH_OBJECTS:
            query = select(table.c.object_key).where(
                table.c.account == world.account, table.c.object_key.is_not(None)
            )
            keys.update(connection.scalars(query))
        return keys

    return await world.database.read(read)


async def _stored(world: World) -> set[str]:
    return {key async for key in world.objects.list(f"{world.account}/")}


async def _missing_objects(world: World) -> list[str]:
    missing = await _referred(world) - await _stored(world)
    return [f"a row refers to the object {key}, which is missing" for key in sorted(missing)]


async def _left_over(world: World) -> list[str]:
    surplus = await _stored(world) - await _referred(world)
    return [f"nothing refers to the object {key}, and it stays" for key in sorted(surplus)]


async def _tidy(world: World) -> None:
    """Do what the server does in the background, until long after the crash."""
    await remove_content(world.database, START)
    for time in (START, START + UPLOAD_TIME + HOUR, START + UPLOAD_TIME + 3 * HOUR):
        await sweep(world.database, world.objects, time)
