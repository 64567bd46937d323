"""One kind under one selection, as an informer reads it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from actor_operator.kube.client import PAGE_SIZE, KubeClient
from actor_operator.kube.resources import Resource


class KindSource:
    """Lists and watches the objects of one kind.

    Parameters
    ----------
    client
        Over which to read.
    resource
        The kind.
    namespace
        Only this namespace; ``None`` for all.
    label_selector, field_selector
        Only objects that match.
    page_size
        Objects a page when listing.
    """

    def __init__(
        self,
        client: KubeClient,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._page_size = page_size

    @property
    def kind(self) -> str:
        """Name of the kind, and of the namespace if it is only one, for logs and metrics."""
        place = f" in {self._namespace}" if self._namespace else ""
        return f"{self._resource.kind}{place}"

    async def list_page(self, continue_token: str) -> bytes:
        """One page of a consistent list; the first with an empty token."""
        return await self._client.list_page(
            self._resource,
            self._namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            limit=self._page_size,
            continue_token=continue_token,
        )

    def watch(self, resource_version: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a watch from a version; the value yields one event a line."""
        return self._client.watch(
            self._resource,
            self._namespace,
            resource_version=resource_version,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )
