"""An informer on a source in memory, and what it told."""

import asyncio

from tests.support.fake_source import FakeSource, Thing, decode_thing

from actor_operator.engine.informer import Informer
from actor_operator.engine.store import Store
from actor_operator.errors import RetryableError

HOUR = 3600.0
"""Seconds."""


class Refused(RetryableError):  # noqa: N818 -- as short as what it stands for
    """Connection refused."""


class Unavailable(RetryableError):  # noqa: N818
    """503."""


class World:
    """A source, an informer on it, and what the informer told."""

    def __init__(self) -> None:
        self.source = FakeSource()
        self.store: Store[Thing] = Store()
        self.told: list[tuple[str, str]] = []
        self.informer = Informer(
            source=self.source,
            store=self.store,
            decode=decode_thing,
            on_change=self._note,
        )
        self._task: asyncio.Task[None] | None = None

    def _note(self, old: Thing | None, new: Thing | None) -> None:
        if new is None:
            assert old is not None
            self.told.append(("gone", old.name))
        else:
            self.told.append(("new" if old is None else "changed", new.name))

    def start(self) -> None:
        self._task = asyncio.create_task(self.informer.run())

    async def stop(self) -> None:
        if self._task is None:
            return
        assert not self._task.done(), "nothing may end an informer"
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def synced(self) -> None:
        self.start()
        await asyncio.wait_for(self.informer.synced.wait(), HOUR)
        await self.settle()

    async def settle(self, seconds: float = 1.0) -> None:
        await asyncio.sleep(seconds)

    def assert_equal_to_server(self) -> None:
        held = {t.name: (t.uid, t.resource_version, t.value) for t in self.store}
        assert held == {
            name: (o["metadata"]["uid"], o["metadata"]["resourceVersion"], o["value"])
            for name, o in self.source.objects.items()
        }
