"""PostgreSQL alone."""

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text
from tests.integration.api.world import until
from tests.support.postgres import postgres_server

from actor_operator.errors import ConfigurationError
from actor_operator.settings_api import StorageSettings
from actor_operator.storage.database import DatabaseUnavailableError
from actor_operator.storage.logs import LogOwners
from actor_operator.storage.migrate import LOCK_NUMBER
from actor_operator.storage.open import open_database
from actor_operator.storage.postgres import SESSION, PostgresDatabase

ACCOUNT, RUN = 7, "r" * 17


async def test_replicas_that_start_together_bring_the_database_forward_once(
    postgres_url: str,
) -> None:
    databases = await asyncio.gather(*(PostgresDatabase.open(postgres_url) for _ in range(4)))

    for database in databases:
        await database.close()


@pytest.mark.parametrize("setting", ["synchronous_commit", "fsync"])
async def test_a_server_that_loses_what_it_confirmed_is_refused(
    postgres_url: str, setting: str
) -> None:
    if setting == "fsync":
        with (
            postgres_server("fsync=off") as url,
            pytest.raises(ConfigurationError, match="fsync=off"),
        ):
            await PostgresDatabase.open(url % "postgres")
        return
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET {setting} = off".encode())

    with pytest.raises(ConfigurationError, match=f"{setting}=off"):
        await PostgresDatabase.open(postgres_url)


@pytest.mark.parametrize(
    "url", ["", "no url", "mysql://user@host/name", "sqlite:///file", "postgresql://h:port/n"]
)
async def test_a_url_of_something_else_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(ConfigurationError, match="URL of the database"):
        await PostgresDatabase.open(url)


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    url = f"postgresql://user:secret@/name?host={tmp_path}"

    with pytest.raises(DatabaseUnavailableError) as caught:
        await PostgresDatabase.open(url)

    assert "secret" not in str(caught.value)


async def test_connections_that_the_server_ended_are_made_anew(postgres_url: str) -> None:
    database = await PostgresDatabase.open(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    one = await database.read(lambda c: c.execute(text("SELECT 1")).scalar_one())

    assert one == 1
    await database.close()


async def test_a_connection_that_breaks_during_a_write_is_told_as_unavailable(
    postgres_url: str,
) -> None:
    database = await PostgresDatabase.open(postgres_url)

    with pytest.raises(DatabaseUnavailableError):
        await database.write(
            lambda c: c.execute(text("SELECT pg_terminate_backend(pg_backend_pid())")).all()
        )

    await database.close()


async def test_of_two_that_lock_each_other_both_get_through(postgres_url: str) -> None:
    database = await PostgresDatabase.open(postgres_url)
    await database.write(lambda c: c.execute(text("CREATE TABLE t (id int, n int)")).rowcount)
    await database.write(lambda c: c.execute(text("INSERT INTO t VALUES (1, 0), (2, 0)")).rowcount)

    def change(first: int, second: int, connection: Connection) -> None:
        for number in (first, second):
            connection.execute(text("UPDATE t SET n = n + 1 WHERE id = :id"), {"id": number})
            connection.execute(text("SELECT pg_sleep(0.05)"))

    await asyncio.gather(
        *(database.write(lambda c: change(1, 2, c)) for _ in range(2)),
        *(database.write(lambda c: change(2, 1, c)) for _ in range(2)),
    )

    rows = await database.read(lambda c: c.execute(text("SELECT n FROM t")).scalars().all())
    assert list(rows) == [4, 4]
    await database.close()


async def test_the_url_is_read_from_its_file(postgres_url: str, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(postgres_url + "\n")

    database = await open_database(StorageSettings(database_url_file=file))

    assert isinstance(database, PostgresDatabase)
    await database.close()


async def test_a_file_without_a_url_is_an_error_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="databaseUrlFile"):
        await open_database(StorageSettings(database_url_file=tmp_path / "missing"))


async def test_a_server_that_vanishes_without_a_word_is_given_up(postgres_url: str) -> None:
    both = "&" if "?" in postgres_url else "?"
    database = await PostgresDatabase.open(f"{postgres_url}{both}keepalives_idle=7")

    asked_for = await database.read(_parameters)
    await database.close()

    assert asked_for["tcp_user_timeout"] == "30000"
    assert (asked_for["keepalives_interval"], asked_for["keepalives_count"]) == ("5", "3")
    assert asked_for["keepalives_idle"] == "7"  # the URL comes first


async def test_a_statement_that_is_stuck_is_ended_and_the_next_one_is_not(
    postgres_url: str,
) -> None:
    database = await PostgresDatabase.open(with_options(postgres_url, "statement_timeout=200ms"))
    await database.write(lambda c: c.execute(text("CREATE TABLE t (id int)")).close())

    with psycopg.connect(postgres_url) as other:
        other.execute("LOCK TABLE t")
        for run in (database.read, database.write):
            with pytest.raises(DatabaseUnavailableError, match="statement timeout"):
                async with asyncio.timeout(30):
                    await run(lambda c: c.execute(text("SELECT * FROM t")).all())

    assert await database.read(lambda c: c.execute(text("SELECT * FROM t")).all()) == []
    await database.close()


async def test_the_server_ends_what_takes_too_long_unless_the_url_says_otherwise(
    postgres_url: str,
) -> None:
    shown = {}
    for said in ("", "statement_timeout=5s"):
        url = with_options(postgres_url, said) if said else postgres_url
        database = await PostgresDatabase.open(url)
        shown[said] = await database.read(
            lambda c: [c.execute(text(f"SHOW {name}")).scalar_one() for name in SESSION]
        )
        await database.close()

    assert shown == {"": ["1min", "1min"], "statement_timeout=5s": ["5s", "1min"]}


async def test_the_locks_of_a_client_that_fell_silent_are_let_go(postgres_url: str) -> None:
    url = with_options(postgres_url, "idle_in_transaction_session_timeout=200ms")
    database = await PostgresDatabase.open(url)
    await database.write(lambda c: c.execute(text("CREATE TABLE t (id int)")).close())

    def fall_silent(connection: Connection) -> None:
        connection.execute(text("LOCK TABLE t"))
        with psycopg.connect(postgres_url, options="-c statement_timeout=30s") as other:
            other.execute("SELECT * FROM t")  # waits until the server has ended the first one
        connection.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailableError):
        await database.write(fall_silent)

    assert await database.read(lambda c: c.execute(text("SELECT * FROM t")).all()) == []
    await database.close()


