"""Key-value stores and their keys as clients see them."""

from typing import Any
from urllib.parse import quote

from actor_operator.services.describing import describe_all
from actor_operator.services.signatures import sign_text
from actor_operator.services.storage_object import (
    OPEN_ACCESS,
    Addresses,
    Viewer,
    common_fields,
    owner_fields,
    signed_link,
)
from actor_operator.storage.catalog import StorageRow
from actor_operator.storage.records import KeyPage

PLURAL = "key-value-stores"


def describe_key_value_store(
    row: StorageRow, viewer: Viewer, addresses: Addresses
) -> dict[str, Any]:
    """The key-value store."""
    address = addresses.storage(PLURAL, row.id)
    return {
        **common_fields(row, viewer),
        "consoleUrl": addresses.console_of(PLURAL, row.id),
        "keysPublicUrl": signed_link(row, viewer, f"{address}/keys"),
        "recordsPublicUrl": f"{address}/records",
        "schema": None,
        **owner_fields(row, viewer),
        "stats": {
            "readCount": row.read_count,
            "writeCount": row.write_count,
            "deleteCount": row.delete_count,
            "listCount": row.list_count,
            "storageBytes": row.storage_bytes,
        },
    }


def list_key_value_store(row: StorageRow, viewer: Viewer) -> dict[str, Any]:
    """A key-value store in a list."""
    return {**common_fields(row, viewer), "name": row.name or row.id}


async def describe_keys(
    found: KeyPage, row: StorageRow, *, limit: int, start: str, is_owner: bool, addresses: Addresses
) -> dict[str, Any]:
    """A page of keys.

    Parameters
    ----------
    found
        The keys, with sizes in bytes.
    row
        Their store.
    limit, start
        What was asked for.
    is_owner
        Whether links may be given away.
    addresses
        Where things are.
    """
    address = f"{addresses.storage(PLURAL, row.id)}/records"
    last = found.items[-1][0] if found.items and found.is_truncated else None

    def describe(item: tuple[str, int]) -> dict[str, Any]:
        key, size = item
        link = _record_link(row, address, key, is_owner=is_owner)
        return {"key": key, "size": size, "recordPublicUrl": link}

    return {
        "items": await describe_all(describe, found.items),
        "count": len(found.items),
        "limit": limit,
        "isTruncated": found.is_truncated,
        "exclusiveStartKey": start or None,
        "nextExclusiveStartKey": last,
    }


def _record_link(row: StorageRow, address: str, key: str, *, is_owner: bool) -> str:
    link = f"{address}/{quote(key, safe='')}"
    if row.general_access in OPEN_ACCESS or not is_owner:
        return link
    return f"{link}?signature={sign_text(row.signing_key, key)}"
