"""Storages as clients see them: the objects of Apify's API, from rows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from actor_operator.desired.names import object_id
from actor_operator.services.signatures import sign_storage
from actor_operator.services.times import iso_of_millis
from actor_operator.storage.catalog import StorageRow

LINK_DAYS = 14
"""How long the signed link in an answer is valid (Apify)."""

OPEN_ACCESS = frozenset({"ANYONE_WITH_ID_CAN_READ", "ANYONE_WITH_NAME_CAN_READ"})
"""General access with which a link needs no signature."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things are for clients.

    Parameters
    ----------
    api
        Address of the API, without ``/v2``.
    console
        Address of a console for people; empty: there is none, and the API stands for it.
    """

    api: str
    console: str = ""

    def storage(self, plural: str, storage_id: str) -> str:
        """Address of a storage in the API, such as of ``datasets``."""
        return f"{self.api}/v2/{plural}/{storage_id}"

    def console_of(self, plural: str, storage_id: str) -> str:
        """Address of a storage for people."""
        if not self.console:
            return self.storage(plural, storage_id)
        return f"{self.console}/storage/{plural}/{storage_id}"


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom a storage is described.

    Parameters
    ----------
    username
        The account that owns the storage.
    is_owner
        Whether it is the owner who asks, who alone gets keys and signed links.
    now
        The time in milliseconds since 1970.
    """

    username: str
    is_owner: bool
    now: int


def describe_dataset(
    row: StorageRow, viewer: Viewer, addresses: Addresses, schema: Any = None
) -> dict[str, Any]:
    """The Dataset object."""
    return {
        **common_fields(row, viewer),
        **_item_counts(row),
        "fields": field_names(row),
        "schema": schema,
        "consoleUrl": addresses.console_of("datasets", row.id),
        "itemsPublicUrl": signed_link(
            row, viewer, addresses.storage("datasets", row.id) + "/items"
        ),
        **owner_fields(row, viewer),
        "stats": {
            "readCount": row.read_count,
            "writeCount": row.write_count,
            "storageBytes": row.storage_bytes,
            "inflatedBytes": row.inflated_bytes,
        },
    }


def list_dataset(row: StorageRow, viewer: Viewer) -> dict[str, Any]:
    """A dataset in a list."""
    return {
        **common_fields(row, viewer),
        # Clients demand a text here; Apify shows the id of what has no name.
        "name": row.name or row.id,
        **_item_counts(row),
        "stats": {
            "readCount": row.read_count,
            "writeCount": row.write_count,
            "inflatedBytes": row.inflated_bytes,
        },
    }


def field_names(row: StorageRow) -> list[str]:
    """Names of the fields that the items of a dataset have."""
    names: list[str] = msgspec.json.decode(row.fields) if row.fields else []
    return names


def signed_link(row: StorageRow, viewer: Viewer, address: str) -> str | None:
    """A link by which everybody may read what is there; None: this viewer may give none away."""
    if row.general_access in OPEN_ACCESS:
        return address
    if not viewer.is_owner:
        return None
    expires = datetime.fromtimestamp(viewer.now / 1000, UTC) + timedelta(days=LINK_DAYS)
    return f"{address}?signature={sign_storage(row.signing_key, row.id, expires)}"


def common_fields(row: StorageRow, viewer: Viewer) -> dict[str, Any]:
    """What storages of all kinds have."""
    return {
        "id": row.id,
        "name": row.name,
        "title": row.title,
        "userId": object_id("user", viewer.username),
        "username": viewer.username,
        "createdAt": iso_of_millis(row.created_at),
        "modifiedAt": iso_of_millis(row.modified_at),
        "accessedAt": iso_of_millis(row.accessed_at),
        "actId": row.actor_id,
        "actRunId": row.run_id,
        "generalAccess": row.general_access,
    }


def _item_counts(row: StorageRow) -> dict[str, Any]:
    return {"itemCount": row.item_count, "cleanItemCount": row.clean_item_count}


def owner_fields(row: StorageRow, viewer: Viewer) -> dict[str, Any]:
    """What only the owner may know."""
    return {"urlSigningSecretKey": row.signing_key} if viewer.is_owner else {}
