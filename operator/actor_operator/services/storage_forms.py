"""How each kind of storage is called and shown."""

from actor_operator.services.dataset_schema import check_schema
from actor_operator.services.key_value_store_object import (
    describe_key_value_store,
    list_key_value_store,
)
from actor_operator.services.queue_object import describe_queue, list_queue
from actor_operator.services.storage_object import Addresses, describe_dataset, list_dataset
from actor_operator.services.storages import Form
from actor_operator.storage.catalog import StorageKind


def storage_forms(addresses: Addresses) -> tuple[Form, ...]:
    """The form of every kind.

    Parameters
    ----------
    addresses
        Where things are for clients.
    """
    return (
        Form(
            StorageKind.KEY_VALUE_STORE,
            "Key-value store",
            lambda row, viewer, _: describe_key_value_store(row, viewer, addresses),
            list_key_value_store,
        ),
        Form(
            StorageKind.DATASET,
            "Dataset",
            lambda row, viewer, schema: describe_dataset(row, viewer, addresses, schema),
            list_dataset,
            check_schema,
        ),
        Form(
            StorageKind.REQUEST_QUEUE,
            "Request queue",
            lambda row, viewer, _: describe_queue(row, viewer, addresses),
            list_queue,
        ),
    )
