"""All records of a key-value store in one zip file, made while it is sent."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from typing_extensions import Buffer, override

from actor_operator.services.decoding import decoder

FIRST_YEAR = 1980
"""Zip knows no earlier time."""


class RecordArchive:
    """A zip file that is taken away piece by piece: it is never whole in memory."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._archive = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)

    async def add(
        self, key: str, modified_at: int, body: AsyncIterator[bytes], encoding: str | None
    ) -> AsyncIterator[bytes]:
        """Add a record, and give what there is of the file so far.

        A body is decoded on the way in.

        Parameters
        ----------
        key
            Key of the record, which the entry is called by.
        modified_at
            When it was written, in milliseconds since 1970.
        body
            The body as it is kept.
        encoding
            Its encoding.

        Raises
        ------
        DecodingError
            When the body is not what its encoding says; its entry ends there.
        """
        with self._archive.open(_entry(key, modified_at), "w", force_zip64=True) as entry:
            async for piece in _decoded(body, encoding):
                await asyncio.to_thread(entry.write, piece)
                yield self._sink.take()
        yield self._sink.take()

    def finish(self) -> bytes:
        """The end of the file."""
        self._archive.close()
        return self._sink.take()


async def _decoded(body: AsyncIterator[bytes], encoding: str | None) -> AsyncIterator[bytes]:
    decoding = decoder(encoding)
    async for chunk in body:
        pieces = decoding.feed(chunk)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
    decoding.finish()


def _entry(key: str, modified_at: int) -> zipfile.ZipInfo:
    moment = datetime.fromtimestamp(modified_at / 1000, UTC)
    # Keys may consist of dots alone, which mean folders when the archive is unpacked.
    name = key.replace(".", "%2E") if not key.strip(".") else key
    entry = zipfile.ZipInfo(name, max(moment.timetuple()[:6], (FIRST_YEAR, 1, 1, 0, 0, 0)))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


class _Sink(io.RawIOBase):
    """Keeps what is written until it is taken away; it has no positions."""

    def __init__(self) -> None:
        self._written = bytearray()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Buffer, /) -> int:
        self._written += data
        return memoryview(data).nbytes

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken
