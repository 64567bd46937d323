"""An informer over HTTP, and a second client that changes what it watches."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from actor_operator.api.views.metadata import ObjectView
from actor_operator.engine.informer import Informer
from actor_operator.engine.store import Store
from actor_operator.kube.client import KubeClient
from actor_operator.kube.credentials import Connection
from actor_operator.kube.resources import Resource
from actor_operator.kube.source import KindSource
from actor_operator.kube.transport import Timeouts

SECRETS = Resource("", "v1", "secrets", "Secret")
"""A kind that every server has and that changes only when a test says so."""

NAMESPACE = "default"
"""Where the objects are."""

SELECTOR = "test=mirror"
"""Label selector of the objects."""

QUICK = Timeouts(connect=1.0, read=5.0, write=2.0, silence=3.0)
"""Time limits for tests that wait for silence."""


class Thing(ObjectView, frozen=True):
    """As much of an object as is compared."""

    data: dict[str, str] = {}  # noqa: RUF012 -- msgspec copies empty defaults


_DECODER = msgspec.json.Decoder(Thing)


@dataclass
class Mirror:
    """A store that follows a server."""

    client: KubeClient
    admin: KubeClient
    store: Store[Thing]
    informer: Informer[Thing]
    told: list[tuple[str | None, str | None]] = field(default_factory=list)
    """Names before and after, of each change."""

    async def put(self, name: str, value: str) -> str:
        """Create or change an object; returns its resourceVersion."""
        metadata = {"name": name, "namespace": NAMESPACE, "labels": {"test": "mirror"}}
        body = {"metadata": metadata, "stringData": {"value": value}}
        known = await self.admin.get(SECRETS, NAMESPACE, name)
        if known is None:
            answer = await self.admin.create(SECRETS, NAMESPACE, json.dumps(body).encode())
        else:
            answer = await self.admin.put(SECRETS, NAMESPACE, name, json.dumps(body).encode())
        return _DECODER.decode(answer).resource_version

    async def delete(self, name: str) -> None:
        """Delete an object."""
        await self.admin.delete(SECRETS, NAMESPACE, name)

    async def on_server(self) -> dict[str, tuple[str, str]]:
        """Uid and version of all objects that the server has."""
        page = await self.admin.list_page(SECRETS, NAMESPACE, label_selector=SELECTOR)
        items = [_DECODER.decode(json.dumps(item)) for item in json.loads(page)["items"]]
        return {item.name: (item.uid, item.resource_version) for item in items}

    def in_store(self) -> dict[str, tuple[str, str]]:
        """Uid and version of all objects in the store."""
        return {item.name: (item.uid, item.resource_version) for item in self.store}

    async def until_equal(self, seconds: float = 15.0) -> None:
        """Wait until the store is what the server has."""
        wanted = await self.on_server()
        async with asyncio.timeout(seconds):
            while self.in_store() != wanted:  # noqa: ASYNC110 -- two states are compared
                await asyncio.sleep(0.02)


def _name(thing: Thing | None) -> str | None:
    return None if thing is None else thing.name


@asynccontextmanager
async def mirror(connection: Connection, timeouts: Timeouts = QUICK) -> AsyncIterator[Mirror]:
    """A mirror that has synced; its objects are removed at the end."""
    told: list[tuple[str | None, str | None]] = []
    async with (
        KubeClient(connection, user_agent="mirror", timeouts=timeouts) as client,
        KubeClient(connection, user_agent="admin") as admin,
    ):
        store: Store[Thing] = Store()
        informer = Informer(
            source=KindSource(
                client, SECRETS, namespace=NAMESPACE, label_selector=SELECTOR, page_size=5
            ),
            store=store,
            decode=_DECODER.decode,
            on_change=lambda old, new: told.append((_name(old), _name(new))),
        )
        running = asyncio.create_task(informer.run())
        await asyncio.wait_for(informer.synced.wait(), 10)
        made = Mirror(client, admin, store, informer, told)
        try:
            yield made
            assert not running.done(), "nothing ends an informer"
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            for name in await made.on_server():
                await made.delete(name)
