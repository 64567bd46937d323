"""Logs in the database."""

import pytest

from actor_operator.errors import StaleError
from actor_operator.storage.database import Database
from actor_operator.storage.logs import (
    LogOwners,
    LogRow,
    LogSegments,
    NewSegment,
    pack,
    unpack,
)
from actor_operator.storage.tables import DELETIONS, LOG_SEGMENTS
from actor_operator.storage.uploads import HOUR, Uploads

RUN = "abcdefghijklmnopq"
KEY = "7/ab/cd"


def piece(text: str) -> NewSegment:
    body = pack(text)
    return NewSegment(len(text), len(body), body)


async def append(
    database: Database, row: LogRow, segment: NewSegment | None, owner: str = "me"
) -> LogRow:
    return await database.write(
        lambda connection: LogSegments(connection, 7).append(
            RUN, row, segment, owner=owner, now=1000
        )
    )


async def take(database: Database, owner: str, now: int, until: int) -> bool:
    return await database.write(
        lambda connection: LogOwners(connection, 7).take(RUN, owner, now, until)
    )


async def row(database: Database, account: int = 7) -> LogRow | None:
    return await database.read(lambda connection: LogSegments(connection, account).row(RUN))


async def test_pieces_are_found_by_how_many_characters_come_before(database: Database) -> None:
    await take(database, "me", 0, 10)
    log = LogRow(attempt=1, pod="p", position="x")
    for text in ("ääb", "cd", "e"):
        log = await append(database, log, piece(text))
    assert log == await row(database)
    assert (log.characters, log.segments) == (6, 3)
    found = await database.read(
        lambda connection: [
            [
                (s.number, s.first, unpack(s.body or b""))
                for s in LogSegments(connection, 7).after(RUN, 1, offset, 2)
            ]
            for offset in (0, 2, 3, 6)
        ]
    )
    assert found == [
        [(0, 0, "ääb"), (1, 3, "cd")],
        [(0, 0, "ääb"), (1, 3, "cd")],
        [(1, 3, "cd"), (2, 5, "e")],
        [],
    ]


async def test_other_accounts_see_nothing(database: Database) -> None:
    await take(database, "me", 0, 10)
    await append(database, LogRow(attempt=1), piece("x"))
    assert await row(database, account=8) is None


async def test_a_position_is_stored_without_a_piece(database: Database) -> None:
    await take(database, "me", 0, 10)
    log = await append(database, LogRow(attempt=1), piece("x"))
    done = LogRow(attempt=1, characters=1, segments=1, pod="p", pod_done=True, complete=True)
    assert await append(database, done, None) == done == await row(database)
    assert log != done


async def test_only_the_owner_appends(database: Database) -> None:
    with pytest.raises(StaleError):
        await append(database, LogRow(attempt=1), piece("x"))
    await take(database, "other", 0, 10)
    with pytest.raises(StaleError):
        await append(database, LogRow(attempt=1), piece("x"))
    assert await row(database) is None


async def test_a_log_has_one_owner_until_its_time_is_over(database: Database) -> None:
    assert await take(database, "one", 0, 10)
    assert not await take(database, "two", 10, 20)
    assert await take(database, "one", 5, 15)
    assert await take(database, "two", 16, 30)
    assert not await take(database, "one", 17, 40)
    await database.write(lambda connection: LogOwners(connection, 7).release(RUN, "one"))
    assert not await take(database, "one", 17, 40)
    await database.write(lambda connection: LogOwners(connection, 7).release(RUN, "two"))
    assert await take(database, "one", 17, 40)


async def test_a_replica_keeps_all_its_logs_and_none_of_others(database: Database) -> None:
    assert await take(database, "one", 0, 10)
    await database.write(lambda connection: LogOwners(connection, 8).prolong("one", 90))
    await database.write(lambda connection: LogOwners(connection, 7).prolong("two", 90))
    assert await take(database, "two", 11, 20)
    await database.write(lambda connection: LogOwners(connection, 7).prolong("one", 90))
    await database.write(lambda connection: LogOwners(connection, 7).prolong("two", 90))
    assert not await take(database, "one", 50, 60)


async def test_the_first_piece_of_an_attempt_takes_the_place_of_the_log_before(
    database: Database,
) -> None:
    await take(database, "me", 0, 10)
    await database.write(lambda connection: Uploads(connection, 7).begin(KEY, 0))
    await append(database, LogRow(attempt=1), NewSegment(9, 99, object_key=KEY))
    await append(database, LogRow(attempt=2, pod="p"), None)
    assert await keys(database) == []
    await append(database, LogRow(attempt=2, pod="p"), piece("new"))
    assert await keys(database) == [(KEY, 1000 + HOUR)]
    left = await database.read(
        lambda connection: connection.execute(
            LOG_SEGMENTS.select().where(LOG_SEGMENTS.c.account == 7)
        ).all()
    )
    assert [found.attempt for found in left] == [2]
    assert await row(database) == LogRow(attempt=2, pod="p", characters=3, segments=1)


async def test_all_of_a_run_is_removed(database: Database) -> None:
    await take(database, "me", 0, 10)
    await append(database, LogRow(attempt=1), piece("x"))
    await database.write(lambda connection: LogSegments(connection, 7).remove(RUN, 0))
    assert await row(database) is None
    assert await take(database, "two", 0, 10)


async def keys(database: Database) -> list[tuple[str, int]]:
    found = await database.read(lambda connection: connection.execute(DELETIONS.select()).all())
    return [(one.object_key, one.due_at) for one in found]
