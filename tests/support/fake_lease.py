"""A Lease in memory, and the network between it and each replica."""

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import Any

from actor_operator.errors import RetryableError


class LeaseServer:
    """Keeps one Lease as the API server would."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] | None = None
        self.revision = 100

    def put(self, body: bytes, *, create: bool) -> bytes | None:
        """Commit a write; ``None`` when it does not fit what is stored."""
        new = json.loads(body)
        version = new["metadata"].get("resourceVersion", "")
        known = self.stored["metadata"]["resourceVersion"] if self.stored else ""
        if (create and self.stored is not None) or (not create and (version != known)):
            return None
        if self.stored is not None and new["spec"] == self.stored["spec"]:
            return json.dumps(self.stored).encode()  # a write that changes nothing is none
        self.revision += 1
        new["metadata"]["resourceVersion"] = str(self.revision)
        self.stored = new
        return json.dumps(new).encode()

    def delete(self) -> None:
        """Somebody deletes the Lease."""
        self.revision += 1
        self.stored = None

    @property
    def holder(self) -> str:
        """Who holds the Lease."""
        return str(self.stored["spec"].get("holderIdentity", "")) if self.stored else ""

    @property
    def spec(self) -> dict[str, Any]:
        """``spec`` of the Lease."""
        assert self.stored is not None
        return dict(self.stored["spec"])


@dataclass
class Network:
    """What happens to the requests of one replica."""

    latency: float = 0.01
    refused: bool = False
    hangs: bool = False
    """Nothing is answered; writes are applied all the same if ``applies``."""

    applies: bool = False
    loss: float = 0.0
    """Share of answers (and half as many requests) that get lost, by chance."""

    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311


class FakeLeaseStore:
    """One replica's way to the Lease."""

    namespace = "system"
    name = "actor-operator"

    def __init__(self, server: LeaseServer, network: Network | None = None) -> None:
        self.server = server
        self.network = network or Network()
        self.requests = 0

    async def read(self) -> bytes | None:
        """The Lease."""
        await self._travel()
        answer = json.dumps(self.server.stored).encode() if self.server.stored else None
        await self._travel_back()
        return answer

    async def create(self, body: bytes) -> bytes | None:
        """Create it."""
        return await self._write(body, create=True)

    async def replace(self, body: bytes) -> bytes | None:
        """Replace it."""
        return await self._write(body, create=False)

    async def _write(self, body: bytes, *, create: bool) -> bytes | None:
        applies = self.network.hangs and self.network.applies
        if applies:
            self.server.put(body, create=create)
        await self._travel()
        answer = self.server.put(body, create=create)
        await self._travel_back()
        return answer

    async def _travel(self) -> None:
        self.requests += 1
        await asyncio.sleep(self.network.latency * self.network.chance.uniform(0.2, 1))
        if self.network.refused:
            raise RetryableError("connection refused")
        if self.network.hangs or self.network.chance.random() < self.network.loss / 2:
            await asyncio.sleep(10_000)

    async def _travel_back(self) -> None:
        if self.network.chance.random() < self.network.loss:
            await asyncio.sleep(10_000)
        await asyncio.sleep(self.network.latency * self.network.chance.uniform(0.2, 1))
