"""Logs of runs: one row for the log of each attempt, and its text in compressed pieces.

Only the replica that owns the log of a run appends to it, and stores with each piece how far the
log of the pod was read: whoever takes over goes on from there, and nothing stands twice.
"""

import zlib
from dataclasses import dataclass

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from actor_operator.errors import StaleError
from actor_operator.storage.tables import LOG_OWNERS, LOG_SEGMENTS, LOGS
from actor_operator.storage.uploads import Uploads, queue_deletions
from actor_operator.storage.upsert import insert_into

MAX_ROW_BYTES = 32_768
"""Largest piece that is kept in its row; larger ones go to the object store."""

LEVEL = 1
"""How hard zlib works: 256 KiB take it two milliseconds."""


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """The log of an attempt.

    Parameters
    ----------
    attempt
        Of the run.
    characters
        How long it is.
    segments
        In how many pieces.
    pod, position, pod_done
        Which pod was read last, up to where, and whether that was its end.
    complete
        Whether nothing comes any more.
    """

    attempt: int
    characters: int = 0
    segments: int = 0
    pod: str | None = None
    position: str | None = None
    pod_done: bool = False
    complete: bool = False


@dataclass(frozen=True, slots=True)
class NewSegment:
    """Text to be appended.

    Parameters
    ----------
    characters
        How long it is.
    size
        Bytes of the packed text.
    body
        The packed text, when it is kept in the row.
    object_key
        Where it is in the object store otherwise.
    """

    characters: int
    size: int
    body: bytes | None = None
    object_key: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a log.

    Parameters
    ----------
    number
        Counted from 0.
    first
        How many characters come before it.
    characters
        How long it is.
    body
        The packed text, when it is kept in the row.
    object_key
        Where it is in the object store otherwise.
    """

    number: int
    first: int
    characters: int
    body: bytes | None
    object_key: str | None


def pack(text: str) -> bytes:
    """Text as it is stored."""
    return zlib.compress(text.encode(), LEVEL)


def unpack(body: bytes) -> str:
    """Text that was stored."""
    return zlib.decompress(body).decode()


class LogSegments:
    """The logs of an account's runs.

    Parameters
    ----------
    connection
        In a transaction.
    account
        Whose runs.
    """

    def __init__(self, connection: Connection, account: int) -> None:
        self._connection = connection
        self._account = account

    def row(self, run_id: str, attempt: int | None = None) -> LogRow | None:
        """The log of an attempt, by default of the last one that has text; None: there is none."""
        which = [LOGS.c.account == self._account, LOGS.c.run_id == run_id]
        if attempt is not None:
            which.append(LOGS.c.attempt == attempt)
        columns = [LOGS.c[name] for name in LogRow.__struct_fields__]
        found = self._connection.execute(
            select(*columns)
            .where(*which)
            .order_by((LOGS.c.segments > 0).desc(), LOGS.c.attempt.desc())
            .limit(1)
        ).first()
        return None if found is None else LogRow(**found._mapping)  # noqa: SLF001 -- it is public

    def after(self, run_id: str, attempt: int, offset: int, most: int) -> list[Segment]:
        """Pieces with text after so many characters, at most so many pieces."""
        table = LOG_SEGMENTS.c
        found = self._connection.execute(
            select(
                table.number,
                table.first_character,
                table.characters,
                table.body,
                table.object_key,
            )
            .where(*self._of(run_id, attempt), table.first_character + table.characters > offset)
            .order_by(table.number)
            .limit(most)
        )
        return [Segment(*row) for row in found]

    def append(
        self, run_id: str, row: LogRow, segment: NewSegment | None, *, owner: str, now: int
    ) -> LogRow:
        """Append a piece, and store how far the pod was read.

        The first piece of an attempt takes the place of the logs of earlier ones.

        Parameters
        ----------
        run_id
            Of which run.
        row
            The log as it was, with the new pod, position and end.
        segment
            The piece; None: nothing but the position is new.
        owner
            Who appends.
        now
            The time in milliseconds.

        Returns
        -------
        LogRow
            The log as it is now.

        Raises
        ------
        StaleError
            When somebody else owns the log now.
        """
        LogOwners(self._connection, self._account).check(run_id, owner)
        appended = row
        if segment is not None:
            appended = msgspec.structs.replace(
                row,
                characters=row.characters + segment.characters,
                segments=row.segments + 1,
            )
            self._insert(run_id, row, segment)
        self._store(run_id, appended)
        if row.segments == 0 and segment is not None:
            self._remove(run_id, LOGS.c.attempt < row.attempt, now)
        return appended

    def remove(self, run_id: str, now: int) -> None:
        """Remove all of a run's logs."""
        self._remove(run_id, LOGS.c.attempt > 0, now)
        self._connection.execute(
            delete(LOG_OWNERS).where(
                LOG_OWNERS.c.account == self._account, LOG_OWNERS.c.run_id == run_id
            )
        )

    def _insert(self, run_id: str, row: LogRow, segment: NewSegment) -> None:
        if segment.object_key is not None:
            Uploads(self._connection, self._account).keep(segment.object_key)
        self._connection.execute(
            insert(LOG_SEGMENTS).values(
                account=self._account,
                run_id=run_id,
                attempt=row.attempt,
                number=row.segments,
                first_character=row.characters,
                characters=segment.characters,
                size=segment.size,
                body=segment.body,
                object_key=segment.object_key,
            )
        )

    def _store(self, run_id: str, row: LogRow) -> None:
        values = msgspec.structs.asdict(row)
        key = {"account": self._account, "run_id": run_id, "attempt": values.pop("attempt")}
        self._connection.execute(
            insert_into(self._connection, LOGS)
            .values(**key, **values)
            .on_conflict_do_update(index_elements=list(key), set_=values)
        )

    def _remove(self, run_id: str, attempts: ColumnElement[bool], now: int) -> None:
        """Remove the logs of some attempts of a run."""
        logs = self._connection.execute(
            select(LOGS.c.attempt).where(
                LOGS.c.account == self._account, LOGS.c.run_id == run_id, attempts
            )
        )
        for (attempt,) in logs.all():
            keys = self._connection.scalars(
                select(LOG_SEGMENTS.c.object_key).where(
                    *self._of(run_id, attempt), LOG_SEGMENTS.c.object_key.is_not(None)
                )
            )
            queue_deletions(self._connection, [key for key in keys if key is not None], now)
            self._connection.execute(delete(LOG_SEGMENTS).where(*self._of(run_id, attempt)))
            self._connection.execute(
                delete(LOGS).where(
                    LOGS.c.account == self._account,
                    LOGS.c.run_id == run_id,
                    LOGS.c.attempt == attempt,
                )
            )

    def _of(self, run_id: str, attempt: int) -> tuple[ColumnElement[bool], ...]:
        return (
            LOG_SEGMENTS.c.account == self._account,
            LOG_SEGMENTS.c.run_id == run_id,
            LOG_SEGMENTS.c.attempt == attempt,
        )


