"""Keeps a store equal to what the API server has: list, compare, watch, for ever.

Nothing that the server says or fails to say ends it. A stream that ends, breaks or falls silent is
opened again from the last version; history that is gone (410) means a new list, and what that list
no longer has is a deletion.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Generic, Protocol, TypeVar

import msgspec
from typing_extensions import Buffer

from actor_operator.engine.backoff import Backoff
from actor_operator.engine.progress import Progress
from actor_operator.engine.store import Change, Key, Part, Store, Stored, is_newer
from actor_operator.engine.wire import EVENTS, IDENTITIES, PAGES, STATUSES, Event, Identity
from actor_operator.errors import ActorOperatorError, ExpiredError, RetryableError
from actor_operator.log import logger

T = TypeVar("T", bound=Stored)

log = logger(__name__)

RECONNECT = Backoff(first=0.2, cap=10.0)
"""Pauses between attempts; at most 10 s, so that work goes on soon after a long outage."""

HEALTHY_SECONDS = 1.0
"""A stream that lived this long was a good one, even if it had nothing to tell."""

LIST_AFTER_FAILURES = 12
"""After so many in a row (a minute) the next attempt lists: the version may be at fault."""

PATIENCE_SECONDS = 1.0
"""How long :meth:`Informer.wait_for` trusts the stream to catch up before it asks for a list."""

UNREADABLE = (msgspec.MsgspecError, ValueError)
"""What decoding raises for an object that is not as its kind should be."""


class Source(Protocol):
    """Where lists and watches of one kind come from.

    Every failure is an ``ActorOperatorError``; ``ExpiredError`` means that only a new list helps.
    """

    @property
    def kind(self) -> str:
        """Name of the kind, for logs."""
        ...

    async def list_page(self, continue_token: str) -> bytes:
        """One page of a consistent list; the first with an empty token."""
        ...

    def watch(self, resource_version: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a watch from a version; the value yields one event a line."""
        ...


