"""Keys of a store as clients see them."""

from typing import Any

from actor_operator.services.access import StorageRef
from actor_operator.services.errors import not_found
from actor_operator.services.key_value_store_object import describe_keys
from actor_operator.services.key_value_stores import MAX_KEYS, KeyValueStores
from actor_operator.services.storage_object import Addresses
from actor_operator.storage.catalog import Catalog, StorageKind
from actor_operator.storage.database import Database


class KeyListing:
    """Lists keys.

    Parameters
    ----------
    database
        Where stores are.
    stores
        Where keys are.
    addresses
        Where things are for clients.
    """

    def __init__(self, database: Database, stores: KeyValueStores, addresses: Addresses) -> None:
        self._database = database
        self._stores = stores
        self._addresses = addresses

    async def page(
        self, store: StorageRef, *, start: str, prefix: str, limit: int
    ) -> dict[str, Any]:
        """A page of keys after one of them.

        Raises
        ------
        ApiError
            404 without the store, 400 for a key that is none.
        """
        most = min(limit or MAX_KEYS, MAX_KEYS)
        found = await self._stores.list_keys(
            store, exclusive_start_key=start, prefix=prefix, limit=most
        )
        row = await self._database.read(
            lambda connection: Catalog(connection, store.account).get(
                StorageKind.KEY_VALUE_STORE, store.id
            )
        )
        if row is None:
            raise not_found("Key-value store")
        return await describe_keys(
            found,
            row,
            limit=most,
            start=start,
            is_owner=store.may_share,
            addresses=self._addresses,
        )
