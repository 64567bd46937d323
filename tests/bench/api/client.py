"""A small HTTP client: what it costs itself must not hide what the server costs."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Self

HEAD_END = b"\r\n\r\n"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Call:
    """A request, and the status that its answer must have."""

    method: str
    path: str
    body: bytes = b""
    status: int = 200


class WrongAnswerError(Exception):
    """The server said something else than it should."""


class Connection:
    """One connection that is used again and again."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        headers: Mapping[str, str],
    ) -> None:
        self._reader, self._writer = reader, writer
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    @classmethod
    async def open(cls, port: int, headers: Mapping[str, str]) -> Self:
        """Connect."""
        reader, writer = await asyncio.open_connection(HOST, port, limit=2**21)
        return cls(reader, writer, headers)

    async def ask(self, call: Call) -> bytes:
        """Send a request, and return the body of its answer.

        Raises
        ------
        WrongAnswerError
            When the status is another one.
        """
        self.send(call)
        head = await self._reader.readuntil(HEAD_END)
        body = await self._body(head)
        status = int(head[9:12])
        if status != call.status:
            raise WrongAnswerError(f"{call.method} {call.path}: {status} {body[:300]!r}")
        return body

    def send(self, call: Call) -> None:
        """Send a request."""
        head = (
            f"{call.method} {call.path} HTTP/1.1\r\nHost: {HOST}\r\n{self._headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(call.body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + call.body)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _body(self, head: bytes) -> bytes:
        lowered = head.lower()
        if b"transfer-encoding: chunked" in lowered:
            return await self._chunks()
        _, _, rest = lowered.partition(b"content-length: ")
        return await self._reader.readexactly(int(rest.partition(b"\r\n")[0] or 0))

    async def _chunks(self) -> bytes:
        parts = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one measurement gave: seconds of each answer, and of all together."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


Calls = Callable[[int], Call]
"""Makes the request with a number."""


async def measure(
    port: int, headers: Mapping[str, str], calls: Calls, *, connections: int, seconds: float
) -> Sample:
    """Ask over some connections for some time, each as soon as it has its answer.

    Raises
    ------
    WrongAnswerError
        When an answer is none that was wanted.
    """
    opened = [await Connection.open(port, headers) for _ in range(connections)]
    numbers = iter(range(2**62))
    latencies: list[float] = []
    begun = perf_counter()

    async def go_on(connection: Connection) -> None:
        while perf_counter() - begun < seconds:
            call = calls(next(numbers))
            at = perf_counter()
            await connection.ask(call)
            latencies.append(perf_counter() - at)

    async with asyncio.TaskGroup() as group:
        for connection in opened:
            group.create_task(go_on(connection))
    taken = perf_counter() - begun
    for connection in opened:
        connection.close()
    return Sample(latencies, taken)
