"""Kills the workload at points, one process each, and looks at what is left.

``python -m tests.support.crashing.run TASK`` is a process without threads that forks: everything is
imported once. A task is JSON; for each point a line of JSON is printed.
"""

import asyncio
import itertools
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Engine, Pool, event
from tests.support.crashing.bucket_shim import trace_bucket
from tests.support.crashing.check import problems
from tests.support.crashing.disk import Disk
from tests.support.crashing.entries import Entry, Kind, Trace, read_trace
from tests.support.crashing.folder_shim import trace_python
from tests.support.crashing.sqlite_shim import SqliteShim
from tests.support.crashing.workload import Step, steps
from tests.support.crashing.world import World, open_world
from tests.support.s3_server import bucket_settings

from actor_operator.services import dataset_compaction
from actor_operator.storage import sqlite, sqlite_writer
from actor_operator.storage.sqlite import SqliteDatabase
from actor_operator.storage.sqlite_writer import SqliteWriter
from actor_operator.storage.uploads import Uploads

CHECKPOINT_PAGES = 40
"""So few that the log of SQLite is moved to the database several times in the workload."""

JOINED_BLOCKS = 3
"""So few blocks of a dataset are joined, that the workload can stay short."""

WRITES = ("INSERT", "UPDATE", "DELETE")
"""How statements begin that change something."""

CHANCES = 8
"""At each of so many points it is left to chance which unsynced writes are kept."""


class Task(msgspec.Struct, frozen=True):
    """What one process does."""

    folder: str
    """Where everything happens."""
    kinds: tuple[Kind, ...]
    """At writes of which kinds the workload is killed, one kind after the other."""
    first: int = 1
    """At which write of a kind, counted from 1, it is killed first."""
    stride: int = 1
    """How many writes further it is killed the next time, until it comes to its end."""
    database_url: str = ""
    """A database of PostgreSQL; empty: the embedded one."""
    bucket_url: str = ""
    """Address of an object store with a bucket; empty: a folder."""
    broken: str = ""
    """What is made wrong on purpose: "sqlite", "folder" (they do not sync), "entries" (uploads are
    not entered), or "early" (an answer comes before the commit)."""


class Point(NamedTuple):
    """Where the workload is killed: at a write of a kind, counted from 1."""

    kind: Kind
    number: int


class Result(msgspec.Struct, frozen=True):
    """What was left after a point."""

    point: Point
    reached: bool
    """False: the workload had ended before."""
    problems: dict[str, list[str]]
    """By what happened to unsynced writes."""


def run(task: Task) -> Iterator[Result]:
    """Kill and look, point by point."""
    template = Path(task.folder, "template")
    template.mkdir()
    _in_child(lambda: asyncio.run(_prepare(template, task)))
    for kind in task.kinds:
        for turn in itertools.count():
            result = _run_point(task, Point(kind, task.first + turn * task.stride), turn)
            yield result
            if not result.reached:
                break


def _run_point(task: Task, point: Point, turn: int) -> Result:
    """Kill the workload once, and look at what became of it."""
    base = Path(task.folder)
    template, folder, traced = base / "template", base / "killed", base / "trace"
    uid = f"{point.kind.replace(' ', '-')}{point.number}"
    shutil.copytree(template, folder)
    status = _in_child(lambda: _work(task, folder, traced, point, uid))
    if status not in (0, signal.SIGKILL):
        raise RuntimeError(f"the workload ended with status {status} at {point}")
    entries = list(read_trace(traced))
    found = {}
    for name, keep in _fates(task, turn).items():
        left = base / "left"
        _after_power_loss(template, folder, entries, keep).write_to(left)
        # What a server keeps is looked at twice: it is tidied up the second time.
        on_server = task.database_url or task.bucket_url
        found[name] = _look(task, left, uid, entries, tidies=not on_server)
        shutil.rmtree(left)
    found["kept"] = _look(task, folder, uid, entries, tidies=True)
    shutil.rmtree(folder)
    traced.unlink()
    return Result(point, status == signal.SIGKILL, found)


def _fates(task: Task, turn: int) -> dict[str, Callable[[], bool]]:
    """What is to become of unsynced writes: whether the next one survives."""
    if task.database_url and turn % 2:
        return {}  # nothing but the folder can lose something: half of the points will do
    coin = random.Random(turn)  # noqa: S311 -- no secret
    fates = {"dropped": lambda: False}
    if turn % CHANCES == 0:
        fates["some kept"] = lambda: coin.random() < 0.5
    return fates


