"""In which namespaces an installation works."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.constants import LABEL_INSTALL
from actor_operator.engine.store import Store
from actor_operator.kube.errors import ApiError, ForbiddenError, ServerError
from actor_operator.reconcile.claims import HAND_OVER, READ_PAUSE, ClaimReader, Claims

pytestmark = pytest.mark.looptime


def a_namespace(name: str, install: str | None = None, version: int = 1) -> NamespaceView:
    labels = {} if install is None else {LABEL_INSTALL: install}
    return NamespaceView(Metadata(name, uid=name, resource_version=str(version), labels=labels))


def a_claim(*only: str, **labels: str) -> Claims:
    labelled: Store[NamespaceView] = Store()
    for name, install in labels.items():
        labelled.apply(a_namespace(name, install))
    return Claims(own="ours", only=only, labelled=labelled)


def test_an_installation_for_the_whole_cluster_works_wherever_nobody_else_does() -> None:
    claims = a_claim(claimed="theirs")

    assert claims.serves("free")
    assert not claims.serves("claimed")


def test_an_installation_of_some_namespaces_works_where_it_may_and_is_named() -> None:
    claims = a_claim("one", "two", "three", one="ours", two="theirs", other="ours")

    served = [name for name in ("one", "two", "three", "other", "free") if claims.serves(name)]
    assert served == ["one"]


async def test_a_namespace_that_lost_its_label_is_free_once_its_operator_knows() -> None:
    claims = a_claim()
    looked_at: list[str] = []

    claims.release("freed", looked_at.append)
    await asyncio.sleep(READ_PAUSE)
    assert not claims.serves("freed")
    assert looked_at == []

    await asyncio.sleep(HAND_OVER)
    assert claims.serves("freed")
    assert looked_at == ["freed"]


class World:
    """Two namespaces, of which one is not ours yet, and their reader."""

    def __init__(self) -> None:
        self.found: dict[str, NamespaceView] = {
            "one": a_namespace("one", "ours"),
            "two": a_namespace("two"),
        }
        self.error: ApiError | None = None
        self.cold: set[str] = set()
        self.told: list[tuple[str, bool]] = []
        self.labelled: Store[NamespaceView] = Store()
        only = ("one", "two")
        self.claims = Claims(own="ours", only=only, labelled=self.labelled)
        self.reader = ClaimReader(
            own="ours",
            only=only,
            labelled=self.labelled,
            reader=cast("Any", self),
            is_warm=lambda name: name not in self.cold,
            on_change=self.note,
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self.reader.run())
        await asyncio.sleep(1)

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def read(self, name: str) -> NamespaceView | None:
        if self.error:
            raise self.error
        return self.found.get(name)

    def note(self, old: NamespaceView | None, new: NamespaceView | None) -> None:
        found = new or old
        assert found is not None
        self.told.append((found.name, self.claims.serves(found.name)))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.stop()


async def test_a_namespace_is_worked_in_once_its_label_was_read(world: World) -> None:
    await world.start()
    assert world.told == [("one", True)]
    assert not world.claims.serves("two")

    world.found["two"] = a_namespace("two", "ours", 2)
    await asyncio.sleep(READ_PAUSE + 1)

    assert world.told == [("one", True), ("two", True)]


@pytest.mark.parametrize("install", [None, "theirs"])
async def test_a_namespace_that_loses_its_label_is_left_alone(
    world: World, install: str | None
) -> None:
    await world.start()
    world.found["one"] = a_namespace("one", install, 2)
    await asyncio.sleep(READ_PAUSE + 1)

    assert world.told == [("one", True), ("one", False)]
    assert not world.claims.serves("one")


async def test_a_namespace_that_is_gone_is_left_alone(world: World) -> None:
    await world.start()
    del world.found["one"]
    await asyncio.sleep(READ_PAUSE + 1)

    assert not world.claims.serves("one")


async def test_an_outage_changes_nothing(world: World) -> None:
    await world.start()
    world.error = ServerError("down", status=503)
    await asyncio.sleep(2 * READ_PAUSE)

    assert world.claims.serves("one")
    assert world.told == [("one", True)]


async def test_a_namespace_that_may_not_be_read_any_more_is_left_alone(world: World) -> None:
    """Its role has gone with it."""
    await world.start()
    world.error = ForbiddenError("no", status=403)
    await asyncio.sleep(READ_PAUSE + 1)

    assert not world.claims.serves("one")


async def test_nobody_works_in_a_namespace_that_has_not_been_listed(world: World) -> None:
    world.cold = {"one"}
    await world.start()
    assert not world.claims.serves("one")
    assert not world.reader.known.is_set()

    world.cold = set()
    await asyncio.sleep(1)

    assert world.claims.serves("one")
    assert world.reader.known.is_set()


async def test_an_outage_at_the_start_is_waited_for(world: World) -> None:
    world.error = ServerError("down", status=503)
    await world.start()
    assert not world.reader.known.is_set()

    world.error = None
    await asyncio.sleep(1)

    assert world.reader.known.is_set()
