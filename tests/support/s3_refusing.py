"""A bucket that refuses, behind S3's protocol: for faults that no real server shows when asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass
class RefusingS3:
    """A bucket in which every object is the same byte."""

    url: str = ""
    refusals: int = 0
    """How many requests are answered with 503 next."""

    async def answer(self, _: web.Request) -> web.Response:
        """Answer a request."""
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=503)
        headers = {"ETag": '"e"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        return web.Response(body=b"x", headers=headers)


@asynccontextmanager
async def refusing_s3() -> AsyncIterator[RefusingS3]:
    """Serve a bucket on 127.0.0.1."""
    bucket = RefusingS3()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", bucket.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    bucket.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield bucket
    finally:
        await runner.cleanup()
