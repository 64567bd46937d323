"""A bucket in memory behind S3's protocol: as much of it as the object store asks for."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from aiohttp import web

BUCKET = "bucket"
"""Name of the bucket."""

STAMP = "2026-01-01T00:00:00.000Z"
"""When everything was written."""


@dataclass
class FakeS3:
    """What is stored, and what is being uploaded."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    refusals: int = 0
    """How many requests are answered with 503 next."""

    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a request."""
        body = await request.read()
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=503)
        key = request.path.removeprefix(f"/{BUCKET}").removeprefix("/")
        match request.method:
            case "PUT":
                return self._put(key, body, request)
            case "POST":
                return self._post(key, body, request)
            case "DELETE":
                self.uploads.pop(request.query.get("uploadId", ""), None)
                if "uploadId" not in request.query:
                    self.objects.pop(key, None)
                return web.Response(status=204)
            case _:
                return self._get(key, request) if key else self._list(request)

    def _put(self, key: str, body: bytes, request: web.Request) -> web.Response:
        if "uploadId" in request.query:
            part = int(request.query["partNumber"])
            self.uploads[request.query["uploadId"]][part] = body
        else:
            self.objects[key] = body
        return web.Response(headers={"ETag": '"e"'})

    def _post(self, key: str, body: bytes, request: web.Request) -> web.Response:
        if "uploads" in request.query:
            number = str(next(self._numbers))
            self.uploads[number] = {}
            return _xml(f"<InitiateMultipartUploadResult><UploadId>{number}</UploadId>"
                        "</InitiateMultipartUploadResult>")  # fmt: skip
        if "delete" in request.query:
            name = body.decode().partition("<Key>")[2].partition("</Key>")[0]
            self.objects.pop(name, None)
            return _xml(f"<DeleteResult><Deleted><Key>{name}</Key></Deleted></DeleteResult>")
        parts = self.uploads.pop(request.query["uploadId"])
        self.objects[key] = b"".join(parts[number] for number in sorted(parts))
        return _xml('<CompleteMultipartUploadResult><ETag>"e"</ETag>'
                    "</CompleteMultipartUploadResult>")  # fmt: skip

    def _get(self, key: str, request: web.Request) -> web.Response:
        if key not in self.objects:
            return web.Response(status=404)
        body, part = self.objects[key], request.http_range
        headers = {"ETag": '"e"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        if part.start is None and part.stop is None:
            return web.Response(body=body, headers=headers)
        begin, end, _ = part.indices(len(body))
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(body)}"
        return web.Response(status=206, body=body[begin:end], headers=headers)

    def _list(self, request: web.Request) -> web.Response:
        found = sorted(k for k in self.objects if k.startswith(request.query.get("prefix", "")))
        return _xml(
            "<ListBucketResult><IsTruncated>false</IsTruncated>"
            + "".join(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key])}</Size>"
                f"<LastModified>{STAMP}</LastModified><ETag>e</ETag></Contents>"
                for key in found
            )
            + "</ListBucketResult>"
        )


@asynccontextmanager
async def fake_s3() -> AsyncIterator[FakeS3]:
    """Serve a bucket on 127.0.0.1."""
    fake = FakeS3()
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{path:.*}", fake.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()


def _xml(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/xml")