class LogOwners:
    """Which replica follows the logs of which runs of an account.

    Parameters
    ----------
    connection
        In a transaction.
    account
        Whose runs.
    """

    def __init__(self, connection: Connection, account: int) -> None:
        self._connection = connection
        self._account = account

    def take(self, run_id: str, owner: str, now: int, until: int) -> bool:
        """Take the log of a run; False: another replica has it.

        Parameters
        ----------
        run_id
            Of which run.
        owner
            Who takes it.
        now, until
            The time in milliseconds, and how long nobody else may take it.
        """
        free = (LOG_OWNERS.c.owner == owner) | (LOG_OWNERS.c.until < now)
        taken = self._connection.execute(
            insert_into(self._connection, LOG_OWNERS)
            .values(account=self._account, run_id=run_id, owner=owner, until=until)
            .on_conflict_do_update(
                index_elements=["account", "run_id"],
                set_={"owner": owner, "until": until},
                where=free,
            )
            .returning(LOG_OWNERS.c.owner)
        )
        return taken.first() is not None

    def prolong(self, owner: str, until: int) -> None:
        """Keep all logs that a replica has; those that another one took meanwhile stay with it."""
        self._connection.execute(
            update(LOG_OWNERS)
            .where(LOG_OWNERS.c.account == self._account, LOG_OWNERS.c.owner == owner)
            .values(until=until)
        )

    def check(self, run_id: str, owner: str) -> None:
        """Make sure that a replica still has the log of a run.

        Raises
        ------
        StaleError
            When it has not.
        """
        # Locked: nobody else takes the log before this transaction has written to it.
        found = self._connection.scalar(
            select(LOG_OWNERS.c.owner)
            .where(LOG_OWNERS.c.account == self._account, LOG_OWNERS.c.run_id == run_id)
            .with_for_update()
        )
        if found != owner:
            raise StaleError("Somebody else follows the log.")

    def release(self, run_id: str, owner: str) -> None:
        """Let others take the log of a run at once."""
        self._connection.execute(
            delete(LOG_OWNERS).where(
                LOG_OWNERS.c.account == self._account,
                LOG_OWNERS.c.run_id == run_id,
                LOG_OWNERS.c.owner == owner,
            )
        )
