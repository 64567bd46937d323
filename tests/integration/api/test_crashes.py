"""The API server's storages, killed at every write, and with unsynced writes dropped.

At each point a process of its own does a workload and is killed (SIGKILL) at one write: in the
middle of it, or before what is no write of bytes. Then the storages are opened again, once as
they are and once as a disk may have them after the power went out. A bucket and a database server
do not die; the process does before it asks them to change something, and after they have.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.support.crashing.disk import Disk
from tests.support.crashing.entries import Entry, Kind
from tests.support.crashing.run import Result, Task
from tests.support.s3_server import S3Server

EVERY = int(os.environ.get("CRASH_EVERY", "5"))
"""Killed is at the first write of each kind, and at each so many further; 1 by `make crashes`."""

HUNG_SECONDS = 1200
"""A campaign that takes so long, on a machine that is busy with others, has stopped."""

WRITE, STATEMENT = (Kind.WRITE,), (Kind.STATEMENT,)

FOLDER = (Kind.MAKE, Kind.MAKE_FOLDER, Kind.SYNC, Kind.SYNC_FOLDER, Kind.RENAME, Kind.REMOVE)
"""What happens in a folder of objects, beside the writing of bytes."""

REPOSITORY = Path(__file__).parents[3]

MEMORY = Path("/dev/shm")
"""A folder that is no disk: what survives is computed, so that nothing need be written really."""


@pytest.fixture
def folder() -> Iterator[str]:
    base = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="crashes-", dir=base) as made:
        yield str(Path(made).resolve())


def results(task: Task) -> Iterator[Result]:
    """Do a task in a process of its own."""
    words = [sys.executable, "-m", "tests.support.crashing.run", msgspec.json.encode(task).decode()]
    path = os.pathsep.join([str(REPOSITORY / "operator"), str(REPOSITORY)])
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                yield msgspec.json.decode(line, type=Result)
        finally:
            process.kill()
    assert process.returncode in {0, -9}, "the harness itself failed; it said why"


def wrong(found: list[Result]) -> dict[str, list[str]]:
    return {
        f"{result.point.kind} {result.point.number}, unsynced writes {fate}": problems
        for result in found
        for fate, problems in result.problems.items()
        if problems
    }


def check(task: Task, fewest: int) -> None:
    """Expect nothing lost at any point, and at least so many writes in the whole workload."""
    found = list(results(task))
    killed = [result.point.kind for result in found if result.reached]
    assert set(killed) == set(task.kinds), "a kind of writes does not happen"
    assert len(killed) * task.stride > fewest, "the workload writes less than it should"
    assert wrong(found) == {}


@pytest.mark.timeout(HUNG_SECONDS)
@pytest.mark.parametrize(
    ("kinds", "fewest"), [(WRITE, 200), ((*FOLDER, Kind.CUT), 60)], ids=["writes", "others"]
)
def test_nothing_acknowledged_is_lost_whenever_the_embedded_store_is_killed(
    kinds: tuple[Kind, ...], fewest: int, folder: str
) -> None:
    check(Task(folder, kinds, stride=EVERY), fewest)


@pytest.mark.timeout(HUNG_SECONDS)
@pytest.mark.parametrize(
    ("kinds", "fewest"), [(STATEMENT, 100), ((*WRITE, *FOLDER), 20)], ids=["statements", "folder"]
)
def test_nothing_acknowledged_is_lost_whenever_a_server_with_postgresql_is_killed(
    kinds: tuple[Kind, ...], fewest: int, folder: str, postgres_url: str
) -> None:
    check(Task(folder, kinds, stride=EVERY, database_url=postgres_url), fewest)


@pytest.mark.timeout(HUNG_SECONDS)
@pytest.mark.parametrize(
    "kinds", [(Kind.UPLOAD, Kind.DELETION), (Kind.UPLOADED, Kind.DELETED)], ids=["before", "after"]
)
def test_nothing_acknowledged_is_lost_whenever_a_server_with_a_bucket_is_killed(
    kinds: tuple[Kind, ...], folder: str, backend: str, s3: S3Server, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if backend == "postgres" else ""
    check(Task(folder, kinds, stride=EVERY, database_url=url, bucket_url=s3.url), 6)


@pytest.mark.parametrize(
    ("broken", "fate", "kind"),
    [
        ("sqlite", "dropped", Kind.WRITE),
        ("folder", "dropped", Kind.WRITE),
        ("entries", "kept", Kind.SYNC_FOLDER),  # the object has its name, and no row has it yet
        ("early", "kept", Kind.WRITE),
    ],
)
def test_the_harness_notices_what_is_not_made_durable(
    broken: str, fate: str, kind: Kind, folder: str
) -> None:
    """No syncs in SQLite, none in Python, uploads that are not entered, answers before commits."""
    first, stride = (20, 7) if kind is Kind.WRITE else (1, 1)
    for result in results(Task(folder, (kind,), first=first, stride=stride, broken=broken)):
        if result.problems.get(fate):
            return
    pytest.fail("it noticed nothing")


def test_the_harness_notices_objects_that_are_left_in_a_bucket(folder: str, s3: S3Server) -> None:
    """Uploads are not entered: nobody knows of them after a crash."""
    found = results(Task(folder, (Kind.UPLOADED,), broken="entries", bucket_url=s3.url))
    assert any("nothing refers to the object" in str(result.problems["kept"]) for result in found)


def test_a_disk_keeps_only_what_was_synced(folder: str) -> None:
    root = Path(folder, "root")
    root.mkdir()
    disk = Disk(root, root)
    disk.follow(
        [
            Entry(Kind.MAKE, f"{root}/a"),
            Entry(Kind.WRITE, f"{root}/a", data=b"synced"),
            Entry(Kind.SYNC, f"{root}/a"),
            Entry(Kind.WRITE, f"{root}/a", offset=6, data=b" and not"),
            Entry(Kind.MAKE, f"{root}/b"),
            Entry(Kind.SYNC_FOLDER, str(root)),
            Entry(Kind.RENAME, f"{root}/b", target=f"{root}/c"),
            Entry(Kind.MAKE, f"{root}/d"),
            Entry(Kind.WRITE, f"{root}/d", data=b"without a name"),
            Entry(Kind.SYNC, f"{root}/d"),
        ]
    )
    disk.lose_power(lambda: False)
    left = Path(folder, "left")
    disk.write_to(left)
    assert {file.name: file.read_bytes() for file in left.iterdir()} == {"a": b"synced", "b": b""}