class Informer(Generic[T]):
    """The one reader of one kind.

    Parameters
    ----------
    source
        Where lists and watches come from.
    store
        What is kept equal: a store, or one namespace of it.
    decode
        Makes an object of its JSON; may raise what msgspec raises, or ``ValueError``.
    on_change
        Called after each change of the store with the object before and after. A deletion comes
        with the object's last state as it was told, and ``None``.
    now
        Monotonic time in seconds, by default the event loop's.
    """

    def __init__(
        self,
        *,
        source: Source,
        store: Store[T] | Part[T],
        decode: Callable[[Buffer], T],
        on_change: Callable[[T | None, T | None], None],
        now: Callable[[], float] | None = None,
    ) -> None:
        self._source = source
        self._store = store
        self._decode = decode
        self._on_change = on_change
        self._now = now or asyncio.get_running_loop().time
        self._log = log.bind(kind=source.kind)
        self._last_sign = self._now()
        self._progress = Progress()
        self._failures = 0
        self._trouble = ""
        self._unreadable: set[Key] = set()
        self._stream: asyncio.Timeout | None = None
        self.synced = asyncio.Event()
        """Set once the first list is in the store."""

    @property
    def kind(self) -> str:
        """Name of the kind."""
        return self._source.kind

    @property
    def resource_version(self) -> str:
        """Up to where everything is known; empty before the first list."""
        return self._store.version

    @property
    def unreadable(self) -> int:
        """Objects whose newest state could not be decoded."""
        return len(self._unreadable)

    def age(self) -> float:
        """Seconds since the server last gave a sign of life for this kind."""
        return self._now() - self._last_sign

    async def wait_for(self, resource_version: str) -> None:
        """Wait until the store is at least as new as a version of this server.

        A quiet kind hears of new versions only about every 20 s, so after a second a list is asked
        for: whatever begins now and is consistent cannot be older.
        """
        if self._store.version and not is_newer(resource_version, self._store.version):
            return
        if not await self._progress.wait(resource_version, PATIENCE_SECONDS):
            self._ask_for_list()
            await self._progress.wait(resource_version, None)

    async def run(self) -> None:
        """Keep the store equal; returns only by being cancelled."""
        while True:
            begun = self._now()
            try:
                while self._progress.must_list:
                    await self._list()
                await self._watch()
                self._note_end(self._now() - begun)
            except ActorOperatorError as exc:
                self._note_failure(exc)
            if self._failures:
                await asyncio.sleep(RECONNECT.delay(self._failures))

    # Listing

    async def _list(self) -> None:
        number = self._progress.begin_list()
        listed: list[T] = []
        unreadable: set[Key] = set()
        token = ""
        while True:
            page = _parse(PAGES, await self._source.list_page(token))
            self._note_life()
            for raw in page.items or ():
                new = self._read(raw)
                if new is None:
                    unreadable.add(_parse(IDENTITIES, raw).key)
                else:
                    listed.append(new)
            token = page.continue_token
            if not token:
                break
        for change in self._store.replace_all(listed, page.version, unreadable).changes():
            self._tell(change)
        self._unreadable = unreadable
        self.synced.set()
        self._progress.finish_list(number, page.version)
        self._log.debug("Listed.", objects=len(listed), version=page.version)

    def _ask_for_list(self) -> None:
        self._progress.want_list()
        if self._stream is not None:
            self._stream.reschedule(asyncio.get_running_loop().time())

    # Watching

    async def _watch(self) -> None:
        # The limit is for whoever asks for a list: it is set to expire at once.
        limit = self._stream = asyncio.timeout(None)
        try:
            async with limit:
                await self._read_stream()
        except TimeoutError:
            self._log.debug("The watch makes way for a list.")
        finally:
            self._stream = None

    async def _read_stream(self) -> None:
        async with self._source.watch(self._store.version) as lines:
            self._note_life()
            loop = asyncio.get_running_loop()
            healthy = loop.call_later(HEALTHY_SECONDS, self._note_success)
            try:
                async for line in lines:
                    self._take(_parse(EVENTS, line))
                    self._note_life()
                    self._note_success()
            finally:
                healthy.cancel()

    def _take(self, event: Event) -> None:
        if event.type == "ERROR":
            raise _failure(event)
        identity = _parse(IDENTITIES, event.object)
        if event.type != "BOOKMARK":
            self._take_object(event, identity)
        if identity.metadata.resource_version:
            self._store.version = identity.metadata.resource_version
            self._progress.advance(self._store.version)

    def _take_object(self, event: Event, identity: Identity) -> None:
        new = self._read(event.object)
        if event.type == "DELETED":
            self._unreadable.discard(identity.key)
            old = self._store.remove(*identity.key, identity.metadata.uid)
            self._tell(None if old is None else Change(new or old, None))
        elif new is None:
            self._unreadable.add(identity.key)
        else:
            self._unreadable.discard(identity.key)
            self._tell(self._store.apply(new))

    def _read(self, raw: msgspec.Raw) -> T | None:
        """Decode an object, ``None`` if that is impossible; said once for each object."""
        try:
            return self._decode(raw)
        except UNREADABLE as exc:
            identity = _parse(IDENTITIES, raw)
            if identity.key not in self._unreadable:
                namespace, name = identity.key
                self._log.warning(
                    "An object cannot be read and is left as it was known.",
                    namespace=namespace,
                    name=name,
                    cause=str(exc),
                )
            return None

    def _tell(self, change: Change[T] | None) -> None:
        if change is None:
            return
        try:
            self._on_change(change.old, change.new)
        except Exception:  # noqa: BLE001 -- a defect about one object must not stop all others
            self._log.exception("A change could not be passed on.")

    # Health

    def _note_life(self) -> None:
        self._last_sign = self._now()

    def _note_success(self) -> None:
        self._failures = 0
        if self._trouble:
            self._log.info("Watching works again.")
            self._trouble = ""

    def _note_end(self, seconds: float) -> None:
        """A stream ended by itself; one that ends at once again and again is a failure."""
        if seconds < HEALTHY_SECONDS and not self._progress.must_list:
            self._note_failure(RetryableError("the server ends the watch at once"))

    def _note_failure(self, error: ActorOperatorError) -> None:
        self._failures += 1
        if isinstance(error, ExpiredError) or self._failures % LIST_AFTER_FAILURES == 0:
            self._progress.want_list()
        # A single cut is daily life: load balancers, server restarts.
        cause = type(error).__name__
        if self._failures > 1 and cause != self._trouble:
            self._log.warning("Watching is interrupted.", cause=str(error), error=cause)
            self._trouble = cause


P = TypeVar("P")


def _parse(decoder: "msgspec.json.Decoder[P]", data: Buffer) -> P:
    """Decode an envelope; one that is broken says that the whole stream is."""
    try:
        return decoder.decode(data)
    except msgspec.MsgspecError as exc:
        raise RetryableError(f"the server sends what is no list or watch: {exc}") from exc


def _failure(event: Event) -> ActorOperatorError:
    status = _parse(STATUSES, event.object)
    sentence = f"the watch ended with {status.code} {status.reason}: {status.message}"
    return ExpiredError(sentence) if status.code == 410 else RetryableError(sentence)
