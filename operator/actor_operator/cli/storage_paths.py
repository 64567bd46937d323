"""Where storages are in the API. Pure."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from actor_operator.cli.api_client import ApiClient

STORES = "key-value-stores"
DATASETS = "datasets"
QUEUES = "request-queues"

KINDS = (STORES, DATASETS, QUEUES)
"""Kinds of storages, as they are called in paths."""

PAGE = 1000
"""Entries of one page of a list, the most that the API gives."""


def storage_path(kind: str, reference: str) -> str:
    """Path of a storage.

    Parameters
    ----------
    kind
        One of the kinds.
    reference
        Its id, ``~name`` or ``account~name``.
    """
    return f"/{kind}/{quote(reference, safe='~')}"


def record_path(store: str, key: str) -> str:
    """Path of a record."""
    # A dot alone would be taken out of the path, as that of a folder.
    escaped = "".join("%2E" for _ in key) if not key.strip(".") else quote(key, safe="")
    return f"{storage_path(STORES, store)}/records/{escaped}"


async def all_storages(client: ApiClient, kind: str, *, unnamed: bool) -> list[dict[str, Any]]:
    """All storages of a kind, the oldest first."""
    found: list[dict[str, Any]] = []
    while True:
        params = {"offset": len(found), "limit": PAGE, "unnamed": "true" if unnamed else "false"}
        page = await client.get(f"/{kind}", params)
        found += page["items"]
        if not page["items"] or len(found) >= page["total"]:
            return found


async def all_keys(client: ApiClient, store: str, prefix: str) -> AsyncIterator[list[Any]]:
    """The keys of a store, page by page."""
    params: dict[str, str | int] = {"limit": PAGE, **({"prefix": prefix} if prefix else {})}
    while True:
        page = await client.get(f"{storage_path(STORES, store)}/keys", params)
        if page["items"]:
            yield page["items"]
        if not page["isTruncated"]:
            return
        params["exclusiveStartKey"] = page["nextExclusiveStartKey"]


async def all_requests(client: ApiClient, queue: str) -> AsyncIterator[list[Any]]:
    """The requests of a queue, page by page, in the order of their ids."""
    params: dict[str, str | int] = {"limit": PAGE}
    while True:
        page = await client.get(f"{storage_path(QUEUES, queue)}/requests", params)
        if page["items"]:
            yield page["items"]
        if not page.get("nextCursor"):
            return
        params["cursor"] = page["nextCursor"]
