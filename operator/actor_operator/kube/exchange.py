"""One request, one answer: HTTP/1.1 over kept connections, for calls that are made all day.

A request is written in one piece, and its answer is read by httptools, the parser of Node. A
general client does much more for each call: that was the largest part of what the operator did for
a run (docs/performance.md). Streams, and whatever goes through a proxy, are left to aiohttp.

Nothing is sent twice: a kept connection that turns out dead is a call without an answer.
"""

import asyncio
import ssl
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools
from typing_extensions import override

KEEPALIVE_SECONDS = 30
"""How long an idle connection is kept; the API server closes them after 90 s."""

DEFAULT_PORTS = {"http": 80, "https": 443}
"""Of addresses that name none."""

KEPT_HEADERS = {b"date": "Date", b"retry-after": "Retry-After"}
"""What is looked at; everything else in the head of an answer is dropped."""


class NotConnectedError(ConnectionError):
    """No connection came about, so nothing was sent."""


class NoAnswerError(ConnectionError):
    """The connection ended before the answer was whole, or what came is no HTTP."""


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line(asyncio.Protocol):
    """A connection that carries one request after the other."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self.idle_since = 0.0
        """Since when nothing was asked, by the event loop's clock."""

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Answer:
        """Send a request and return its answer.

        Raises
        ------
        NoAnswerError
            There is none, or not a whole one.
        """
        if self._transport is None or self._transport.is_closing():
            raise NoAnswerError("the server closed the connection")
        self._headers, self._body = {}, []
        self._waiting = self._loop.create_future()
        self._transport.write(request)
        return await self._waiting

    def cut(self) -> None:
        """End the connection at once, without a goodbye: nobody waits for the server's."""
        if self._transport is not None:
            self._transport.abort()

    # What the event loop tells

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: the transports of uvloop for TLS are of no such class.
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            self.cut()  # nobody has asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"the answer is no HTTP: {error}")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(f"the connection was lost: {exc}" if exc else "the server closed the connection")

    # What the parser tells

    def on_message_begin(self) -> None:
        """An answer begins; one that nobody has asked for would be taken for the next one's."""
        if self._waiting is None:
            self.cut()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header that is looked at."""
        kept = KEPT_HEADERS.get(name.lower())
        if kept is not None:
            self._headers[kept] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        status, waiting = self._parser.get_status_code(), self._waiting
        if status < 200 or waiting is None:
            return  # an interim answer: the real one follows
        self._waiting = None
        if not self._parser.should_keep_alive():
            self.cut()
        if not waiting.done():
            waiting.set_result(Answer(status, self._headers, b"".join(self._body)))

    def _fail(self, message: str) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(NoAnswerError(message))
        self.cut()


class Exchange:
    """Asks one server, over as many connections as there are calls at the same time.

    Parameters
    ----------
    url
        Its address; a path in it is in front of all others.
    context
        TLS settings.
    server_hostname
        Name in the server's certificate, when it is not the host of the address.
    """

    def __init__(
        self, url: str, *, context: ssl.SSLContext | bool, server_hostname: str | None = None
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or DEFAULT_PORTS[parts.scheme]
        self._prefix = parts.path.rstrip("/")
        self._host_header = parts.netloc.rpartition("@")[2]
        secure = parts.scheme == "https"
        self._context = (context or True) if secure else None
        self._server_hostname = (server_hostname or self._host) if secure else None
        self._idle: list[Line] = []
        self._busy: set[Line] = set()
        self._retired = False

    async def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None, connect: float
    ) -> Answer:
        """Send a request and return its answer; who is cancelled cuts the connection.

        Parameters
        ----------
        method, path, headers, body
            The request; the path with its query.
        connect
            Seconds until a connection must be there.

        Raises
        ------
        NotConnectedError
            Nothing was sent.
        NoAnswerError
            The request was sent, wholly or in part, and there is no whole answer.
        """
        line = self._take() or await self._open(connect)
        self._busy.add(line)
        try:
            answer = await line.ask(self._request(method, path, headers, body))
        except BaseException:
            line.cut()
            raise
        finally:
            self._busy.discard(line)
        if self._retired:
            line.cut()
        elif line.usable:
            line.idle_since = asyncio.get_running_loop().time()
            self._idle.append(line)
        return answer

    def retire(self) -> None:
        """Keep no connection any more; what was asked may still be answered."""
        self._retired = True
        for line in self._idle:
            line.cut()
        self._idle.clear()

    def close(self) -> None:
        """Cut all connections."""
        self.retire()
        for line in self._busy:
            line.cut()

    def _take(self) -> Line | None:
        """The connection that was used last, if it is not too old; older ones are cut."""
        oldest = asyncio.get_running_loop().time() - KEEPALIVE_SECONDS
        while self._idle:
            line = self._idle.pop()
            if line.usable and line.idle_since >= oldest:
                return line
            line.cut()
        return None

    async def _open(self, connect: float) -> Line:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(connect):
                _, line = await loop.create_connection(
                    Line,
                    self._host,
                    self._port,
                    ssl=self._context,
                    server_hostname=self._server_hostname,
                )
        except OSError as error:  # also a time limit, and a certificate that is not trusted
            cause = str(error) or f"no connection within {connect:g} s"
            raise NotConnectedError(
                f"cannot connect to {self._host}:{self._port}: {cause}"
            ) from error
        return line

    def _request(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> bytes:
        lines = [f"{method} {self._prefix}{path} HTTP/1.1", f"Host: {self._host_header}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1:
            raise ValueError("a line break in the head of a request")
        return f"{head}\r\n\r\n".encode("latin-1") + (body or b"")
