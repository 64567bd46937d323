"""Requests and answers over kept connections, with a server that says what a test lets it say."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop
from tests.cluster_tool.pki import Authority, Identity

from actor_operator.kube import exchange as subject
from actor_operator.kube.exchange import Exchange, NoAnswerError, NotConnectedError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

CONNECT = 2.0


class Script:
    """Answers each request with the next of some texts; after the last it ends the connection."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.asked = asyncio.Event()
        """A request has come."""
        self.ended = asyncio.Event()
        """A client has ended a connection."""
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head + await reader.readexactly(_length(head)))
                self.asked.set()
                if not self.answers:
                    break
                writer.write(self.answers.pop(0))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended.set()
        writer.close()

    def exchange(self, path: str = "") -> Exchange:
        return Exchange(f"http://127.0.0.1:{self.port}{path}", context=False)


def _length(head: bytes) -> int:
    return int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    found = Script()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


def asking(exchange: Exchange, body: bytes | None = None) -> Awaitable[subject.Answer]:
    return exchange.ask("PUT", "/a?b=c", {"Accept": "x"}, body, CONNECT)


async def test_a_request_is_what_http_says(script: Script) -> None:
    script.answers = [OK, OK]
    exchange = script.exchange("/cluster/")
    await asking(exchange, b"body")
    await asking(exchange)
    exchange.close()

    head = f"PUT /cluster/a?b=c HTTP/1.1\r\nHost: 127.0.0.1:{script.port}\r\nAccept: x\r\n"
    assert script.requests == [
        head.encode() + b"Content-Length: 4\r\n\r\nbody",
        head.encode() + b"\r\n",
    ]
    assert script.connections == 1


@pytest.mark.parametrize(
    "text",
    [
        OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
    ids=["with a length", "in chunks", "after an interim one"],
)
async def test_an_answer_is_read_whole_and_its_connection_kept(script: Script, text: bytes) -> None:
    script.answers = [text, text]
    exchange = script.exchange()
    answers = [await asking(exchange), await asking(exchange)]
    exchange.close()

    assert [(answer.status, answer.body) for answer in answers] == [(200, b"ok")] * 2
    assert script.connections == 1


async def test_headers_that_are_looked_at_are_kept_however_they_are_written(script: Script) -> None:
    script.answers = [
        b"HTTP/1.1 429 Slow\r\nretry-after: 3\r\nDATE: now\r\nX: y\r\nContent-Length: 0\r\n\r\n"
    ]
    exchange = script.exchange()
    answer = await asking(exchange)
    exchange.close()

    assert answer == (429, {"Retry-After": "3", "Date": "now"}, b"")


async def test_a_connection_that_the_server_ends_is_not_kept(script: Script) -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    script.answers = [closing, OK]
    exchange = script.exchange()
    assert (await asking(exchange)).body == b"ok"
    assert (await asking(exchange)).body == b"ok"
    exchange.close()

    assert script.connections == 2


async def test_a_connection_that_was_idle_for_long_is_not_used(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "KEEPALIVE_SECONDS", -1)
    script.answers = [OK, OK]
    exchange = script.exchange()
    await asking(exchange)
    await asking(exchange)
    await script.ended.wait()
    exchange.close()

    assert script.connections == 2


@pytest.mark.parametrize(
    "text", [b"", OK[:-1], b"SSH-2.0-OpenSSH\r\n"], ids=["none", "half of one", "no HTTP"]
)
async def test_no_whole_answer_is_an_error_and_nothing_is_sent_again(
    script: Script, text: bytes
) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(text)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    with pytest.raises(NoAnswerError):
        await asking(script.exchange())
    server.close()

    assert len(script.requests) == 1


async def test_what_nobody_asked_for_ends_the_connection(script: Script) -> None:
    script.answers = [OK + OK, OK]
    exchange = script.exchange()
    await asking(exchange)
    await script.ended.wait()
    await asking(exchange)
    exchange.close()

    assert script.connections == 2


async def test_who_is_cancelled_cuts_the_connection(script: Script) -> None:
    script.answers = [b""]
    exchange = script.exchange()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await asking(exchange)
    await script.ended.wait()


@pytest.mark.parametrize("end", [Exchange.retire, Exchange.close])
async def test_who_goes_leaves_no_idle_connection(
    script: Script, end: Callable[[Exchange], None]
) -> None:
    script.answers = [OK]
    exchange = script.exchange()
    await asking(exchange)
    end(exchange)
    await script.ended.wait()


async def test_what_was_asked_before_the_retirement_is_answered(script: Script) -> None:
    script.answers = [b""]
    exchange = script.exchange()
    asked = asyncio.ensure_future(asking(exchange))
    await script.asked.wait()
    exchange.retire()
    (line,) = exchange._busy
    line.data_received(OK)

    assert (await asked).body == b"ok"
    await script.ended.wait()


async def test_what_was_asked_before_the_end_is_not(script: Script) -> None:
    script.answers = [b""]
    exchange = script.exchange()
    asked = asyncio.ensure_future(asking(exchange))
    await script.asked.wait()
    exchange.close()

    with pytest.raises(NoAnswerError):
        await asked


async def test_without_a_connection_nothing_is_sent() -> None:
    with pytest.raises(NotConnectedError, match=r"cannot connect to 127\.0\.0\.1:1: "):
        await asking(Exchange("http://127.0.0.1:1", context=False))


async def test_a_value_cannot_add_a_header(script: Script) -> None:
    with pytest.raises(ValueError, match="line break"):
        await script.exchange().ask("GET", "/", {"Authorization": "a\r\nB: c"}, None, CONNECT)
    assert script.requests == []


def test_over_tls_in_the_operators_own_event_loop(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("api-server", Identity("api-server", hosts=("127.0.0.1",)))
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(pair.certificate, pair.key)
    trust = ssl.create_default_context(cafile=str(authority.pair.certificate))

    async def ask_twice() -> tuple[list[int], int]:
        script = Script()
        script.answers = [OK, OK]
        server = await asyncio.start_server(script.serve, "127.0.0.1", 0, ssl=served)
        port = server.sockets[0].getsockname()[1]
        exchange = Exchange(f"https://127.0.0.1:{port}", context=trust)
        found = [(await asking(exchange)).status for _ in range(2)]
        exchange.close()
        await script.ended.wait()
        server.close()
        return found, script.connections

    assert uvloop.run(ask_twice()) == ([200, 200], 1)
