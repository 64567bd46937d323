"""A plain client of the Kubernetes API, the same for both servers of the contract tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

Object = dict[str, Any]

MERGE = "application/merge-patch+json"

GROUPS = {
    "actorruns": "/apis/actor-operator.dev/v1alpha1",
    "customresourcedefinitions": "/apis/apiextensions.k8s.io/v1",
    "events.k8s.io": "/apis/events.k8s.io/v1",
    "ingressclasses": "/apis/networking.k8s.io/v1",
    "ingresses": "/apis/networking.k8s.io/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "things": "/apis/contract.example.org/v1",
}
"""Plural -> path of its group and version, where that is not the core's."""

TYPES = {
    "configmaps": ("v1", "ConfigMap"),
    "events": ("v1", "Event"),
    "events.k8s.io": ("events.k8s.io/v1", "Event"),
    "ingressclasses": ("networking.k8s.io/v1", "IngressClass"),
    "ingresses": ("networking.k8s.io/v1", "Ingress"),
    "leases": ("coordination.k8s.io/v1", "Lease"),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy"),
    "pods": ("v1", "Pod"),
    "resourcequotas": ("v1", "ResourceQuota"),
    "secrets": ("v1", "Secret"),
    "services": ("v1", "Service"),
    "things": ("contract.example.org/v1", "Thing"),
}
"""Plural -> apiVersion and kind."""

PATIENCE = 40.0
"""Seconds that a test waits for something that has to come."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered."""

    code: int
    body: Object
    headers: dict[str, str]

    @property
    def message(self) -> str:
        """The sentence of a refusal."""
        return str(self.body.get("message", ""))

    @property
    def reason(self) -> str:
        """The machine reason of a refusal."""
        return str(self.body.get("reason", ""))

    @property
    def details(self) -> Object:
        """Who is meant, and which fields."""
        details: Object = self.body.get("details") or {}
        return details

    @property
    def metadata(self) -> Object:
        """The metadata of the object or the list."""
        metadata: Object = self.body["metadata"]
        return metadata

    @property
    def version(self) -> str:
        """The resourceVersion of the object or the list."""
        return str(self.metadata["resourceVersion"])

    @property
    def names(self) -> list[str]:
        """Names of the items of a list."""
        return [item["metadata"]["name"] for item in self.body["items"]]


class Stream:
    """An open watch."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._buffer = b""

    async def next(self) -> tuple[str, Object]:
        """Type and object of the next event.

        Raises
        ------
        EOFError
            The server has ended the stream.
        """
        async with asyncio.timeout(PATIENCE):
            while b"\n" not in self._buffer:
                chunk = await self._response.content.readany()
                if not chunk:
                    raise EOFError
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        event = json.loads(line)
        return event["type"], event["object"]

    async def events(self, count: int) -> list[tuple[str, str]]:
        """(type, name) of the next events."""
        events = [await self.next() for _ in range(count)]
        return [(kind, obj["metadata"].get("name", "")) for kind, obj in events]


class Api:
    """One server, and a namespace of it that this test has for itself."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        namespace: str,
        compact: Callable[[], Awaitable[None]],
        *,
        is_real: bool,
    ) -> None:
        self._session = session
        self._compact = compact
        self.namespace = namespace
        self.is_real = is_real

    def path(self, plural: str, name: str = "", subresource: str = "") -> str:
        """Where a kind, an object or a subresource is."""
        base = GROUPS.get(plural, "/api/v1")
        plural = plural.partition(".")[0]
        segments = ["namespaces", self.namespace, plural, name, subresource]
        if plural in {"namespaces", "customresourcedefinitions", "ingressclasses"}:
            segments = segments[2:]
        return "/".join([base, *filter(None, segments)])

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        media_type: str = "application/json",
        **query: str,
    ) -> Reply:
        """Any request."""
        headers = {"Content-Type": media_type} if body is not None else {}
        data = None if body is None else json.dumps(body)
        query = {name.rstrip("_"): value for name, value in query.items()}
        request = self._session.request(method, path, data=data, headers=headers, params=query)
        async with request as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            return Reply(
                response.status,
                json.loads(text) if is_json else {"text": text},
                dict(response.headers),
            )

    async def post(self, plural: str, obj: Object, **query: str) -> Reply:
        """Create, whatever comes of it; apiVersion and kind are added."""
        api_version, kind = TYPES[plural]
        typed = {"apiVersion": api_version, "kind": kind} | obj
        return await self.call("POST", self.path(plural), typed, **query)

    async def create(self, plural: str, name: str, **fields: Any) -> Object:
        """Create, which must succeed."""
        metadata = {"name": name} | fields.pop("metadata", {})
        reply = await self.post(plural, {"metadata": metadata} | fields)
        assert reply.code == 201, reply.body
        return reply.body

    async def get(self, plural: str, name: str) -> Reply:
        """Read one object."""
        return await self.call("GET", self.path(plural, name))

    async def list(self, plural: str, **query: str) -> Reply:
        """Read many."""
        return await self.call("GET", self.path(plural), **query)

    async def put(self, plural: str, obj: Object, subresource: str = "", **query: str) -> Reply:
        """Replace an object or its status."""
        path = self.path(plural, obj["metadata"]["name"], subresource)
        return await self.call("PUT", path, obj, **query)

    async def patch(
        self,
        plural: str,
        name: str,
        patch: object,
        subresource: str = "",
        media_type: str = MERGE,
        **query: str,
    ) -> Reply:
        """Patch an object or its status, by default with a merge patch."""
        path = self.path(plural, name, subresource)
        return await self.call("PATCH", path, patch, media_type=media_type, **query)

    async def delete(
        self, plural: str, name: str, options: Object | None = None, **query: str
    ) -> Reply:
        """Delete an object."""
        return await self.call("DELETE", self.path(plural, name), options, **query)

    @asynccontextmanager
    async def watch(self, plural: str, **query: str) -> AsyncIterator[Stream]:
        """A stream that has been opened with status 200."""
        params = {"watch": "1", "timeoutSeconds": "60"} | query
        async with self._session.get(self.path(plural), params=params) as response:
            assert response.status == 200, await response.text()
            yield Stream(response)

    async def compact(self) -> None:
        """Make all older revisions expire."""
        await self._compact()

    async def until_gone(self, plural: str, name: str) -> None:
        """Wait until an object is no longer there."""

        async def gone() -> bool:
            return (await self.get(plural, name)).code == 404

        await self.until(gone)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something holds."""
        for _ in range(int(PATIENCE / 0.05)):
            if await holds():
                return
            await asyncio.sleep(0.05)
        raise TimeoutError


async def no_compaction() -> None:
    """For clients that have no say in it."""


def pod(**spec: Any) -> Object:
    """The spec of a pod that no scheduler touches."""
    container = {"name": "main", "image": "registry.example.org/main:1"}
    return {"containers": [container], "schedulerName": "nobody.example.org"} | spec


def owner(obj: Object, **fields: Any) -> Object:
    """An ownerReference to an object."""
    metadata = obj["metadata"]
    reference = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    return reference | {"name": metadata["name"], "uid": metadata["uid"]} | fields
