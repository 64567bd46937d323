"""An HTTP server of which a test says what it answers, and clients for it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from actor_operator.kube.client import KubeClient
from actor_operator.kube.credentials import Connection
from actor_operator.kube.resources import Resource
from actor_operator.kube.transport import Timeouts

PODS = Resource("", "v1", "pods", "Pod")
QUICK = Timeouts(connect=0.5, read=0.3, write=0.2, silence=0.3)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """A request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """Answers every request by one function and keeps what was asked."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    handler: Handler | None = None

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(
            Seen(
                request.method,
                request.path,
                dict(request.query),
                dict(request.headers),
                await request.read(),
            )
        )
        return await self.handler(request) if self.handler else web.json_response({})

    def answer(self, *answers: tuple[int, str]) -> None:
        """Answer with these, the last one for ever."""
        left = list(answers)

        async def handler(_: web.BaseRequest) -> web.StreamResponse:
            status, body = left.pop(0) if len(left) > 1 else left[0]
            return web.Response(status=status, text=body)

        self.handler = handler


@asynccontextmanager
async def answering_server() -> AsyncIterator[Server]:
    """A server on loopback."""
    server = Server()
    runner = web.ServerRunner(web.Server(server.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


def a_connection(url: str, key: str = "one") -> Connection:
    """A connection without TLS."""
    return Connection(
        url=url,
        ssl=False,
        namespace="default",
        authorization=lambda: f"Bearer {key}",
        reload=lambda: a_connection(url, "two"),
    )


@asynccontextmanager
async def a_client(http: Server, **options: object) -> AsyncIterator[KubeClient]:
    """A client with short time limits."""
    given: dict[str, object] = {"user_agent": "test", "timeouts": QUICK} | options
    connection = given.pop("connection", None) or a_connection(http.url)
    async with KubeClient(connection, **given) as client:  # type: ignore[arg-type]
        yield client
