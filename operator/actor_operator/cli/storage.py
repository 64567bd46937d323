"""``actorctl storage``: what runs leave behind, and what they are given."""

import click

from actor_operator.cli.lazy import LazyCommand, LazyGroup

_HERE = "actor_operator.cli"

COMMANDS = {
    "ls": LazyCommand(f"{_HERE}.storage_ls", "ls", "List storages, or the keys of a store."),
    "get": LazyCommand(f"{_HERE}.storage_get", "get", "Read records, items or requests."),
    "push": LazyCommand(f"{_HERE}.storage_push", "push", "Write records, items or requests."),
}
"""What can be done with storages."""


@click.group("storage", cls=LazyGroup, lazy=COMMANDS)
def storage() -> None:
    """Read and write storages through the API: key-value stores, datasets, request queues.

    A storage is named by its id, by ~NAME for one's own, or by ACCOUNT~NAME.
    """
