"""What becomes of watches: each line that the API server sends goes through a gate of its kind."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

Write = Callable[[bytes], Awaitable[None]]
"""Sends bytes to the operator."""

BOOKMARK = b'{"type":"BOOKMARK"'
"""Begin of a line that tells of no change."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How open watches are made to end."""

    last: bytes = b""
    """What is sent before."""

    abrupt: bool = False
    """Whether the connection is reset instead of closed."""


@dataclass(slots=True)
class Gate:
    """What is done to the watches of one kind."""

    delay: float = 0.0
    """Seconds by which each line is late."""

    one_each: bool = False
    """Each watch ends after the first event that it tells."""

    half: bool = False
    """The next line ends in its middle, and the watch with it."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, nothing comes through."""

    endings: set[asyncio.Future[Ending]] = field(default_factory=set)
    """One for each open watch: resolving it ends the watch."""

    def __post_init__(self) -> None:
        self.open.set()

    async def pass_on(self, source: aiohttp.StreamReader, write: Write) -> bool:
        """Send what a watch tells, until it ends; False when it is to end abruptly."""
        ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.endings.add(ending)
        telling = asyncio.create_task(self._tell(source, write))
        waited: set[asyncio.Future[None] | asyncio.Future[Ending]] = {telling, ending}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                telling.result()
                return True
            if ending.result().last:
                await write(ending.result().last)
            return not ending.result().abrupt
        finally:
            self.endings.discard(ending)
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    def end(self, ending: Ending) -> None:
        """End the open watches; lines that wait are lost."""
        for future in self.endings:
            if not future.done():
                future.set_result(ending)

    async def _tell(self, source: aiohttp.StreamReader, write: Write) -> None:
        loop = asyncio.get_running_loop()
        async for line, came in _lines(source):
            await asyncio.sleep(max(0.0, came + self.delay - loop.time()))
            await self.open.wait()
            if self.half:
                self.half = False
                await write(line[: len(line) // 2])
                return
            await write(line)
            if self.one_each and not line.startswith(BOOKMARK):
                return


class Streams(defaultdict[str, Gate]):
    """The gates of one operator's watches, by plural."""

    def __init__(self) -> None:
        super().__init__(Gate)

    def end_all(self, ending: Ending) -> None:
        """End the open watches of all kinds."""
        for gate in self.values():
            gate.end(ending)


async def _lines(source: aiohttp.StreamReader) -> AsyncIterator[tuple[bytes, float]]:
    """Lines, each with the time at which it came."""
    lines: asyncio.Queue[tuple[bytes, float] | None] = asyncio.Queue()
    reading = asyncio.create_task(_read(source, lines))
    try:
        while (line := await lines.get()) is not None:
            yield line
        reading.result()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _read(
    source: aiohttp.StreamReader, lines: asyncio.Queue[tuple[bytes, float] | None]
) -> None:
    loop = asyncio.get_running_loop()
    rest = b""
    try:
        async for chunk in source.iter_any():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                lines.put_nowait((line + b"\n", loop.time()))
    finally:
        lines.put_nowait(None)
