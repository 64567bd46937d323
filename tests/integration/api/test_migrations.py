"""The form of the database."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from actor_operator.storage.database import Database
from actor_operator.storage.migrate import migrate
from actor_operator.storage.tables import METADATA


async def test_the_steps_lead_to_the_tables_of_the_program(database: Database) -> None:
    def compare(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    assert await database.read(compare) == []


async def test_a_second_start_changes_nothing(database: Database) -> None:
    def version(connection: Connection) -> Any:
        return connection.execute(text("SELECT version_num FROM alembic_version")).all()

    before = await database.read(version)

    await database.write(migrate)

    assert await database.read(version) == before
