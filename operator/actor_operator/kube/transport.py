"""HTTP with the API server: connections, credentials, time limits; bytes in, bytes out.

Nothing is repeated behind the caller's back, with one exception: an answer of 401 makes the
credentials be read anew, and the request (which the server did not carry out) is sent once more.

Calls go over connections of our own (:mod:`actor_operator.kube.exchange`); streams, and all that
goes through a proxy, over aiohttp's.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from actor_operator.errors import ConfigurationError
from actor_operator.kube.connector import Connector
from actor_operator.kube.credentials import Connection
from actor_operator.kube.errors import (
    TooManyRequestsError,
    UnauthorizedError,
    error_from_answer,
    error_from_exception,
)
from actor_operator.kube.exchange import Answer, Exchange
from actor_operator.log import logger

T = TypeVar("T")

log = logger(__name__)

MAX_ERROR_BYTES = 64 * 1024
"""How much of the body of an answer that is an error is read."""

ANSWER_MARGIN = 0.5
"""Seconds that a write's answer may need beyond the server's own time limit."""

NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)
"""What the HTTP library raises when there is no answer, or no whole one."""


class Call(NamedTuple):
    """A call that has ended, for whoever observes them."""

    verb: str
    """Kubernetes' verb: get, list, watch, create, update, patch, delete."""

    kind: str
    """What it was about: ``Pod``, ``ActorRun/status``."""

    status: int
    """The HTTP status; 0 without an answer."""

    seconds: float
    """How long it took, a watch until it was open."""

    date: str
    """The server's time, as its answer says; empty without."""


Observer = Callable[[Call], None]
"""Told of each call."""