def _after_power_loss(
    template: Path, folder: Path, entries: Iterable[Entry], keep: Callable[[], bool]
) -> Disk:
    disk = Disk(template, folder)
    disk.follow(entries)
    disk.lose_power(keep)
    return disk


async def _open(task: Task, folder: Path, uid: str) -> World:
    bucket = bucket_settings(task.bucket_url, uid) if task.bucket_url else None
    return await open_world(folder, task.database_url, uid, bucket)


async def _prepare(folder: Path, task: Task) -> None:
    """Make an empty installation, from which every point begins."""
    world = await _open(task, folder, "template")
    await world.database.close()


def _work(task: Task, folder: Path, traced: Path, point: Point, uid: str) -> None:
    trace = Trace(traced, *point)
    trace_python(trace, syncs=task.broken != "folder")
    trace_bucket(trace)
    if task.broken == "entries":
        Uploads.begin = Uploads.keep = lambda *_: None  # type: ignore[method-assign,assignment]
    if task.broken == "early":
        _answer_early()
    if not task.database_url:
        SqliteShim(trace)
        sqlite.CHECKPOINT_PAGES = CHECKPOINT_PAGES
    dataset_compaction.FEWEST = JOINED_BLOCKS
    asyncio.run(_do_steps(task, folder, trace, uid))


async def _do_steps(task: Task, folder: Path, trace: Trace, uid: str) -> None:
    world = await _open(task, folder, uid)
    if task.broken == "sqlite" and isinstance(world.database, SqliteDatabase):
        await _stop_syncing(world)
    number = 0
    with _traced_statements(trace, task):
        for group in steps():
            await asyncio.gather(
                *(_do(world, trace, number + place, step) for place, step in enumerate(group))
            )
            number += len(group)
    await world.database.close()


async def _do(world: World, trace: Trace, number: int, step: Step) -> None:
    trace.say(Kind.BEGUN, number)
    await step.act(world)
    trace.say(Kind.DONE, number)


def _answer_early() -> None:
    """Tell who waits for a commit what came out before it."""
    original = SqliteWriter._run_one

    def run_one(writer: SqliteWriter, job: Any, *, alone: bool) -> None:
        original(writer, job, alone=alone)
        writer._loop.call_soon_threadsafe(sqlite_writer._tell, [job])
        time.sleep(0.005)  # the others are to hear of it

    setattr(SqliteWriter, "_run_one", run_one)  # noqa: B010 -- mypy knows that it is no variable


async def _stop_syncing(world: World) -> None:
    # It cannot be changed in a transaction: the transaction that is open ends here.
    await world.database.write(
        lambda connection: [
            connection.exec_driver_sql(text)
            for text in ("COMMIT", "PRAGMA synchronous = OFF", "BEGIN")
        ]
    )


@contextmanager
def _traced_statements(trace: Trace, task: Task) -> Iterator[None]:
    """Let a crash come before every write to a database server, before commits and after them."""
    if not task.database_url:
        yield
        return

    def note(*_: object) -> None:
        trace.perform(Entry(Kind.STATEMENT), lambda _: None)

    def note_write(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(WRITES):
            note()

    event.listen(Engine, "before_cursor_execute", note_write)
    event.listen(Engine, "commit", note)
    event.listen(Pool, "checkin", note)  # after the commit, before the acknowledgement
    yield


def _look(task: Task, folder: Path, uid: str, entries: list[Entry], *, tidies: bool) -> list[str]:
    """Open what is left in a process of its own, and say what is wrong with it."""
    answer = folder.parent / "answer"

    async def look() -> None:
        try:
            world = await _open(task, folder, uid)
            found = await problems(world, entries, tidies=tidies)
            await world.database.close()
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is a finding
            found = [f"it cannot be used: {error!r}"]
        answer.write_bytes(msgspec.json.encode(found))

    _in_child(lambda: asyncio.run(look()))
    found = msgspec.json.decode(answer.read_bytes(), type=list[str])
    answer.unlink()
    return found


def _in_child(work: Callable[[], None]) -> int:
    """Do something in a forked process, and wait for its end."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    code = 1
    try:
        work()
        code = 0
    except BaseException as error:  # noqa: BLE001 -- the process ends here
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Do the task that the argument says."""
    task = msgspec.json.decode(sys.argv[1], type=Task)
    for result in run(task):
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
