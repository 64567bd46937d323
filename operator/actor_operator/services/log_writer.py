"""Stores the log of an attempt, a piece at a time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from actor_operator.clock import Clock
from actor_operator.engine.backoff import Backoff
from actor_operator.errors import RetryableError, StaleError
from actor_operator.log import logger
from actor_operator.services.log_tails import Key, Tail, Tails
from actor_operator.services.log_text import Cap
from actor_operator.services.times import millis_of
from actor_operator.storage.database import Database
from actor_operator.storage.logs import MAX_ROW_BYTES, LogRow, LogSegments, NewSegment, pack
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.uploads import upload

log = logger(__name__)

MAX_CHARACTERS = 262_144
"""Longest piece, but for one that comes at once."""

SECONDS = 2.0
"""How long text stays unstored."""

RETRY = Backoff(first=0.5, cap=10.0)
"""Pauses while the database or the object store does not answer."""


@dataclass(frozen=True, slots=True)
class LogStore:
    """Where logs are stored, and by whom.

    Parameters
    ----------
    database, objects
        Where pieces go.
    tails
        Where readers see text before it is stored.
    owner
        Name of this replica, another one after each start.
    clock
        What time it is.
    """

    database: Database
    objects: ObjectStore
    tails: Tails
    owner: str
    clock: Clock

    def now(self) -> int:
        """The time in milliseconds."""
        return millis_of(self.clock.now())


class LogWriter:
    """Collects text and stores it.

    Parameters
    ----------
    store
        Where to.
    key
        Account and id of the run.
    row
        The log as it is stored.
    tail
        Shows readers what is not stored yet.
    """

    def __init__(self, store: LogStore, key: Key, row: LogRow, tail: Tail) -> None:
        self._store = store
        self._key = key
        self._row = row
        self._next = row
        self._tail = tail
        self._cap = Cap(row.characters)
        self._text: list[str] = []
        self._size = 0
        self._storing = asyncio.Lock()

    @property
    def row(self) -> LogRow:
        """The log with what is not stored yet, but for its length."""
        return self._next

    @property
    def is_full(self) -> bool:
        """Whether nothing more is taken."""
        return self._cap.is_full

    def now(self) -> datetime:
        """What time it is."""
        return self._store.clock.now()

    async def write(self, text: str) -> None:
        """Append text; waits while too much is not stored yet.

        Raises
        ------
        StaleError
            When somebody else follows the log.
        """
        if self._size + len(text) > MAX_CHARACTERS:
            await self.store()
        taken = self._cap.take(text, self.now())
        if taken:
            self._text.append(taken)
            self._size += len(taken)
            self._tail.add(taken)
            self._store.tails.wake(self._key)

    def note(
        self,
        *,
        pod: str | None = None,
        position: str | None = None,
        pod_done: bool = False,
        complete: bool = False,
    ) -> None:
        """Note up to where all that was written comes from; stored with the next piece."""
        self._next = msgspec.structs.replace(
            self._next,
            pod=pod or self._next.pod,
            position=position,
            pod_done=pod_done,
            complete=complete,
        )

    async def keep_storing(self) -> None:
        """Store what is there every two seconds, for ever."""
        while True:
            await asyncio.sleep(SECONDS)
            await self.store()

    async def store(self) -> None:
        """Store all that was written and noted; tries until it succeeds.

        Raises
        ------
        StaleError
            When somebody else follows the log.
        """
        async with self._storing:
            failures = 0
            while not await self._try():
                failures += 1
                await asyncio.sleep(RETRY.delay(failures))

    async def _try(self) -> bool:
        # Whatever is written meanwhile belongs to the next piece, with its position.
        text, pieces = "".join(self._text), len(self._text)
        noted = msgspec.structs.replace(
            self._next, characters=self._row.characters, segments=self._row.segments
        )
        if not text and noted == self._row:
            return True
        try:
            segment = await self._segment(text) if text else None
            row = await self._append(noted, segment)
        except StaleError:
            raise
        except RetryableError as error:
            log.warning("A log cannot be stored.", run=self._key[1], error=str(error))
            return False
        self._row = row
        del self._text[:pieces]
        self._size -= len(text)
        self._tail.drop(len(text))
        return True

    async def _append(self, noted: LogRow, segment: NewSegment | None) -> LogRow:
        account, run_id = self._key
        now = self._store.now()

        def work(connection: Connection) -> LogRow:
            logs = LogSegments(connection, account)
            return logs.append(run_id, noted, segment, owner=self._store.owner, now=now)

        return await self._store.database.write(work)

    async def _segment(self, text: str) -> NewSegment:
        body = await asyncio.to_thread(pack, text)
        if len(body) <= MAX_ROW_BYTES:
            return NewSegment(len(text), len(body), body)
        store = self._store
        stored = await upload(store.database, store.objects, self._key[0], _once(body), store.now())
        return NewSegment(len(text), stored.size, object_key=stored.key)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