class Limiter(Protocol):
    """Slows writes down."""

    async def acquire(self) -> None:
        """Return when one more write may be sent."""
        ...

    def pause(self, seconds: float) -> None:
        """Let no write pass for that long: the server asked for it (429)."""
        ...


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits of calls, all in seconds.

    A write can land until ``connect + write`` after the guard allowed it. That sum must be less
    than the lease duration minus the renew deadline, so that no write of a leader that lost its
    lease lands under its successor.
    """

    connect: float = 1.5
    """Until a connection is there, with its TLS handshake."""

    read: float = 15.0
    """For the whole of a get, or of one page of a list."""

    write: float = 3.0
    """After which the server gives a write up (``?timeout=``)."""

    silence: float = 20.0
    """A stream without a byte for this long is taken for dead."""

    @property
    def whole_write(self) -> float:
        """After which we stop waiting for the answer to a write."""
        return self.connect + self.write + ANSWER_MARGIN


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent."""

    verb: str
    """Kubernetes' verb, for the observer: get, list, watch, create, update, patch, delete."""

    kind: str
    """What it is about, for the observer: ``Pod``, ``ActorRun/status``."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"

    @property
    def write(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"


UNANSWERED = Answer(0, {}, b"")
"""What is known of an answer that has not come."""


@dataclass(slots=True)
class _Seen:
    """What is known of the answer to a request."""

    answer: Answer = UNANSWERED


class Transport:
    """Sends requests over a pool of connections.

    Parameters
    ----------
    connection
        Server and credentials.
    user_agent
        How we call ourselves in the server's audit log.
    limit
        Most calls at the same time; streams do not count.
    timeouts
        Time limits.
    guard
        Called right before a write is sent; raises when this process must not write.
    limiter
        Slows writes down; ``None`` for no limit.
    observe
        Told of each call.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        user_agent: str,
        limit: int,
        timeouts: Timeouts,
        guard: Callable[[], None] | None = None,
        limiter: Limiter | None = None,
        observe: Observer | None = None,
    ) -> None:
        self._connection = connection
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "application/json",
            # The server's processor is scarcer than the network between us and it.
            "Accept-Encoding": "identity",
        }
        self._timeouts = timeouts
        self._guard = guard
        self._limiter = limiter
        self._observe = observe
        self._free = asyncio.Semaphore(limit)
        self._renewal = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None
        self._calls: tuple[Connection, Exchange] | None = None

    async def close(self) -> None:
        """Close all connections; the transport can be used again afterwards."""
        if self._calls is not None:
            self._calls[1].close()
            self._calls = None
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(self, request: Request) -> bytes:
        """Send a request and return the body of its answer.

        Raises
        ------
        ApiError
            One of the tree in :mod:`actor_operator.kube.errors`.
        NotLeaderError
            From the guard, before anything of a write is sent.
        """
        if request.write and self._limiter is not None:
            await self._limiter.acquire()
        total = self._timeouts.whole_write if request.write else self._timeouts.read
        async with self._free:
            try:
                async with asyncio.timeout(total):
                    return await self._renewing(self._exchange, request)
            except NO_ANSWER as exc:
                raise error_from_exception(exc, write=request.write) from exc
            except TooManyRequestsError as exc:
                if self._limiter is not None:
                    self._limiter.pause(exc.requeue_after)
                raise

    @asynccontextmanager
    async def stream(
        self, request: Request, *, silence: float | None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream; entering waits for the answer's head, the value yields its chunks.

        Parameters
        ----------
        request
            A GET.
        silence
            Seconds without a byte after which the stream is taken for dead; ``None`` for never.

        Raises
        ------
        ApiError
            When it cannot be opened, and from the chunks when it breaks.
        """

        async def open_stream(request: Request, used: Connection) -> aiohttp.ClientResponse:
            return await self._open(request, used, silence)

        try:
            response = await self._renewing(open_stream, request)
        except NO_ANSWER as exc:
            raise error_from_exception(exc, write=False) from exc
        try:
            yield _chunks(response)
        finally:
            response.close()

    async def _renewing(
        self, send: Callable[[Request, Connection], Awaitable[T]], request: Request
    ) -> T:
        """Send, after an answer of 401 once more with new credentials."""
        used = self._connection
        try:
            return await send(request, used)
        except UnauthorizedError:
            if not await self._renew(used):
                raise
        return await send(request, self._connection)

    async def _exchange(self, request: Request, used: Connection) -> bytes:
        """Send a request and read the whole answer."""
        if used.proxy is not None:
            async with await self._open(request, used, None) as response:
                return await response.read()
        headers, path = self._head(request, used), self._path(request)
        with self._observed(request) as seen:
            exchange = self._exchange_with(used)
            seen.answer = answer = await exchange.ask(
                request.method, path, headers, request.body, self._timeouts.connect
            )
        if answer.status >= 300:
            raise error_from_answer(
                answer.status, answer.body[:MAX_ERROR_BYTES], answer.headers, write=request.write
            )
        return answer.body

    async def _open(
        self, request: Request, used: Connection, silence: float | None
    ) -> aiohttp.ClientResponse:
        """Send a request and return when the head of the answer is there."""
        headers, path = self._head(request, used), self._path(request)
        with self._observed(request) as seen:
            response = await self._open_session().request(
                request.method,
                URL(used.url + path, encoded=True),
                data=request.body,
                headers=headers,
                ssl=used.ssl,
                server_hostname=used.server_hostname,
                proxy=used.proxy,
                timeout=aiohttp.ClientTimeout(connect=self._timeouts.connect, sock_read=silence),
                allow_redirects=False,  # our credentials are for this host only
            )
            date = response.headers.get("Date", "")
            seen.answer = Answer(response.status, {"Date": date}, b"")
        if response.status >= 300:
            async with response:
                body = await response.content.read(MAX_ERROR_BYTES)
                raise error_from_answer(
                    response.status, body, response.headers, write=request.write
                )
        return response

    def _head(self, request: Request, used: Connection) -> dict[str, str]:
        """The headers of a request; a write must pass the guard.

        Raises
        ------
        NotLeaderError
            From the guard.
        UnauthorizedError
            There are no credentials to be read.
        """
        headers = self._headers | {"Content-Type": request.content_type}
        authorization = _authorization(used)
        if authorization is not None:
            headers["Authorization"] = authorization
        if request.write and self._guard is not None:
            self._guard()
        return headers

    def _path(self, request: Request) -> str:
        params = dict(request.params)
        if request.write:
            params["timeout"] = f"{self._timeouts.write:g}s"
        return f"{request.path}?{urlencode(params)}" if params else request.path

    @contextmanager
    def _observed(self, request: Request) -> Iterator["_Seen"]:
        """Have a call observed, with what its body found out of the answer."""
        started, seen = time.monotonic(), _Seen()
        try:
            yield seen
        finally:
            if self._observe is not None:
                status, date = seen.answer.status, seen.answer.headers.get("Date", "")
                seconds = time.monotonic() - started
                self._observe(Call(request.verb, request.kind, status, seconds, date))

    def _exchange_with(self, used: Connection) -> Exchange:
        """Connections to the server that the credentials are for."""
        if self._calls is None or self._calls[0] is not used:
            if self._calls is not None:
                self._calls[1].retire()
            exchange = Exchange(used.url, context=used.ssl, server_hostname=used.server_hostname)
            self._calls = (used, exchange)
        return self._calls[1]

    async def _renew(self, used: Connection) -> bool:
        """Read credentials anew unless another call just did; False when that is impossible."""
        async with self._renewal:
            if self._connection is used:
                try:
                    self._connection = await asyncio.to_thread(used.reload)
                except ConfigurationError as exc:
                    log.warning("The credentials cannot be read anew.", error=str(exc))
                    return False
        return True

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=Connector(), cookie_jar=aiohttp.DummyCookieJar()
            )
            # aiohttp sends PUT and DELETE again by itself when a kept connection turns out dead:
            # that copy would leave after the guard looked, perhaps after the first was applied.
            self._session._retry_connection = False  # noqa: SLF001 -- there is no public switch
        return self._session


def _authorization(connection: Connection) -> str | None:
    try:
        return connection.authorization()
    except (ConfigurationError, OSError) as exc:
        raise UnauthorizedError(f"the credentials cannot be read: {exc}") from exc


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except NO_ANSWER as exc:
        raise error_from_exception(exc, write=False) from exc
