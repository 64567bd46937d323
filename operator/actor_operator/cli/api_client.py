"""The API over HTTP for commands: paths in, data out, refusals as sentences."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from yarl import URL

from actor_operator import __version__
from actor_operator.cli.api_errors import (
    ApiRefusalError,
    ApiUnreachableError,
    refusal,
    unreachable,
)
from actor_operator.cli.login_file import Login

CONNECT_SECONDS = 10
"""Until a connection is there, with its TLS handshake."""

SILENCE_SECONDS = 90
"""Without a byte for this long there is no answer; the server holds requests for 60 s at most."""

RETRY_DELAYS = (0.5, 2.0)
"""Pauses in seconds before a GET is sent once more."""

PASSING = frozenset({429, 500, 502, 503, 504})
"""HTTP status of what passes by itself."""

MAX_ERROR_BYTES = 64 * 1024
"""How much of the body of an answer that is an error is read."""

JSON = "application/json; charset=utf-8"

NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)
"""What the HTTP library raises when there is no answer, or no whole one."""

Params: TypeAlias = Mapping[str, str | int]
Body: TypeAlias = bytes | AsyncIterator[bytes]

Observer = Callable[[str, str, int, float], None]
"""Told of each request: method, path, HTTP status (0: no answer) and seconds."""


class ApiClient:
    """Sends requests to the API, with a token.

    Parameters
    ----------
    login
        The API and the token.
    observe
        Told of each request.
    """

    def __init__(self, login: Login, observe: Observer | None = None) -> None:
        self.url = login.url
        self._headers = {
            "Authorization": f"Bearer {login.token}",
            "User-Agent": f"actorctl/{__version__}",
        }
        self._proxy = _proxy_for(login.url)
        self._observe = observe
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        # aiohttp sends a PUT once more when a kept connection turns out dead: of a body that was
        # read from a pipe nothing would be left then, and the record would be empty.
        self._session._retry_connection = False  # noqa: SLF001 -- there is no public switch
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, params: Params | None = None) -> Any:
        """What is inside the envelope of an answer; asked for again when a fault passes.

        Raises
        ------
        ApiRefusalError, ApiUnreachableError
            When the API refuses it, or does not answer.
        """
        for delay in RETRY_DELAYS:
            try:
                return await self._call("GET", path, params)
            except ApiUnreachableError:
                await asyncio.sleep(delay)
            except ApiRefusalError as error:
                if error.status not in PASSING:
                    raise
                await asyncio.sleep(delay)
        return await self._call("GET", path, params)

    async def post(self, path: str, body: Body, params: Params | None = None) -> Any:
        """Send JSON; returns what is inside the envelope of the answer.

        Raises
        ------
        ApiRefusalError, ApiUnreachableError
            As of ``get``; nothing is sent again.
        """
        return await self._call("POST", path, params, body, {"Content-Type": JSON})

    async def put(self, path: str, body: Body, content_type: str, size: int | None) -> None:
        """Send a body of a known or unknown length.

        Raises
        ------
        ApiRefusalError, ApiUnreachableError
            As of ``post``.
        """
        length = {} if size is None else {"Content-Length": str(size)}
        await self._call("PUT", path, None, body, {"Content-Type": content_type, **length})

    @asynccontextmanager
    async def stream(
        self, path: str, params: Params | None = None, *, endless: bool = False
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read an answer piece by piece.

        Parameters
        ----------
        path, params
            Of what.
        endless
            Whether it may be silent for any time.

        Raises
        ------
        ApiRefusalError, ApiUnreachableError
            When there is no answer, and from the pieces when it breaks.
        """
        silence = None if endless else SILENCE_SECONDS
        response = await self._open("GET", path, params, silence=silence)
        try:
            yield self._pieces(response)
        finally:
            response.close()

    async def _pieces(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        try:
            async for piece in response.content.iter_any():
                yield piece
        except NO_ANSWER as error:
            raise unreachable(self.url, error, write=False) from error

    async def _call(
        self,
        method: str,
        path: str,
        params: Params | None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a request and return what is inside the envelope of the answer."""
        response = await self._open(method, path, params, body=body, headers=headers)
        async with response:
            try:
                content = await response.read()
            except NO_ANSWER as error:
                raise unreachable(self.url, error, write=method != "GET") from error
        try:
            answer = msgspec.json.decode(content) if content else {}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise refusal(self.url, response.status, content) from None
        return answer.get("data", answer) if isinstance(answer, dict) else answer

    async def _open(
        self,
        method: str,
        path: str,
        params: Params | None,
        *,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        silence: float | None = SILENCE_SECONDS,
    ) -> aiohttp.ClientResponse:
        """Send a request; returns the head of an answer that is no error."""
        if self._session is None:
            raise AssertionError("the client is used outside of its context")
        started, status = time.monotonic(), 0
        try:
            response = await self._session.request(
                method,
                URL(f"{self.url}/v2{path}", encoded=True),
                params=params,
                # As a file even where it is not: aiohttp takes large bytes for a mistake.
                data=io.BytesIO(body) if isinstance(body, bytes) else body,
                headers={**self._headers, **(headers or {})},
                proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(connect=CONNECT_SECONDS, sock_read=silence),
                allow_redirects=False,  # the token is for this address only
            )
            status = response.status
            if status < HTTPStatus.MULTIPLE_CHOICES:
                return response
            async with response:
                error_body = await response.content.read(MAX_ERROR_BYTES)
        except NO_ANSWER as error:
            raise unreachable(self.url, error, write=method != "GET") from error
        finally:
            if self._observe is not None:
                self._observe(method, path, status, time.monotonic() - started)
        raise refusal(self.url, status, error_body)


def _proxy_for(url: str) -> str | None:
    """The proxy that the environment names for an address, as for other programs."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)
