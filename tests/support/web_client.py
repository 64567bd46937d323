"""What a browser does with the URL of a run, without a resolver that knows its host.

Every connection goes to 127.0.0.1, on the URL's port; the host is told in the request.
"""

import asyncio
import contextlib
import hashlib
import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

ADDRESS = "127.0.0.1"
"""Where the local cluster listens."""

LONGEST_SECONDS = 60.0
"""How long one step of a request may take."""

PIECE = bytes(range(256)) * 4096
"""A mebibyte, of which large bodies are made."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)

    @property
    def without_date(self) -> tuple[int, dict[str, str], bytes]:
        """All of it but the time."""
        headers = {name: value for name, value in self.headers.items() if name != "Date"}
        return self.status, headers, self.body


class Site:
    """One URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        """As it was told."""
        self.host = parts.netloc
        """What a browser says in the header Host."""
        self._port = parts.port or 80

    def sibling(self, label: str) -> "Site":
        """The URL with another first label."""
        _, _, rest = self.host.partition(".")
        return Site(f"http://{label}.{rest}/")

    def get(
        self,
        path: str = "/",
        headers: dict[str, str] | None = None,
        seconds: float = LONGEST_SECONDS,
    ) -> Answer:
        """Send a GET.

        Raises
        ------
        TimeoutError
            No answer comes in time.
        """
        with self._connection(seconds) as connection:
            connection.request("GET", path, headers=self._headers(headers))
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())

    def wait(self, status: int, seconds: float) -> tuple[Answer, float]:
        """Ask until an answer has a status; returns it, and how many seconds it took.

        Raises
        ------
        AssertionError
            With the last answer, when it does not come.
        """
        begun, answer = time.monotonic(), None
        while answer is None or answer.status != status:
            took = time.monotonic() - begun
            assert took < seconds, f"{self.url} never answered {status}, at last {answer}"
            time.sleep(0.1 if answer else 0)
            # A proxy may still try a pod that has just gone, for half a minute.
            with contextlib.suppress(TimeoutError):
                answer = self.get(seconds=1)
        return answer, time.monotonic() - begun

    def upload(self, mebibytes: int) -> tuple[Any, str]:
        """Send a large body; returns what the other end tells, and the body's SHA-256."""
        digest = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            for _ in range(mebibytes):
                digest.update(PIECE)
                yield PIECE

        headers = self._headers({"Content-Length": str(mebibytes * len(PIECE))})
        with self._connection() as connection:
            connection.request("PUT", "/upload", body=pieces(), headers=headers)
            return json.loads(connection.getresponse().read()), digest.hexdigest()

    def download(self, mebibytes: int) -> int:
        """Fetch a large body; returns how many of its mebibytes are as they should be."""
        path, buffer = f"/download?bytes={mebibytes * len(PIECE)}", bytearray(len(PIECE))
        with self._connection() as connection:
            connection.request("GET", path, headers=self._headers())
            response = connection.getresponse()
            right = 0
            while _fill(response, buffer):
                right += buffer == PIECE
            return right

    def events(self, count: int) -> list[tuple[str, float]]:
        """Server-sent events, and how many seconds after the headers each of them came."""
        with self._connection() as connection:
            connection.request("GET", f"/events?count={count}", headers=self._headers())
            response = connection.getresponse()
            begun, found = time.monotonic(), []
            while line := response.readline():
                if line.startswith(b"data: "):
                    found.append((line[6:].decode().strip(), time.monotonic() - begun))
            return found

    def echo(self, *messages: str | bytes) -> list[str | bytes]:
        """Send messages over a web socket; returns what comes back."""
        return asyncio.run(self._echo(messages))

    async def _echo(self, messages: tuple[str | bytes, ...]) -> list[str | bytes]:
        found: list[str | bytes] = []
        url, limit = f"ws://{ADDRESS}:{self._port}/ws", aiohttp.ClientTimeout(total=20)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.ws_connect(url, headers=self._headers()) as socket,
        ):
            for message in messages:
                if isinstance(message, str):
                    await socket.send_str(message)
                else:
                    await socket.send_bytes(message)
                found.append((await socket.receive(timeout=10)).data)
        return found

    def _headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        return {"Host": self.host, **(more or {})}

    @contextlib.contextmanager
    def _connection(self, seconds: float = LONGEST_SECONDS) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(ADDRESS, self._port, timeout=seconds)
        try:
            yield connection
        finally:
            connection.close()


def _fill(response: http.client.HTTPResponse, buffer: bytearray) -> bool:
    """Read until a buffer is full; False: the body has ended before."""
    view, filled = memoryview(buffer), 0
    while filled < len(buffer):
        size = response.readinto(view[filled:])
        if not size:
            return False
        filled += size
    return True
