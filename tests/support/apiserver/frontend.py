"""HTTP: from a request to an answer, with faults in between, everything noted."""

import asyncio
import random
from collections.abc import Mapping

import msgspec
from aiohttp import web
from tests.support.apiserver.discovery import HEALTH_PATHS, discover
from tests.support.apiserver.errors import ApiError, unauthorized
from tests.support.apiserver.faults import Fault, Faults, Moment, Reset
from tests.support.apiserver.handlers import Answer, Handlers
from tests.support.apiserver.kinds import Registry
from tests.support.apiserver.reads import parse_revision
from tests.support.apiserver.requestlog import Request, RequestLog
from tests.support.apiserver.routes import Target, parse
from tests.support.apiserver.selection import Selector
from tests.support.apiserver.store import Store
from tests.support.apiserver.watch import Watches, WatchOptions, error_line

SHORTEST_WATCH = 1800.0
"""Seconds after which a watch ends that names no time; at most twice as many."""


class Frontend:
    """The request handler of the server."""

    def __init__(
        self,
        *,
        registry: Registry,
        store: Store,
        watches: Watches,
        requests: RequestLog,
        faults: Faults,
        handlers: Handlers,
        token: str | None,
        bookmark_interval: float,
    ) -> None:
        self.token = token
        self._registry = registry
        self._store = store
        self._watches = watches
        self._requests = requests
        self._faults = faults
        self._handlers = handlers
        self._bookmark_interval = bookmark_interval

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            self._authenticate(request)
            if plain := self._about_the_server(request.path):
                return plain
            target = parse(self._registry, request.method, request.path, request.query)
        except ApiError as error:
            return _refusal(error)
        body = await request.read()
        noted = self._note(request, target, body)
        try:
            response = await self._carry_out(request, target, body, noted)
        except ApiError as error:
            response = _refusal(error)
        except Reset:
            return _reset(request)
        noted.code = response.status
        return response

    def _authenticate(self, request: web.BaseRequest) -> None:
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            raise unauthorized()

    def _about_the_server(self, path: str) -> web.Response | None:
        if path in HEALTH_PATHS:
            return web.Response(text="ok")
        found = discover(self._registry, path)
        return _json(200, msgspec.json.encode(found)) if found else None

    def _note(self, request: web.BaseRequest, target: Target, body: bytes) -> Request:
        name = target.name or _name_in(body)
        return self._requests.add(
            verb=target.verb,
            kind=target.resource,
            namespace=target.namespace,
            name=name,
            raw=body,
            query=dict(target.query),
            started=asyncio.get_running_loop().time(),
        )

    async def _carry_out(
        self, request: web.BaseRequest, target: Target, body: bytes, noted: Request
    ) -> web.StreamResponse:
        """The answer, with what a fault does before and after it."""
        fault = self._faults.take(noted)
        if fault and fault.moment is Moment.BEFORE:
            await fault.action(noted)
        if target.verb == "watch":
            return await self._watch(request, target, noted)
        answer = self._handlers.answer(target, body, request.content_type)
        noted.applied = answer.applied
        if fault and fault.moment is not Moment.BEFORE:
            await self._strike_after(request, fault, noted, answer)
        return web.Response(status=answer.code, body=answer.body, content_type=answer.content_type)

    @staticmethod
    async def _strike_after(
        request: web.BaseRequest, fault: Fault, noted: Request, answer: Answer
    ) -> None:
        if fault.moment is Moment.DURING:
            response = web.StreamResponse(status=answer.code)
            response.content_type = answer.content_type
            response.content_length = len(answer.body)
            await response.prepare(request)
            await response.write(answer.body[: len(answer.body) // 2])
        await fault.action(noted)

    async def _watch(
        self, request: web.BaseRequest, target: Target, noted: Request
    ) -> web.StreamResponse:
        """Stream until the time is over, the client goes, or a test ends it."""
        options = self._watch_options(target)
        response = web.StreamResponse()
        response.content_type = "application/json"
        noted.code = 200
        try:
            with self._watches.opened(target.kind, options) as watch:
                await response.prepare(request)
                ending = await watch.run(self._store, response)
        except ApiError as error:
            await response.prepare(request)
            await response.write(error_line(error))
            return response
        if ending.last_words:
            await response.write(ending.last_words)
        if ending.abort:
            raise Reset
        await response.write_eof()
        return response

    def _watch_options(self, target: Target) -> WatchOptions:
        query = target.query
        try:
            revision = parse_revision(query.get("resourceVersion", ""))
        except ValueError as error:
            raise ApiError(500, "", str(error)) from error
        starts_with_all = target.flag("sendInitialEvents") or not revision
        fallback = random.uniform(SHORTEST_WATCH, 2 * SHORTEST_WATCH)  # noqa: S311 - no secret
        return WatchOptions(
            revision=0 if starts_with_all else revision,
            selector=Selector(
                target.kind,
                target.namespace,
                query.get("labelSelector", ""),
                query.get("fieldSelector", ""),
            ),
            bookmarks=target.flag("allowWatchBookmarks"),
            seconds=float(query.get("timeoutSeconds") or fallback),
            bookmark_interval=self._bookmark_interval,
        )


class _Metadata(msgspec.Struct, frozen=True):
    name: str = ""


class _Named(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


_named = msgspec.json.Decoder(_Named)


def _name_in(body: bytes) -> str:
    """The name of the object in a body, empty if there is none."""
    try:
        return _named.decode(body).metadata.name if body else ""
    except msgspec.DecodeError:
        return ""


def _json(code: int, body: bytes, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=code, body=body, content_type="application/json", headers=headers)


def _refusal(error: ApiError) -> web.Response:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return _json(error.code, msgspec.json.encode(error.status()), headers)


def _reset(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
