"""Serve a page and a few other things on the run's web server port, to see what gets through.

Input: ``seconds`` to serve (600), ``delaySeconds`` before it listens (0).
"""

import asyncio
import hashlib
import html
import json
import logging
import os
import resource
import signal
import string
import sys
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import WSCloseCode, WSMsgType, web

BLOCK = bytes(range(256)) * 256
"""What downloads are made of, again and again."""

EVENT_SECONDS = 0.2
"""Time from one server-sent event to the next."""

SHUTDOWN_SECONDS = 5
"""How long requests may go on after SIGTERM."""

SINCE = datetime.now(UTC)
PAGE = string.Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
SOCKETS: web.AppKey[set[web.WebSocketResponse]] = web.AppKey("sockets")

routes = web.RouteTableDef()


@routes.get("/")
async def page(_request: web.Request) -> web.Response:
    """Tell which actor and run this is."""
    values = {
        "actor": os.environ.get("ACTOR_FULL_NAME", "unknown/web-server"),
        "run": os.environ.get("ACTOR_RUN_ID", "unknown"),
        "since": f"{SINCE:%Y-%m-%d %H:%M:%S} UTC",
    }
    text = PAGE.substitute({name: html.escape(value) for name, value in values.items()})
    return web.Response(text=text, content_type="text/html")


@routes.get("/ws")
async def echo(request: web.Request) -> web.WebSocketResponse:
    """Send every message of a web socket back."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    request.app[SOCKETS].add(socket)
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
    finally:
        request.app[SOCKETS].discard(socket)
    return socket


@routes.get("/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Send as many server-sent events as ``count`` says (10), one by one."""
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    for number in range(int(request.query.get("count", "10"))):
        await response.write(f"data: {number}\n\n".encode())
        await asyncio.sleep(EVENT_SECONDS)
    return response


@routes.post("/upload")
@routes.put("/upload")
async def upload(request: web.Request) -> web.Response:
    """Read a body of any length piece by piece, and tell what came."""
    size, digest = 0, hashlib.sha256()
    async for piece in request.content.iter_chunked(1 << 18):
        size += len(piece)
        digest.update(piece)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found = {"bytes": size, "sha256": digest.hexdigest(), "maxResidentBytes": most}
    return web.json_response(found)


@routes.get("/download")
async def download(request: web.Request) -> web.StreamResponse:
    """Send as many bytes as ``bytes`` says: 0 to 255, again and again."""
    left = int(request.query.get("bytes", "0"))
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = left
    await response.prepare(request)
    while left > 0:
        piece = BLOCK[:left]
        await response.write(piece)
        left -= len(piece)
    return response


@routes.get("/headers")
async def headers(request: web.Request) -> web.Response:
    """Tell the request as it arrived."""
    return web.json_response(
        {
            "client": request.remote,
            "host": request.host,
            "path": request.path_qs,
            "headers": dict(request.headers),
        }
    )


async def close_sockets(app: web.Application) -> None:
    """Tell who is at the other end of a web socket that this is the end."""
    for socket in app[SOCKETS].copy():
        await socket.close(code=WSCloseCode.GOING_AWAY, message=b"The run ends")


async def serve(port: int, delay: float, seconds: float) -> int:
    """Serve until the time is over or a SIGTERM comes; returns the exit code."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    app = web.Application()
    app.add_routes(routes)
    app[SOCKETS] = set()
    app.on_shutdown.append(close_sockets)
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        if not await happens(stopped, delay):
            await web.TCPSite(runner, port=port).start()
            print(f"Listening on port {port}", flush=True)
            await happens(stopped, seconds)
    finally:
        await runner.cleanup()
    print("Stopped by SIGTERM" if stopped.is_set() else "Done", flush=True)
    return 128 + signal.SIGTERM if stopped.is_set() else 0


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event comes within a time."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def main() -> None:
    """Read the input and serve; each request is a line of the log."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    run_input = json.loads(os.environ.get("ACTOR_INPUT_JSON", "{}"))
    port = int(os.environ.get("ACTOR_WEB_SERVER_PORT", "4321"))
    delay = float(run_input.get("delaySeconds", 0))
    sys.exit(asyncio.run(serve(port, delay, float(run_input.get("seconds", 600)))))


main()
