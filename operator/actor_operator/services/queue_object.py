"""Request queues as clients see them: the objects of Apify's API, from rows."""

from typing import Any

from actor_operator.services.storage_object import Addresses, Viewer, common_fields
from actor_operator.storage.catalog import StorageRow


def describe_queue(row: StorageRow, viewer: Viewer, addresses: Addresses) -> dict[str, Any]:
    """The RequestQueue object."""
    return {
        **list_queue(row, viewer),
        "consoleUrl": addresses.console_of("request-queues", row.id),
        "name": row.name,
    }


def list_queue(row: StorageRow, viewer: Viewer) -> dict[str, Any]:
    """A request queue in a list."""
    return {
        **common_fields(row, viewer),
        # Clients demand a text here; Apify shows the id of what has no name.
        "name": row.name or row.id,
        "totalRequestCount": row.item_count,
        "handledRequestCount": row.handled_count,
        "pendingRequestCount": row.item_count - row.handled_count,
        "hadMultipleClients": row.had_multiple_clients,
        "stats": {
            "readCount": row.read_count,
            "writeCount": row.write_count,
            "deleteCount": row.delete_count,
            "headItemReadCount": row.list_count,
            "storageBytes": row.storage_bytes,
        },
    }
