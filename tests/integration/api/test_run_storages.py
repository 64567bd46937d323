"""Which storages a run was given by its input."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.support.builders import a_run

from actor_operator.desired.names import ids
from actor_operator.services.run_storages import RunStorages
from actor_operator.storage.catalog import Catalog, NewStorage, StorageKind, StorageRow
from actor_operator.storage.database import Database
from actor_operator.storage.records import Records
from actor_operator.storage.run_starts import INPUT_KEY, InputRecord, begin_run, forget_run
from actor_operator.storage.runs import RunRow

ACCOUNT = 1
NOW = 1_700_000_000_000
RUN = a_run()
JSON = "application/json; charset=utf-8"


class StubRuns:
    """Kubernetes, which has the run."""

    async def read(self, _namespace: str, _name: str) -> Any:
        return RUN


@pytest.fixture
def backend() -> str:
    """The tests of this file are of rights, not of databases."""
    return "sqlite"


@pytest.fixture
def storages(database: Database) -> RunStorages:
    runs: Any = StubRuns()
    return RunStorages(database, runs, lambda: datetime.now(UTC))


@pytest.fixture
async def dataset(database: Database) -> StorageRow:
    row, _ = await database.write(
        lambda connection: Catalog(connection, ACCOUNT).create(
            NewStorage(StorageKind.DATASET, "customers"), NOW
        )
    )
    return row


async def begin(database: Database, given: Any) -> None:
    """Start the run with an input."""
    row = RunRow(
        account=ACCOUNT,
        id=ids(RUN).run,
        name=RUN.name,
        actor_id="a" * 17,
        actor="team/greeter",
        origin="API",
        started_at=NOW,
    )
    record = InputRecord(msgspec.json.encode(given), JSON)
    await database.write(lambda connection: begin_run(connection, row, record))


async def write_input(database: Database, given: Any) -> None:
    """Write the record INPUT, as the run itself may do later."""
    store = ids(RUN).key_value_store
    await database.write(
        lambda connection: Records(connection, ACCOUNT).put(
            store,
            INPUT_KEY,
            msgspec.json.encode(given),
            content_type=JSON,
            content_encoding=None,
            now=NOW + 1,
        )
    )


async def test_an_input_gives_the_storages_that_it_names(
    storages: RunStorages, database: Database, dataset: StorageRow
) -> None:
    for given in ({"from": dataset.id}, {"from": ["team~Customers"]}, {"a": {"b": "~customers"}}):
        await begin(database, given)
        assert await storages.is_named_in_input(ACCOUNT, RUN, dataset, "team"), given
        await database.write(lambda connection: forget_run(connection, ACCOUNT, ids(RUN).run, NOW))


async def test_a_run_cannot_give_itself_a_storage_by_writing_its_input(
    storages: RunStorages, database: Database, dataset: StorageRow
) -> None:
    await begin(database, {})

    await write_input(database, {"from": dataset.id})

    assert not await storages.is_named_in_input(ACCOUNT, RUN, dataset, "team")
