"""What the metrics are told of the database and of the store of large bodies."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection

from actor_operator.metrics_api import ApiMetrics
from actor_operator.storage.counters import Counters
from actor_operator.storage.database import Database
from actor_operator.storage.objects import (
    ObjectMissingError,
    ObjectStore,
    ObjectStoreUnavailableError,
)
from actor_operator.storage.observed import ObservedObjects


async def test_every_write_is_told_once_with_the_commit_that_it_was_part_of(
    database: Database,
) -> None:
    told: list[tuple[int, float]] = []
    database.on_commit(lambda writes, seconds: told.append((writes, seconds)))

    def write(connection: Connection) -> None:
        Counters(connection, 1).add("x", "y", 1)

    await asyncio.gather(*(database.write(write) for _ in range(20)))
    await database.read(lambda connection: Counters(connection, 1).total("x"))

    assert sum(writes for writes, _ in told) == 20
    assert all(seconds > 0 for _, seconds in told)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_succeeds_is_passed_on_and_no_failure(objects: ObjectStore) -> None:
    failures: list[str] = []
    observed = ObservedObjects(objects, failures.append)

    assert await observed.put("1/a", chunks(b"one", b"two")) == 6
    assert b"".join([part async for part in await observed.get("1/a", 1, 3)]) == b"net"
    assert [key async for key in observed.list("")] == ["1/a"]
    await observed.delete("1/a")
    assert [key async for key in observed.list("")] == []
    assert failures == []


class Broken:
    """A store that does not answer, or breaks in the middle."""

    async def put(self, _key: str, _body: AsyncIterator[bytes]) -> int:
        raise ObjectStoreUnavailableError("away")

    async def get(
        self, key: str, _start: int = 0, _length: int | None = None
    ) -> AsyncIterator[bytes]:
        if key == "1/missing":
            raise ObjectMissingError(key)
        return self._breaking()

    async def delete(self, _key: str) -> None:
        raise ObjectStoreUnavailableError("away")

    async def list(self, _prefix: str) -> AsyncIterator[str]:
        yield "1/a"
        raise ObjectStoreUnavailableError("away")

    @staticmethod
    async def _breaking() -> AsyncIterator[bytes]:
        yield b"x"
        raise ObjectStoreUnavailableError("away")


async def test_failures_are_counted_by_operation_also_those_in_the_middle_of_a_stream() -> None:
    metrics = ApiMetrics()
    observed = ObservedObjects(Broken(), metrics.note_object_failure)
    with pytest.raises(ObjectStoreUnavailableError):
        await observed.put("1/a", chunks())
    with pytest.raises(ObjectMissingError):
        await observed.get("1/missing")
    stream = await observed.get("1/a")
    with pytest.raises(ObjectStoreUnavailableError):
        assert [part async for part in stream]
    with pytest.raises(ObjectStoreUnavailableError):
        await observed.delete("1/a")
    with pytest.raises(ObjectStoreUnavailableError):
        assert [key async for key in observed.list("")]

    name = "actor_operator_api_object_failures_total"
    counts = {
        operation: metrics.registry.get_sample_value(name, {"operation": operation})
        for operation in ("put", "get", "delete", "list")
    }
    assert counts == {"put": 1, "get": 2, "delete": 1, "list": 1}


async def test_a_consumer_that_fails_by_itself_is_no_failure_of_the_store(
    objects: ObjectStore,
) -> None:
    failures: list[str] = []
    observed = ObservedObjects(objects, failures.append)

    async def cut() -> AsyncIterator[bytes]:
        yield b"x"
        raise ValueError("the upload was cut")

    with pytest.raises(ValueError, match="cut"):
        await observed.put("1/a", cut())
    assert failures == []
