"""The verbs of the Kubernetes API: bytes out, bytes in, every failure one of ours."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from types import TracebackType
from typing import Self

import msgspec

from actor_operator.kube.credentials import Connection
from actor_operator.kube.errors import NotFoundError
from actor_operator.kube.lines import split_lines
from actor_operator.kube.resources import Resource
from actor_operator.kube.transport import Limiter, Observer, Request, Timeouts, Transport

PAGE_SIZE = 500
"""Objects a page when listing; what client-go uses."""

CLOSING_MARGIN = 2
"""Seconds by which the server closes a watch before its silence would be taken for death.

A watch of a quiet kind may say nothing at all: the server sends no bookmark that is not newer than
where the watch began. Its proper end is then the sign of life, and the next one goes over the same
connection.
"""


class PatchKind(StrEnum):
    """What the body of a patch is."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"
    APPLY = "application/apply-patch+yaml"


class Propagation(StrEnum):
    """What happens to the children of a deleted object."""

    BACKGROUND = "Background"
    FOREGROUND = "Foreground"
    ORPHAN = "Orphan"


class KubeClient:
    """Talks to one API server.

    Parameters
    ----------
    connection
        Server and credentials.
    user_agent
        How we call ourselves in the server's audit log.
    limit
        Most calls at the same time; watches and logs do not count.
    timeouts
        Time limits.
    guard
        Called right before a write is sent; raises ``NotLeaderError`` when this process must not
        write.
    limiter
        Slows writes down; ``None`` for no limit.
    observe
        Told of each call.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        user_agent: str,
        limit: int = 48,
        timeouts: Timeouts | None = None,
        guard: Callable[[], None] | None = None,
        limiter: Limiter | None = None,
        observe: Observer | None = None,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._transport = Transport(
            connection,
            user_agent=user_agent,
            limit=limit,
            timeouts=self._timeouts,
            guard=guard,
            limiter=limiter,
            observe=observe,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def server_version(self) -> bytes:
        """What the API server says of its own version, as JSON."""
        return await self._transport.call(Request("get", "Version", "GET", "/version"))

    async def get(self, resource: Resource, namespace: str | None, name: str) -> bytes | None:
        """One object as JSON, ``None`` when there is none of that name."""
        path = resource.item(namespace, name)
        try:
            return await self._transport.call(Request("get", resource.kind, "GET", path))
        except NotFoundError:
            return None

    async def list_page(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = PAGE_SIZE,
        continue_token: str = "",
    ) -> bytes:
        """One page of a consistent list, as JSON.

        Parameters
        ----------
        resource, namespace
            Which kind; of all namespaces without one.
        label_selector, field_selector
            Which objects.
        limit
            Most objects a page.
        continue_token
            ``metadata.continue`` of the page before.

        Raises
        ------
        GoneError
            When the token is too old: begin anew.
        """
        params = {
            "limit": str(limit),
            "continue": continue_token,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
        }
        path = resource.collection(namespace)
        return await self._transport.call(
            Request("list", resource.kind, "GET", path, _without_empty(params))
        )

    @asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a watch with bookmarks; the value yields its events, one JSON object each.

        The events end when the server closes the watch, which it is asked to do before the
        silence that counts as dead.

        Raises
        ------
        ApiError
            When the watch cannot be opened (``GoneError``: list anew), and from the events when it
            breaks or falls silent.
        """
        silence = self._timeouts.silence
        params = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(max(1, int(silence) - CLOSING_MARGIN)),
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
        }
        request = Request(
            "watch", resource.kind, "GET", resource.collection(namespace), _without_empty(params)
        )
        async with self._transport.stream(request, silence=silence) as chunks:
            yield split_lines(chunks)

    @asynccontextmanager
    async def read_stream(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        subresource: str,
        *,
        params: dict[str, str],
        silence: float | None,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream of raw bytes, such as a pod's log.

        Parameters
        ----------
        resource, namespace, name, subresource
            Of what.
        params
            Query parameters; empty ones are left out.
        silence
            Seconds without a byte after which the stream is taken for dead; ``None`` for never.

        Raises
        ------
        ApiError
            When it cannot be opened, and from the chunks when it breaks.
        """
        path = resource.item(namespace, name, subresource)
        kind = _label(resource, subresource)
        request = Request("get", kind, "GET", path, _without_empty(params))
        async with self._transport.stream(request, silence=silence) as chunks:
            yield chunks

    async def create(self, resource: Resource, namespace: str | None, body: bytes) -> bytes:
        """Create an object and return it as stored.

        Raises
        ------
        AlreadyExistsError
            When the name is taken.
        """
        path = resource.collection(namespace)
        return await self._transport.call(Request("create", resource.kind, "POST", path, body=body))

    async def put(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: bytes,
        *,
        subresource: str = "",
    ) -> bytes:
        """Replace an object, or a subresource of it such as ``status``; returns what is stored.

        Raises
        ------
        ConflictError
            When ``metadata.resourceVersion`` of the body is not the stored one.
        NotFoundError
            When the object is gone.
        """
        path = resource.item(namespace, name, subresource)
        kind = _label(resource, subresource)
        return await self._transport.call(Request("update", kind, "PUT", path, body=body))

    async def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: bytes,
        kind: PatchKind,
        *,
        subresource: str = "",
        field_manager: str = "",
    ) -> bytes:
        """Change an object and return it as stored; an apply creates it if it is not there.

        Parameters
        ----------
        resource, namespace, name, subresource
            Of what.
        body
            The patch as JSON.
        kind
            How it is meant.
        field_manager
            Needed for ``APPLY``, which takes fields from other managers (``force``).

        Raises
        ------
        NotFoundError
            When the object is gone.
        """
        params = {
            "fieldManager": field_manager,
            "force": "true" if kind is PatchKind.APPLY else "",
        }
        request = Request(
            "apply" if kind is PatchKind.APPLY else "patch",
            _label(resource, subresource),
            "PATCH",
            resource.item(namespace, name, subresource),
            _without_empty(params),
            body=body,
            content_type=kind.value,
        )
        return await self._transport.call(request)

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str = "",
        resource_version: str = "",
        grace_seconds: int | None = None,
        propagation: Propagation = Propagation.BACKGROUND,
    ) -> bytes | None:
        """Delete an object.

        Parameters
        ----------
        resource, namespace, name
            Which.
        uid, resource_version
            Preconditions: it is deleted only if it is this one, in this version.
        grace_seconds
            ``gracePeriodSeconds``; by default the object's own.
        propagation
            What happens to its children.

        Returns
        -------
        bytes or None
            The object or a Status as JSON; ``None`` when there was none of that name.

        Raises
        ------
        ConflictError
            When a precondition does not hold.
        """
        options = _DeleteOptions(
            api_version="v1",
            grace_seconds=grace_seconds,
            propagation=propagation.value,
            preconditions=_Preconditions(
                uid=uid or None, resource_version=resource_version or None
            ),
        )
        path = resource.item(namespace, name)
        body = msgspec.json.encode(options)
        try:
            return await self._transport.call(
                Request("delete", resource.kind, "DELETE", path, body=body)
            )
        except NotFoundError:
            return None


class _Preconditions(msgspec.Struct, rename="camel", omit_defaults=True):
    uid: str | None = None
    resource_version: str | None = None


class _DeleteOptions(
    msgspec.Struct, rename="camel", omit_defaults=True, tag_field="kind", tag="DeleteOptions"
):
    api_version: str
    preconditions: _Preconditions
    propagation: str = msgspec.field(name="propagationPolicy")
    grace_seconds: int | None = msgspec.field(default=None, name="gracePeriodSeconds")


def _label(resource: Resource, subresource: str) -> str:
    return f"{resource.kind}/{subresource}" if subresource else resource.kind


def _without_empty(params: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in params.items() if value}
