"""Datasets and their items."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response, StreamingResponse

from actor_operator.server.answers import GUARDS, data, json_answer
from actor_operator.server.bodies import read_body
from actor_operator.server.described import ANYTHING, JSON_VALUE, OBJECT
from actor_operator.server.items_query import items_query
from actor_operator.server.routes.storages import add_storage_routes, storage_collection_routes
from actor_operator.server.routing import Routes
from actor_operator.services.access import FindStorage, StorageRef
from actor_operator.services.datasets import Datasets, ItemsPage, ItemsRequest
from actor_operator.services.identity import Permission
from actor_operator.services.storages import Storages

TAG = "Datasets"

Asked = Annotated[ItemsRequest, Depends(items_query)]


def dataset_collection_routes(storages: Storages) -> Routes:
    """Routes of the list of datasets."""
    return storage_collection_routes("/v2/datasets", TAG, storages)


def dataset_routes(
    prefix: str, storages: Storages, datasets: Datasets, find: FindStorage
) -> Routes:
    """Routes of a dataset, wherever it is named.

    Parameters
    ----------
    prefix
        Path of the dataset.
    storages, datasets
        The use cases.
    find
        Dependency that gives the dataset.
    """
    routes = Routes(prefix, TAG)
    add_storage_routes(routes, storages, find)

    @routes.get("/items", needs=Permission.SHARED, gives=ANYTHING)
    async def get_items(dataset: Annotated[StorageRef, Depends(find)], asked: Asked) -> Response:
        """Get items, in one of several formats."""
        page, content = await datasets.read_items(dataset, asked)
        return items_answer(page, content)

    @routes.add("HEAD", "/items", needs=Permission.SHARED)
    async def head_items(dataset: Annotated[StorageRef, Depends(find)], asked: Asked) -> Response:
        """Get the headers that the items would have."""
        return items_answer(await datasets.describe_items(dataset, asked), b"")

    @routes.post("/items", needs=Permission.WRITE, gives=OBJECT, takes=JSON_VALUE)
    async def post_items(
        request: Request, dataset: Annotated[StorageRef, Depends(find)]
    ) -> Response:
        """Append an item, or an array of items."""
        await datasets.push(dataset, await read_body(request))
        return json_answer({}, 201)

    @routes.get("/statistics", needs=Permission.SHARED)
    async def get_statistics(dataset: Annotated[StorageRef, Depends(find)]) -> Response:
        """Get statistics of the fields of all items."""
        return data(await datasets.statistics(dataset))

    return routes


def items_answer(
    page: ItemsPage, content: bytes | AsyncIterator[bytes], status: int = 200
) -> Response:
    """An answer of items.

    Parameters
    ----------
    page
        Which ones they are.
    content
        The items in their format.
    status
        HTTP status.
    """
    headers = {
        "X-Apify-Pagination-Total": str(page.total),
        "X-Apify-Pagination-Offset": str(page.offset),
        "X-Apify-Pagination-Count": str(page.count),
        "X-Apify-Pagination-Limit": str(page.limit),
        "X-Apify-Pagination-Desc": "true" if page.desc else "false",
        **GUARDS,
    }
    if page.file_name:
        headers["Content-Disposition"] = f'attachment; filename="{page.file_name}"'
    if isinstance(content, bytes):
        return Response(content, status, headers, media_type=page.media_type)
    return StreamingResponse(content, status, headers, media_type=page.media_type)
