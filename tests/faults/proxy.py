"""Stands between one operator and a real API server, and lets a director interfere.

The operator speaks HTTP to it over loopback and sends its own credentials, which are passed on.
Nothing of the operator knows of it: only its kubeconfig differs.
"""

import asyncio
import ssl
from typing import Protocol

import aiohttp
from aiohttp import web
from tests.faults.kinds import Moment
from tests.faults.points import Asked, asked_of
from tests.faults.replies import Reply
from tests.faults.streams import Streams
from tests.faults.strikes import CutError, Strike
from yarl import URL

PASSED_ON = ("Authorization", "Content-Type", "Accept", "User-Agent")
"""Headers of requests that the API server gets."""

BROUGHT_BACK = ("Content-Type", "Date", "Retry-After")
"""Headers of answers that the operator gets."""


class Chair(Protocol):
    """Decides what becomes of the requests of one replica."""

    @property
    def streams(self) -> Streams:
        """What becomes of watches."""

    async def meet(self, asked: Asked, authorization: str) -> Strike | None:
        """What strikes a request that has just come, None for nothing. Raises `CutError`."""


class Proxy:
    """One listening address with what is behind it.

    Parameters
    ----------
    upstream
        Address of the API server.
    session
        With which it is asked.
    chair
        Who interferes.
    """

    def __init__(self, upstream: str, session: aiohttp.ClientSession, chair: Chair) -> None:
        self._upstream = upstream
        self._session = session
        self._chair = chair
        self._server = web.Server(self._handle, handler_cancellation=True)
        self._listener: asyncio.Server | None = None
        self._handling: set[asyncio.Task[object]] = set()
        self.url = ""
        """Its address, once it listens."""

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._server, "127.0.0.1", 0)
        port = self._listener.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    async def close(self) -> None:
        """Cut all connections and listen no more."""
        if self._listener is not None:
            self._listener.close()
        # Whoever asked is dead; aiohttp would wait for what hangs.
        for handling in self._handling:
            handling.cancel()
        await asyncio.gather(*self._handling, return_exceptions=True)
        await self._server.shutdown(timeout=0.01)  # 0 is without limit

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        handling = asyncio.current_task()
        assert handling is not None
        self._handling.add(handling)
        handling.add_done_callback(self._handling.discard)
        body = await request.read()
        asked = asked_of(request.method, request.path, request.query, body)
        try:
            strike = await self._chair.meet(asked, request.headers.get("Authorization", ""))
            if asked.verb == "watch":
                return await self._watch(request, asked, strike)
            return await self._exchange(request, body, strike)
        except (CutError, aiohttp.ClientError):
            # What the API server does to us is done to the operator.
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    async def _exchange(
        self, request: web.BaseRequest, body: bytes, strike: Strike | None
    ) -> web.StreamResponse:
        """One request that is no watch."""
        moment = strike.moment if strike else None
        reply = await strike.act() if strike and moment is Moment.BEFORE else None
        if reply is None:
            reply = await self._forward(request, body)
        if strike and moment is Moment.COMMITTED:
            reply = await strike.act() or reply
        answer = web.Response(status=reply.status, body=reply.body, headers=reply.headers)
        await answer.prepare(request)
        if strike and moment is Moment.DURING:
            await answer.write(reply.body[: len(reply.body) // 2])
            raise CutError
        await answer.write_eof()
        if strike and moment is Moment.ANSWERED:
            await strike.act()
        return answer

    async def _forward(self, request: web.BaseRequest, body: bytes) -> Reply:
        async with self._ask(request, body) as response:
            return Reply(response.status, await response.read(), _only(BROUGHT_BACK, response))

    async def _watch(
        self, request: web.BaseRequest, asked: Asked, strike: Strike | None
    ) -> web.StreamResponse:
        """One watch: each line goes through a gate."""
        refusal = await strike.act() if strike else None
        if refusal is not None:
            return web.Response(status=refusal.status, body=refusal.body, headers=refusal.headers)
        async with self._ask(request, b"") as response:
            answer = web.StreamResponse(
                status=response.status, headers=_only(BROUGHT_BACK, response)
            )
            answer.enable_chunked_encoding()
            await answer.prepare(request)
            if await self._chair.streams[asked.kind].pass_on(response.content, answer.write):
                await answer.write_eof()
                return answer
            raise CutError

    def _ask(self, request: web.BaseRequest, body: bytes) -> aiohttp.client._RequestContextManager:
        return self._session.request(
            request.method,
            URL(self._upstream + request.raw_path, encoded=True),
            data=body or None,
            headers=_only(PASSED_ON, request),
        )


def _only(names: tuple[str, ...], of: web.BaseRequest | aiohttp.ClientResponse) -> dict[str, str]:
    return {name: of.headers[name] for name in names if name in of.headers}


def open_session(ca: str) -> aiohttp.ClientSession:
    """A session for the API server: no limits, no retries, nothing decoded."""
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca), limit=0)
    session = aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    # A second copy of a write must not leave behind the plan's back.
    session._retry_connection = False
    return session
