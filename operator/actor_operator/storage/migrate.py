"""Brings a database to the form that this version of the program knows."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from actor_operator.errors import ConfigurationError

SCRIPTS = Path(__file__).parent / "migrations"
"""The steps, in Alembic's form."""

LOCK_NUMBER = 7_264_118_001
"""Number of the lock in PostgreSQL that one replica at a time holds while it migrates."""


def migrate(connection: Connection, to: str = "head") -> None:
    """Run the steps that the database has not seen, in the transaction that is open.

    Parameters
    ----------
    connection
        In a transaction.
    to
        The last step; only tests, which make older databases, name another one than the newest.

    Raises
    ------
    ConfigurationError
        When a newer version of the program has changed the database.
    """
    if connection.dialect.name == "postgresql":
        # A step may take as long as the tables are large, and others wait for it.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK_NUMBER})
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise ConfigurationError(
            f"The database was changed by a newer version of Actor Operator: {error}. "
            "Go back to that version, or restore a backup."
        ) from error
