"""A kind in memory that informers list and watch, with everything that can go wrong."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from typing_extensions import Buffer

from actor_operator.errors import ExpiredError


@dataclass(frozen=True)
class Thing:
    """An object as a store wants it."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    value: int = 0


def a_thing(name: str = "a", version: int = 1, **fields: Any) -> Thing:
    """A thing with whatever matters to a test."""
    given = {"namespace": "ns", "uid": f"uid-{name}", "resource_version": str(version)} | fields
    return Thing(name=name, **given)


class _Metadata(msgspec.Struct, rename="camel"):
    namespace: str
    name: str
    uid: str
    resource_version: str


class _Wire(msgspec.Struct):
    metadata: _Metadata
    value: int = 0


def decode_thing(data: Buffer) -> Thing:
    """Read a thing; one whose value is no number cannot be read."""
    wire = msgspec.json.decode(data, type=_Wire)
    meta = wire.metadata
    return Thing(meta.namespace, meta.name, meta.uid, meta.resource_version, wire.value)


Object = dict[str, Any]


class FakeSource:
    """Lists and watches things; tests change them, cut streams and make calls fail."""

    kind = "Thing"

    def __init__(self, page_size: int = 2) -> None:
        self.revision = 100
        self.objects: dict[str, Object] = {}
        self.latency = 0.01
        self.calls = 0
        self.lists = 0
        self.watches: list[str] = []
        self.failures: deque[Exception] = deque()
        self.down: Exception | None = None
        self.page_size = page_size
        self._history: list[tuple[int, bytes]] = []
        self._oldest = 0
        self._snapshots: dict[str, list[Object]] = {}
        self._streams: set[asyncio.Queue[bytes | Exception | None]] = set()

    # What tests do

    def put(self, name: str, value: object = 0, uid: str = "") -> Object:
        """Create or change a thing."""
        self.revision += 1
        old = self.objects.get(name)
        metadata = {
            "namespace": "ns",
            "name": name,
            "uid": uid or (old["metadata"]["uid"] if old else f"uid-{name}-{self.revision}"),
            "resourceVersion": str(self.revision),
        }
        self.objects[name] = {"metadata": metadata, "value": value}
        self._emit("MODIFIED" if old else "ADDED", self.objects[name])
        return self.objects[name]

    def delete(self, name: str) -> None:
        """Delete a thing."""
        self.revision += 1
        gone = self.objects.pop(name)
        gone["metadata"]["resourceVersion"] = str(self.revision)
        self._emit("DELETED", gone)

    def bookmark(self) -> None:
        """Tell all watches how new they are."""
        metadata = {"resourceVersion": str(self.revision)}
        self.send({"type": "BOOKMARK", "object": {"metadata": metadata}})

    def send(self, event: Object | bytes) -> None:
        """Send anything to all watches."""
        line = event if isinstance(event, bytes) else json.dumps(event).encode()
        for stream in self._streams:
            stream.put_nowait(line)

    def send_error(self, code: int) -> None:
        """Send an ERROR event to all watches."""
        status = {"kind": "Status", "code": code, "message": "told by the test"}
        self.send({"type": "ERROR", "object": status})

    def end(self, error: Exception | None = None) -> None:
        """End all watches, with an error or properly."""
        for stream in self._streams:
            stream.put_nowait(error)

    def forget_history(self) -> None:
        """Compact: watches from before this moment get 410."""
        self._oldest = self.revision
        self._history.clear()

    @property
    def open_watches(self) -> int:
        """Watches that are being read."""
        return len(self._streams)

    # What informers ask

    async def list_page(self, continue_token: str) -> bytes:
        """One page of a list; the pages of one list are of one moment."""
        await self._perhaps_fail()
        if not continue_token:
            self.lists += 1
            continue_token = f"{self.revision}/0"
            self._snapshots[str(self.revision)] = list(self.objects.values())
        version, start = continue_token.split("/")
        items = self._snapshots[version][int(start) :]
        page = items[: self.page_size]
        rest = f"{version}/{int(start) + len(page)}" if len(items) > len(page) else ""
        metadata = {"resourceVersion": version, "continue": rest}
        return json.dumps({"metadata": metadata, "items": page}).encode()

    @asynccontextmanager
    async def watch(self, resource_version: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """A watch from a version."""
        self.watches.append(resource_version)
        await self._perhaps_fail()
        if int(resource_version) < self._oldest:
            raise ExpiredError("too old resource version")
        stream: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        for revision, line in self._history:
            if revision > int(resource_version):
                stream.put_nowait(line)
        self._streams.add(stream)
        try:
            yield self._lines(stream)
        finally:
            self._streams.discard(stream)

    async def _lines(self, stream: asyncio.Queue[bytes | Exception | None]) -> AsyncIterator[bytes]:
        while (line := await stream.get()) is not None:
            if isinstance(line, Exception):
                raise line
            yield line

    async def _perhaps_fail(self) -> None:
        self.calls += 1
        await asyncio.sleep(self.latency)
        if self.down is not None:
            raise self.down
        if self.failures:
            raise self.failures.popleft()

    def _emit(self, kind: str, thing: Object) -> None:
        line = json.dumps({"type": kind, "object": thing}).encode()
        self._history.append((self.revision, line))
        self.send(line)
