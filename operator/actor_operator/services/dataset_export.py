"""Items of a dataset on their way out: read, changed as is asked for, and written in a format."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

from actor_operator.services.access import StorageRef
from actor_operator.services.dataset_reading import DatasetReader, Portion, Window
from actor_operator.services.exports.export import BOM, Export
from actor_operator.services.exports.formats import FORMATS, FileOptions
from actor_operator.services.exports.json_lines import JsonExport, JsonLinesExport
from actor_operator.services.exports.table import Columns
from actor_operator.services.json_values import Item
from actor_operator.services.transformation import Transformation

T = TypeVar("T")

INLINE_BYTES = 4096
INLINE_ITEMS = 50
"""What takes less than the 5 ms for which the event loop may be held: compressed bytes, items."""

BATCH = 2000
"""Items that are worked on at once."""

FIRST_BYTES = 262_144
"""A shorter answer is made whole, before any of it is sent: errors have their status then."""


@dataclass(frozen=True, slots=True)
class ItemExport:
    """What is to be written, and how.

    Parameters
    ----------
    dataset
        Which dataset.
    window
        Which of its items.
    transformation
        What is done with each of them.
    options
        How they are written.
    """

    dataset: StorageRef
    window: Window
    transformation: Transformation
    options: FileOptions

    async def stream(self, reader: DatasetReader) -> AsyncIterator[bytes]:
        """The file, piece by piece.

        Raises
        ------
        ApiError
            400 when the items do not fit into the format; only before the first piece.
        StaleError
            When the dataset was deleted meanwhile.
        DatabaseUnavailableError, ObjectStoreUnavailableError
            When items cannot be read now.
        """
        wanted = FORMATS[self.options.format]
        columns = await self._columns(reader) if wanted.is_table else []
        export = await _run(lambda: wanted.make(self.options, columns), is_long=wanted.is_binary)
        try:
            yield self._mark() + export.begin()
            async for portion in reader.portions(self.dataset, self.window):
                async for rows in self._rows(export, portion):
                    yield rows
            end = export.end()
            while piece := await _run(lambda: next(end, b""), is_long=wanted.is_binary):
                yield piece
        finally:
            export.close()

    async def _columns(self, reader: DatasetReader) -> list[str]:
        """The columns that the items need, found by reading them once before."""
        asked = self.transformation.output_fields or self.transformation.fields
        columns = Columns(field for field in asked if field not in self.transformation.unwind)
        async for portion in reader.portions(self.dataset, self.window):
            async for _ in self._in_batches(portion, columns.add):
                pass
        return columns.names()

    async def _rows(self, export: Export, portion: Portion) -> AsyncIterator[bytes]:
        if self.transformation.changes_nothing and isinstance(export, JsonExport | JsonLinesExport):
            as_they_are = partial(_copy, export, portion)
            yield await _run(as_they_are, is_long=_is_long(portion))
            return
        async for rows in self._in_batches(portion, export.rows):
            if rows:
                yield rows

    async def _in_batches(
        self, portion: Portion, work: Callable[[Iterable[Item]], T]
    ) -> AsyncIterator[T]:
        """Work on what becomes of a portion: of one item there may come millions."""
        items = self._items(portion)
        is_long = _is_long(portion) or bool(self.transformation.unwind)
        more = True
        while more:
            done, more = await _run(partial(_next_batch, items, work), is_long=is_long)
            yield done

    def _items(self, portion: Portion) -> Iterator[Item]:
        # A generator, so that the portion is unpacked where the first item is asked for.
        yield from self.transformation.apply(portion.lines())

    def _mark(self) -> bytes:
        if FORMATS[self.options.format].is_binary:
            return b""
        wanted = self.options.bom
        return BOM if wanted or (wanted is None and self.options.format == "csv") else b""


async def begun(stream: AsyncIterator[bytes]) -> bytes | AsyncIterator[bytes]:
    """The whole of a short stream, or a long one with its beginning at hand."""
    pieces: list[bytes] = []
    size = 0
    async for piece in stream:
        pieces.append(piece)
        size += len(piece)
        if size > FIRST_BYTES:
            return _joined(b"".join(pieces), stream)
    return b"".join(pieces)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _is_long(portion: Portion) -> bool:
    return portion.size > INLINE_BYTES or portion.count > INLINE_ITEMS


def _copy(export: JsonExport | JsonLinesExport, portion: Portion) -> bytes:
    return export.lines(portion.lines())


def _next_batch(items: Iterator[Item], work: Callable[[Iterable[Item]], T]) -> tuple[T, bool]:
    batch = list(islice(items, BATCH))
    return work(batch), len(batch) == BATCH


async def _run(work: Callable[[], T], *, is_long: bool) -> T:
    return await asyncio.to_thread(work) if is_long else work()
