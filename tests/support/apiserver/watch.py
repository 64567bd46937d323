"""Watch streams, and what tests do to them."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web
from tests.support.apiserver.errors import ApiError, made_up
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.render import object_bytes
from tests.support.apiserver.selection import Selector
from tests.support.apiserver.store import Change, Store, Version

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
"""Annotation of the bookmark behind the objects with which a stream starts."""


@dataclass(slots=True)
class Tap:
    """How the streams of one kind flow. Shared by those that are open and those to come."""

    held: bool = False
    """Nothing is sent, not even bookmarks; it is kept and sent later."""
    delay: float = 0.0
    """Seconds by which each event is late."""
    one_event_each: bool = False
    """Each stream ends after one event."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a stream ends before its time."""

    last_words: bytes = b""
    abort: bool = False
    """Reset the connection, instead of a clean end."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """The query of a watch."""

    revision: int
    """Changes after this one are sent; 0 for all objects first, then changes."""
    selector: Selector
    bookmarks: bool
    seconds: float
    """The stream ends after this time."""
    bookmark_interval: float
    """Seconds between bookmarks."""


@dataclass(eq=False)
class Watch:
    """One open stream."""

    kind: Kind
    options: WatchOptions
    tap: Tap
    sent: int = 0
    """Events that were sent, bookmarks not counted."""
    _told: int = 0
    """Newest revision that the client knows of."""
    _pending: deque[tuple[float, bytes]] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _ending: Ending | None = None

    def offer(self, change: Change) -> None:
        """Take in a change, if it is one for this stream."""
        if change.kind.storage == self.kind.storage:
            line = event_line(self.kind, change, self.options.selector)
            if line:
                self._told = change.revision
                self.send(line)

    def end_of_the_initial(self, revision: int) -> None:
        """Say, to whom wants bookmarks, that all objects of before have been sent."""
        self._told = revision
        if self.options.bookmarks:
            self.send(bookmark_line(self.kind, revision, {INITIAL_EVENTS_END: "true"}))

    def offer_object(self, version: Version) -> None:
        """Take in an object that was there before the stream."""
        if self.options.selector.matches(version.object):
            self.send(_line("ADDED", object_bytes(self.kind, version)))

    def send(self, line: bytes) -> None:
        """Send a line, behind what is still to be sent and as late as the tap says."""
        self._pending.append((_now() + self.tap.delay, line))
        self.wake()

    def end(self, ending: Ending) -> None:
        """End the stream now, whatever is still to be sent."""
        self._ending = ending
        self.wake()

    def wake(self) -> None:
        """Look again at what is to be done."""
        self._wake.set()

    async def run(self, store: Store, response: web.StreamResponse) -> Ending:
        """Send until the time is over, or until somebody ends the stream."""
        deadline = _now() + self.options.seconds
        bookmark = _now() + self.options.bookmark_interval
        while self._ending is None and _now() < deadline:
            if lines := self._due():
                await response.write(b"".join(lines))
                if self.tap.one_event_each:
                    return Ending()
                continue
            if _now() >= bookmark:
                bookmark = _now() + self.options.bookmark_interval
                await self._write_bookmark(store, response)
            await self._sleep(min(deadline, bookmark))
        if self._ending is None:
            await self._write_bookmark(store, response)
        return self._ending or Ending()

    def _due(self) -> list[bytes]:
        """The lines that may be sent now."""
        lines: list[bytes] = []
        most = 1 if self.tap.one_event_each else len(self._pending)
        while len(lines) < most and not self.tap.held and self._pending[0][0] <= _now():
            lines.append(self._pending.popleft()[1])
        self.sent += len(lines)
        return lines

    async def _sleep(self, until: float) -> None:
        if self._pending and not self.tap.held:
            until = min(until, self._pending[0][0])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._wake.wait()
        self._wake.clear()

    async def _write_bookmark(self, store: Store, response: web.StreamResponse) -> None:
        """Only when nothing is pending: a bookmark says that all before it was sent."""
        if not self.options.bookmarks or self._pending or self.tap.held:
            return
        if store.revision > max(self._told, self.options.revision):
            self._told = store.revision
            await response.write(bookmark_line(self.kind, store.revision))


class Watches:
    """The open streams of a server, and the faults of streams."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: list[Watch] = []
        self._taps: dict[str, Tap] = {}

    def open(self, kind: str = "*") -> list[Watch]:
        """The open streams of a kind."""
        return [watch for watch in self._open if kind in {"*", watch.kind.plural}]

    @contextlib.contextmanager
    def opened(self, kind: Kind, options: WatchOptions) -> Iterator[Watch]:
        """A stream with what it starts with; follows the store while the context lasts.

        Raises
        ------
        ApiError
            410, its revision has been compacted.
        """
        watch = Watch(kind, options, self._tap(kind.plural))
        if options.revision:
            for change in self._store.watchable(kind, options.revision):
                watch.offer(change)
        else:
            for _, version in sorted(self._store.all(kind).items()):
                watch.offer_object(version)
            watch.end_of_the_initial(self._store.revision)
        self._open.append(watch)
        self._store.listen(watch.offer)
        try:
            yield watch
        finally:
            self._store.unlisten(watch.offer)
            self._open.remove(watch)

    def hold(self, kind: str) -> None:
        """Let the streams of a kind fall silent; nothing is lost."""
        self._set(kind, held=True)

    def release(self, kind: str) -> None:
        """Let them go on."""
        self._set(kind, held=False)

    def delay(self, kind: str, seconds: float) -> None:
        """Make each event of a kind late, from now on."""
        self._set(kind, delay=seconds)

    def cut_after_each_event(self, kind: str, *, enabled: bool = True) -> None:
        """End each stream of a kind after one event."""
        self._set(kind, one_event_each=enabled)

    def cut(self, kind: str = "*", *, abort: bool = False) -> int:
        """End the open streams of a kind, cleanly or by a reset. Returns how many there were."""
        return self._end(kind, Ending(abort=abort))

    def send_error(self, kind: str, code: int, message: str = "made up by a test") -> int:
        """Send an ERROR event on the open streams, then end them."""
        return self._end(kind, Ending(error_line(made_up(code, message))))

    def send_half_a_line(self, kind: str, *, abort: bool = False) -> int:
        """Send the first half of an event on the open streams, then end them."""
        half = b'{"type":"MODIFIED","object":{"metadata":{"name":"ha'
        return self._end(kind, Ending(half, abort))

    def bookmark(self, kind: str) -> None:
        """Send a bookmark on the open streams that want them, behind what is pending."""
        for watch in self.open(kind):
            if watch.options.bookmarks:
                watch.send(bookmark_line(watch.kind, self._store.revision))

    def _end(self, kind: str, ending: Ending) -> int:
        watches = self.open(kind)
        for watch in watches:
            watch.end(ending)
        return len(watches)

    def _set(self, kind: str, **fields: object) -> None:
        tap = self._tap(kind)
        for name, value in fields.items():
            setattr(tap, name, value)
        for watch in self.open(kind):
            watch.wake()

    def _tap(self, kind: str) -> Tap:
        return self._taps.setdefault(kind, Tap())


def event_line(kind: Kind, change: Change, selector: Selector) -> bytes | None:
    """The event that a stream with a selector gets for a change, None for none.

    An object that leaves the selector is sent as DELETED, with its content of before and the
    revision of the change, as kube-apiserver does.
    """
    before, after = change.before, change.after
    was = before is not None and selector.matches(before.object)
    is_now = not change.deleted and selector.matches(after.object)
    if is_now:
        return _line("MODIFIED" if was else "ADDED", object_bytes(kind, after))
    if not was or before is None:
        return None
    last = after if change.deleted else Version.of(change.kind, before.object, change.revision)
    return _line("DELETED", object_bytes(kind, last))


def bookmark_line(kind: Kind, revision: int, annotations: Mapping[str, str] | None = None) -> bytes:
    """All changes up to a revision have been sent."""
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    if annotations:
        metadata["annotations"] = annotations
    obj = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
    return _line("BOOKMARK", msgspec.json.encode(obj))


def error_line(error: ApiError) -> bytes:
    """The stream cannot go on."""
    return _line("ERROR", msgspec.json.encode(error.status()))


def _line(event: str, obj: bytes) -> bytes:
    return b'{"type":"' + event.encode() + b'","object":' + obj + b"}\n"


def _now() -> float:
    """Time of the event loop, seconds."""
    return asyncio.get_running_loop().time()
