"""Reading the logs of runs: what is stored, then what a follower here has not stored yet."""

import asyncio
from collections.abc import AsyncIterator, Callable

from actor_operator.services.errors import ApiError
from actor_operator.services.log_tails import Key, Tails
from actor_operator.services.log_text import AnsiStripper
from actor_operator.storage.database import Database
from actor_operator.storage.logs import LogRow, LogSegments, Segment, unpack
from actor_operator.storage.objects import ObjectStore

SEGMENTS = 8
"""How many pieces are read at once: at most 2 MiB of text."""

POLL_SECONDS = 1.0
"""How often the database is asked for what another replica has stored."""

PATIENCE_SECONDS = 30.0
"""How long after the end of a run a stream waits for a log that does not become complete."""

MOST_STREAMS = 1000
"""Streams at the same time, unless it is said otherwise."""


class Logs:
    """Reads logs.

    Parameters
    ----------
    database, objects
        Where logs are stored.
    tails
        What followers in this process have not stored yet.
    most
        Streams at the same time, at most.
    """

    def __init__(
        self, database: Database, objects: ObjectStore, tails: Tails, most: int = MOST_STREAMS
    ) -> None:
        self._most = most
        self.streams = 0
        """Streams that are open."""
        self._database = database
        self._objects = objects
        self._tails = tails
        self._closed = False

    def close(self) -> None:
        """End every stream with what it has told: the process stops. Clients come back."""
        self._closed = True
        self._tails.wake_all()

    async def read(self, account: int, run_id: str, *, raw: bool = False) -> AsyncIterator[bytes]:
        """The log of the last attempt of a run that has one, as it is now; UTF-8.

        Parameters
        ----------
        account, run_id
            Of which run.
        raw
            Whether control sequences of terminals stay in.

        Raises
        ------
        DatabaseUnavailableError, ObjectStoreUnavailableError
            When it cannot be read.
        """
        async for data in _encoded(self._now((account, run_id)), raw=raw):
            yield data

    def stream(
        self, account: int, run_id: str, over: Callable[[], bool], *, raw: bool = False
    ) -> AsyncIterator[bytes]:
        """The log from its beginning, and what comes until the attempt ends.

        Parameters
        ----------
        account, run_id
            Of which run.
        over
            Whether the run has ended.
        raw
            Whether control sequences of terminals stay in.

        Raises
        ------
        ApiError
            429 when too many logs are streamed already.
        DatabaseUnavailableError, ObjectStoreUnavailableError
            By the stream, when it cannot be read.
        """
        if self.streams >= self._most:
            raise ApiError(
                "rate-limit-exceeded",
                "Too many logs are streamed. Wait a moment, or read the log without stream.",
                status=429,
            )
        return self._counted(_encoded(self._until((account, run_id), over), raw=raw))

    async def _counted(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        # A stream counts from its first piece: one that nobody begins to read does not end either.
        self.streams += 1
        try:
            async for data in stream:
                yield data
        finally:
            self.streams -= 1

    async def _now(self, key: Key) -> AsyncIterator[str]:
        async for text in self._reading(key, lambda _: True).more():
            yield text

    async def _until(self, key: Key, over: Callable[[], bool]) -> AsyncIterator[str]:
        # A log that is complete while the run goes on is of an earlier attempt: a resurrection
        # begins another one.
        reading = self._reading(key, lambda row: not row.complete or over())
        loop = asyncio.get_running_loop()
        last_sign = loop.time()
        while True:
            alive = not over()
            async for text in reading.more():
                alive = True
                yield text
            if alive or reading.is_live:
                last_sign = loop.time()
            if self._closed or reading.ended or loop.time() - last_sign >= PATIENCE_SECONDS:
                return
            await self._tails.wait(key, POLL_SECONDS)

    def _reading(self, key: Key, meant: Callable[[LogRow], bool]) -> "_Reading":
        return _Reading(self._database, self._objects, self._tails, key, meant)


class _Reading:
    """One reader of the log of one attempt: the first that it finds and that is meant."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        tails: Tails,
        key: Key,
        meant: Callable[[LogRow], bool],
    ) -> None:
        self._database = database
        self._objects = objects
        self._tails = tails
        self._key = key
        self._meant = meant
        self._attempt: int | None = None
        self._offset = 0
        self.ended = False
        """Whether nothing comes any more."""
        self.is_live = False
        """Whether a follower here told what is new."""

    async def more(self) -> AsyncIterator[str]:
        """All that was not read yet."""
        live = self._live()
        if live is None:
            row = await self._row()
            async for text in self._stored(row):
                yield text
            live = self._live()
            self._note_end(row)
        self.is_live = live is not None
        if live:
            self._offset += len(live)
            yield live

    def _live(self) -> str | None:
        """What a follower here has read since; None: the store must be asked."""
        if self._attempt is None:
            return None
        return self._tails.after(self._key, self._attempt, self._offset)

    def _note_end(self, row: LogRow | None) -> None:
        if self._attempt is not None:
            # A resurrection begins a new log.
            self.ended = row is None or row.attempt != self._attempt or row.complete

    async def _stored(self, row: LogRow | None) -> AsyncIterator[str]:
        if self._attempt is None and row is not None and self._meant(row):
            self._attempt = row.attempt
        while segments := await self._segments():
            for segment in segments:
                text = (await self._text(segment))[max(0, self._offset - segment.first) :]
                self._offset = segment.first + segment.characters
                yield text

    async def _row(self) -> LogRow | None:
        account, run_id = self._key
        return await self._database.read(
            lambda connection: LogSegments(connection, account).row(run_id)
        )

    async def _segments(self) -> list[Segment]:
        account, run_id = self._key
        attempt = self._attempt
        if attempt is None:
            return []
        return await self._database.read(
            lambda connection: LogSegments(connection, account).after(
                run_id, attempt, self._offset, SEGMENTS
            )
        )

    async def _text(self, segment: Segment) -> str:
        if segment.body is not None:
            return unpack(segment.body)
        stream = await self._objects.get(segment.object_key or "")
        body = b"".join([chunk async for chunk in stream])
        return await asyncio.to_thread(unpack, body)


async def _encoded(texts: AsyncIterator[str], *, raw: bool) -> AsyncIterator[bytes]:
    stripper = AnsiStripper()
    async for text in texts:
        plain = text if raw else stripper.feed(text)
        if plain:
            yield plain.encode()
    rest = stripper.end()
    if rest:
        yield rest.encode()
