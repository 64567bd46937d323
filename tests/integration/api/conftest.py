"""Databases and object stores for tests of the API server."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.support.postgres import postgres_server
from tests.support.s3_server import S3Server, s3_server
from tests.support.statements import every_statement_names_its_account

from actor_operator.storage.database import Database
from actor_operator.storage.folder import Folder
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.postgres import PostgresDatabase
from actor_operator.storage.sqlite import SqliteDatabase

NUMBERS = itertools.count()
"""For names of databases, and of places in the bucket."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server for all tests of this process: its URL with a place for a database's name."""
    with postgres_server("deadlock_timeout=50ms") as url:
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """The URL of a new and empty database of PostgreSQL."""
    name = f"test{next(NUMBERS)}"
    with psycopg.connect(postgres % "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return postgres % name


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A real object store with a bucket, for all tests of this process."""
    with s3_server() as server:
        yield server


@pytest.fixture
def prefix() -> str:
    """A place in the bucket that is empty."""
    return f"test{next(NUMBERS)}"


@pytest.fixture(params=["sqlite", "postgres"])
def backend(request: pytest.FixtureRequest) -> str:
    """What a test runs on: SQLite and a folder, or PostgreSQL and a bucket."""
    name: str = request.param
    return name


@pytest.fixture
def _watched_statements() -> Iterator[None]:
    """Fail a test in which a statement forgets whose rows it means."""
    with every_statement_names_its_account():
        yield


@pytest.fixture
async def database(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest, _watched_statements: None
) -> AsyncIterator[Database]:
    """An empty database, of each kind in turn."""
    opened: Database
    if backend == "sqlite":
        opened = await SqliteDatabase.open(tmp_path / "database")
    else:
        opened = await PostgresDatabase.open(request.getfixturevalue("postgres_url"))
    yield opened
    await opened.close()


@pytest.fixture
def objects(
    backend: str, tmp_path: Path, prefix: str, request: pytest.FixtureRequest
) -> ObjectStore:
    """An empty object store: the one that goes with the database."""
    if backend == "sqlite":
        return Folder(tmp_path / "objects")
    server: S3Server = request.getfixturevalue("s3")
    return server.bucket(prefix)
