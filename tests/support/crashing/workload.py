"""Steps that use every kind of storage, and what each makes true."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from tests.support.crashing.world import START, World, digest

from actor_operator.services.queue_requests import request_id
from actor_operator.storage.catalog import StorageKind
from actor_operator.storage.removals import remove_content
from actor_operator.storage.uploads import HOUR, sweep

STORE, DATASET, QUEUE = (
    StorageKind.KEY_VALUE_STORE,
    StorageKind.DATASET,
    StorageKind.REQUEST_QUEUE,
)
CLIENT = "worker"
LOCK_SECS = 600


@dataclass(frozen=True)
class Step:
    """Something that the workload does."""

    fact: str
    """What it changes; `check.observe` looks at it."""
    value: Any
    """What can be seen there afterwards; None: nothing is there."""
    act: Callable[[World], Awaitable[object]]


def body(size: int, seed: int) -> bytes:
    """Bytes that no compression makes smaller."""
    return random.Random(seed).randbytes(size)  # noqa: S311 -- no secret


SMALL, OTHER, LARGE, LARGER = body(300, 1), body(900, 2), body(90_000, 3), body(150_000, 4)
ROWS = [{"n": number, "text": "x" * 40} for number in range(30)]
BLOBS = [{"blob": body(40_000, 5 + number).hex()} for number in range(2)]


def _put(key: str, content: bytes) -> Step:
    return Step(f"record {key}", digest(content), lambda world: world.put(key, content))


def _push(name: str, before: list[Any], items: list[Any]) -> Step:
    return Step(f"dataset {name}", before + items, lambda world: world.push(name, items))


def _make(kind: StorageKind, name: str, fact: str, value: Any) -> Step:
    return Step(fact, value, lambda world: world.make(kind, name))


def _remove_record(key: str) -> Step:
    async def act(world: World) -> None:
        await world.stores.delete_record(await world.ref(STORE, "store"), key)

    return Step(f"record {key}", None, act)


def _draft(key: str, **more: Any) -> dict[str, Any]:
    return {"url": f"https://example.org/{key}", "uniqueKey": key, **more}


def _add(name: str, keys: str, value: Any) -> Step:
    async def act(world: World) -> None:
        text = msgspec.json.encode([_draft(key) for key in keys])
        queue = await world.ref(QUEUE, name)
        await world.queues.add_batch(queue, text, forefront=False, client_key=None)

    return Step(f"queue {name}", value, act)


def _lock(count: int, value: Any) -> Step:
    async def act(world: World) -> None:
        await world.queues.locks.head_and_lock(
            await world.ref(QUEUE, "queue"), lock_secs=LOCK_SECS, limit=count, client_key=CLIENT
        )

    return Step("queue queue", value, act)


def _handle(key: str, value: Any) -> Step:
    async def act(world: World) -> None:
        text = msgspec.json.encode(_draft(key, handledAt="2024-01-31T12:00:00.000Z"))
        queue = await world.ref(QUEUE, "queue")
        await world.queues.update(queue, request_id(key), text, forefront=False, client_key=CLIENT)

    return Step("queue queue", value, act)


def _unlock(key: str, value: Any) -> Step:
    async def act(world: World) -> None:
        await world.queues.locks.unlock(
            await world.ref(QUEUE, "queue"), request_id(key), forefront=False, client_key=CLIENT
        )

    return Step("queue queue", value, act)


def _remove_request(key: str, value: Any) -> Step:
    async def act(world: World) -> None:
        queue = await world.ref(QUEUE, "queue")
        await world.queues.delete(queue, request_id(key), client_key=CLIENT)

    return Step("queue queue", value, act)


def _join(name: str, value: Any) -> Step:
    async def act(world: World) -> None:
        dataset = await world.ref(DATASET, name)
        await world.compactor.compact(world.account, dataset.id)

    return Step(f"dataset {name}", value, act)


async def _tidy(world: World) -> None:
    """Remove content of deleted storages, and objects: two hours later."""
    await remove_content(world.database, START)
    await sweep(world.database, world.objects, START + 2 * HOUR)


def steps() -> list[list[Step]]:
    """The workload: steps that are done at the same time stand together."""
    tiny = [{"n": number} for number in range(3)]
    return [
        [_make(STORE, "store", "store", True)],
        [_make(DATASET, "data", "dataset data", []), _make(QUEUE, "queue", "queue queue", {})],
        [_put("a", SMALL)],
        [_put("large", LARGE)],
        [_push("data", [], ROWS)],
        [_put("a", LARGER), _put("b", OTHER), _push("data", ROWS, BLOBS)],
        [_put("large", SMALL)],
        [_add("queue", "abc", {"a": "free", "b": "free", "c": "free"})],
        [_lock(2, {"a": "locked", "b": "locked", "c": "free"}), _put("b", LARGE)],
        [_handle("a", {"a": "handled", "b": "locked", "c": "free"})],
        [_unlock("b", {"a": "handled", "b": "free", "c": "free"})],
        [_remove_request("c", {"a": "handled", "b": "free"}), _remove_record("a")],
        [_make(DATASET, "many", "dataset many", [])],
        *([_push("many", tiny[:number], [tiny[number]])] for number in range(len(tiny))),
        [_join("many", tiny), _make(QUEUE, "other", "queue other", {})],
        [
            Step("dataset data", None, lambda world: world.remove(DATASET, "data")),
            _add("other", "xy", {"x": "free", "y": "free"}),
        ],
        [Step("nothing", None, _tidy)],
        [_put("last", OTHER)],
    ]