async def test_a_replica_that_migrates_makes_others_wait_as_long_as_it_takes(
    postgres_url: str,
) -> None:
    with psycopg.connect(postgres_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_NUMBER])
        opening = asyncio.create_task(
            PostgresDatabase.open(with_options(postgres_url, "statement_timeout=100ms"))
        )
        with psycopg.connect(postgres_url, autocommit=True) as looking:

            async def waits() -> bool:
                """Whether it has waited for longer than a statement may."""
                found = looking.execute(
                    "SELECT FROM pg_stat_activity WHERE wait_event = 'advisory'"
                    " AND now() - query_start > '300ms'"
                )
                return bool(found.fetchall())

            await until("the second one waits", waits)

    await (await opening).close()


async def test_nobody_takes_a_log_while_its_owner_writes_to_it(postgres_url: str) -> None:
    database = await PostgresDatabase.open(postgres_url)
    checked, order = asyncio.Event(), []

    def write(connection: Connection) -> None:
        LogOwners(connection, ACCOUNT).check(RUN, "one")
        checked.set()
        connection.execute(text("SELECT pg_sleep(0.3)"))
        order.append("written")

    async def take() -> None:
        await checked.wait()
        await database.write(lambda c: LogOwners(c, ACCOUNT).take(RUN, "two", 20, 30))
        order.append("taken")

    await database.write(lambda c: LogOwners(c, ACCOUNT).take(RUN, "one", 0, 10))
    await asyncio.gather(database.write(write), take())
    await database.close()

    assert order == ["written", "taken"]


def with_options(url: str, setting: str) -> str:
    """The URL with a setting of the server for its connections."""
    return f"{url}{'&' if '?' in url else '?'}options=-c%20{setting.replace('=', '%3D')}"


def _parameters(connection: Connection) -> dict[str, str]:
    driver: Any = connection.connection.driver_connection
    parameters: dict[str, str] = driver.info.get_parameters()
    return parameters
