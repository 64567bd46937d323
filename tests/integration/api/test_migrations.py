"""The form of the database."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from actor_operator.storage.catalog import Catalog, StorageChanges, StorageKind
from actor_operator.storage.database import Database
from actor_operator.storage.migrate import SCRIPTS, migrate
from actor_operator.storage.tables import METADATA

STORAGE = {
    "account": 1,
    "id": "d" * 17,
    "kind": "dataset",
    "created_at": 1,
    "modified_at": 1,
    "accessed_at": 1,
    "general_access": "RESTRICTED",
    "signing_key": "key",
    "item_count": 5,
    "clean_item_count": 5,
    "handled_count": 0,
    "storage_bytes": 0,
    "inflated_bytes": 0,
    "first_order": 0,
    "last_order": 0,
    "had_multiple_clients": False,
    "read_count": 0,
    "write_count": 0,
    "delete_count": 0,
    "list_count": 0,
}
"""A row as the first form of the database has it."""

STEPS = [step.revision for step in ScriptDirectory(str(SCRIPTS)).walk_revisions()]
"""All of them, the newest first."""


def empty(connection: Connection) -> None:
    """Take away all that a migration has made."""
    for table in inspect(connection).get_table_names():
        connection.execute(text(f"DROP TABLE {table}"))


def compare(connection: Connection) -> list[Any]:
    """What the database and the tables of the program do not have in common."""
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


async def test_the_steps_lead_to_the_tables_of_the_program(database: Database) -> None:
    assert await database.read(compare) == []


async def test_a_second_start_changes_nothing(database: Database) -> None:
    def version(connection: Connection) -> Any:
        return connection.execute(text("SELECT version_num FROM alembic_version")).all()

    before = await database.read(version)

    await database.write(migrate)

    assert await database.read(version) == before


@pytest.mark.parametrize("step", STEPS[1:])
async def test_a_database_of_an_older_version_is_brought_to_the_newest_form(
    database: Database, step: str
) -> None:
    """What is in it stays, and can be used as what is new."""

    def make_older(connection: Connection) -> None:
        empty(connection)
        migrate(connection, step)
        columns = ", ".join(STORAGE)
        values = ", ".join(f":{name}" for name in STORAGE)
        connection.execute(
            text(f"INSERT INTO storages ({columns}) VALUES ({values})"),  # noqa: S608 -- names of ours
            STORAGE,
        )

    await database.write(make_older)
    await database.write(migrate)

    assert await database.read(compare) == []
    changed = await database.write(
        lambda connection: Catalog(connection, 1).update(
            StorageKind.DATASET, "d" * 17, StorageChanges(schema=b"{}"), 2
        )
    )
    assert changed is not None
    assert (changed.item_count, len(changed.schema_digest or "")) == (5, 64)
