"""Key-value stores: their keys and records."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from actor_operator.server.answers import GUARDS, data, json_answer, no_content
from actor_operator.server.bodies import content_encoding, stream_body
from actor_operator.server.described import ANYTHING, OBJECT
from actor_operator.server.parameters import Limit
from actor_operator.server.records import record_answer
from actor_operator.server.routes.storages import add_storage_routes
from actor_operator.server.routing import Routes
from actor_operator.services.access import FindStorage, StorageRef
from actor_operator.services.errors import unsupported
from actor_operator.services.identity import Permission
from actor_operator.services.key_listing import KeyListing
from actor_operator.services.key_value_stores import KeyValueStores
from actor_operator.services.storages import Storages

Prefix = Annotated[str, Query(description="Only keys that begin so.")]
Collection = Annotated[str, Query(description="Not supported: a collection of the store's schema.")]
Key = Annotated[str, Query(alias="exclusiveStartKey", description="Only keys after this one.")]

RecordKey = Annotated[str, Path(alias="recordKey", description="Key of the record.")]

TAG = "Key-value stores"
RECORD = "/records/{recordKey}"


def key_value_store_routes(
    prefix: str,
    storages: Storages,
    stores: KeyValueStores,
    listing: KeyListing,
    find: FindStorage,
    *,
    max_record_bytes: int,
) -> Routes:
    """Routes of one store.

    Parameters
    ----------
    prefix
        Path of the store.
    storages, stores, listing
        What they do.
    find
        Gives the store of a request.
    max_record_bytes
        Largest record.
    """
    routes = Routes(prefix, TAG)
    add_storage_routes(routes, storages, find)
    _add_lists(routes, stores, listing, find)
    _add_reading(routes, stores, find)
    _add_writing(routes, stores, find, max_record_bytes)
    return routes


def _add_lists(
    routes: Routes, stores: KeyValueStores, listing: KeyListing, find: FindStorage
) -> None:
    @routes.get("/keys", needs=Permission.SHARED)
    async def list_keys(
        store: Annotated[StorageRef, Depends(find)],
        start: Key = "",
        limit: Limit = 0,
        prefix: Prefix = "",
        collection: Collection = "",
    ) -> Response:
        """List keys, in the order of their bytes."""
        _refuse_collection(collection)
        return data(await listing.page(store, start=start, prefix=prefix, limit=limit))

    @routes.get("/records", needs=Permission.SHARED, gives=ANYTHING)
    async def get_records(
        store: Annotated[StorageRef, Depends(find)],
        prefix: Prefix = "",
        collection: Collection = "",
    ) -> Response:
        """Get all records as a zip file."""
        _refuse_collection(collection)
        headers = {**GUARDS, "Content-Disposition": f'attachment; filename="{store.id}.zip"'}
        return StreamingResponse(
            stores.zip_records(store, prefix=prefix), 200, headers, media_type="application/zip"
        )


def _add_reading(routes: Routes, stores: KeyValueStores, find: FindStorage) -> None:
    @routes.get(RECORD, needs=Permission.SHARED, gives=ANYTHING)
    async def get_record(
        request: Request,
        store: Annotated[StorageRef, Depends(find)],
        record_key: RecordKey,
        *,
        attachment: Annotated[bool, Query(description="To be saved, not shown.")] = False,
    ) -> Response:
        """Get a record as it was written."""
        found = await stores.get_record(store, record_key)
        return record_answer(found, request.headers.get("accept-encoding"), save=attachment)

    @routes.add("HEAD", RECORD, needs=Permission.SHARED)
    async def head_record(
        store: Annotated[StorageRef, Depends(find)], record_key: RecordKey
    ) -> Response:
        """Ask whether there is a record."""
        found = await stores.head_record(store, record_key)
        headers = {**GUARDS, "Content-Type": found.content_type, "Content-Length": str(found.size)}
        if found.content_encoding:
            headers["Content-Encoding"] = found.content_encoding
        return Response(status_code=200, headers=headers)


def _add_writing(
    routes: Routes, stores: KeyValueStores, find: FindStorage, max_record_bytes: int
) -> None:
    async def put_record(
        request: Request, store: Annotated[StorageRef, Depends(find)], record_key: RecordKey
    ) -> Response:
        """Write a record."""
        await stores.put_record(
            store,
            record_key,
            stream_body(request, max_record_bytes),
            content_type=request.headers.get("content-type"),
            content_encoding=content_encoding(request) or None,
        )
        return json_answer({}, 201)

    for method in ("PUT", "POST"):
        routes.add(
            method, RECORD, needs=Permission.WRITE, status=201, gives=OBJECT, takes=ANYTHING
        )(put_record)

    @routes.delete(RECORD, needs=Permission.WRITE)
    async def delete_record(
        store: Annotated[StorageRef, Depends(find)], record_key: RecordKey
    ) -> Response:
        """Delete a record; that there is none is no error."""
        await stores.delete_record(store, record_key)
        return no_content()


def _refuse_collection(collection: str) -> None:
    if collection:
        raise unsupported("collections of keys")
