"""Which run is meant, whether the caller may see it, and what is answered about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from actor_operator.api.views.run import RunView
from actor_operator.desired.names import ids, object_id
from actor_operator.errors import RetryableError, WaitingError
from actor_operator.log import logger
from actor_operator.services.errors import ApiError, not_found
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.mirror_rows import mirrored
from actor_operator.services.run_object import RunFacts, run_object
from actor_operator.services.run_parts import RunParts
from actor_operator.services.run_shown import shown
from actor_operator.services.run_watch import RunState
from actor_operator.storage.run_ends import take_news
from actor_operator.storage.runs import VISIBLE, RunRow, RunRows, find_anywhere

log = logger(__name__)

SHARED_BY_ID = "ANYONE_WITH_ID_CAN_READ"
"""General access of a run that everybody may read who knows its id."""

MOST_WAIT = 60.0
"""Longest time in seconds that a request for a run is held (Apify)."""


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run that the caller may see.

    Parameters
    ----------
    row
        Its row.
    namespace
        Its namespace.
    """

    row: RunRow
    namespace: str


class RunAnswers:
    """Finds runs and describes them.

    Parameters
    ----------
    parts
        What it works with.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts
        self.held = 0
        """Requests that are held until a run has ended, or for their time."""

    async def find(self, caller: Caller, run_id: str) -> FoundRun:
        """A run of the caller's account; one with limited permissions sees itself and its children.

        Raises
        ------
        ApiError
            404 when there is none that the caller may use.
        """
        row = await self._parts.database.read(
            lambda connection: RunRows(connection, caller.account).get(run_id)
        )
        if row is None or row.state != VISIBLE or not self._may_use(caller, row):
            raise not_found("Run")
        return FoundRun(row, caller.namespace)

    async def find_to_read(self, caller: Caller, run_id: str) -> FoundRun:
        """A run that the caller may read: one of the account, or one that its owner shares.

        Raises
        ------
        ApiError
            404 when there is none.
        """
        found = await self._parts.database.read(
            lambda connection: _find_to_read(connection, caller, run_id)
        )
        if found is None:
            raise not_found("Run")
        readable = Permission.READ in caller.permissions and self._may_use(caller, found.row)
        own = found.row.account == caller.account and readable
        if not own and found.row.general_access != SHARED_BY_ID:
            raise not_found("Run")
        return found

    async def object_of(self, found: FoundRun) -> RunView | None:
        """The run's object as it is now; None: it has vanished, or cannot be asked for.

        Raises
        ------
        ApiError
            404 when the name belongs to another run now.
        """
        name = found.row.name
        try:
            run = await self._parts.directory.find(found.namespace, name)
        except (RetryableError, WaitingError) as error:
            # What is at hand is still told.
            log.warning("A run cannot be asked for.", run=found.row.id, cause=str(error))
            return None
        if run is None or ids(run).run != found.row.id:
            raise not_found("Run")
        return run

    async def describe(self, found: FoundRun, wait_seconds: float = 0) -> dict[str, Any]:
        """Apify's object of a run, as it is now or once it has ended.

        Parameters
        ----------
        found
            The run.
        wait_seconds
            How long its end may be waited for.

        Raises
        ------
        ApiError
            404 when it has vanished, 429 when too many requests are held already.
        """
        if wait_seconds <= 0:
            return self.answer(found, await self.object_of(found))
        with self.place():
            return await self.describe_later(found, wait_seconds)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place among the requests that are held, for the length of a ``with`` block.

        Who starts a run and waits for it needs one before the start: a client that is refused
        afterwards tries again, and starts another run.

        Raises
        ------
        ApiError
            429 when too many requests are held already.
        """
        if self.held >= self._parts.settings.api.limits.max_waiting_requests:
            raise ApiError(
                "rate-limit-exceeded",
                "Too many requests wait for runs. Wait a moment and try again.",
                status=429,
            )
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1

    async def describe_later(self, found: FoundRun, wait_seconds: float) -> dict[str, Any]:
        """Apify's object of a run once it has ended, or after a time; the request has a place.

        Raises
        ------
        ApiError
            404 when it has vanished.
        """
        await self.wait(found, min(wait_seconds, MOST_WAIT))
        found = await self._again(found)
        run = await self.object_of(found)
        if run is not None and shown(run).is_finished:
            await self._note_end(found, run)
        return self.answer(found, run)

    async def wait(self, found: FoundRun, seconds: float) -> bool:
        """Wait for the end of a run; returns whether it has ended. The request has a place."""
        run = await self.object_of(found)
        if run is None:
            return found.row.finished_at is not None
        state = await self._parts.hub.wait(found.namespace, run.name, is_over, seconds, uid=run.uid)
        return is_over(state)

    def has_ended(self, found: FoundRun) -> bool:
        """Whether a run has ended, as far as is known at this moment."""
        run = self._parts.directory.by_id(found.row.id)
        return run is None or shown(run).is_finished

    def answer(self, found: FoundRun, run: RunView | None) -> dict[str, Any]:
        """Apify's object of a run whose object is known."""
        row = found.row
        number = run.status.build_number if run is not None else None
        build_id = row.build_id or ""
        if number is not None and number != row.build_number:
            build_id = self._parts.actors.build_id_of(row.actor, number)
        facts = RunFacts(
            row=row,
            run=run,
            user_id=object_id("user", found.namespace),
            build_id=build_id,
            now=self._parts.now(),
        )
        return run_object(facts)

    async def _note_end(self, found: FoundRun, run: RunView) -> None:
        """Write an end that the row does not have yet.

        The mirror does it a moment later; but whoever was told of the end finds it in lists.
        """
        row, seen = found.row, shown(run)
        if (row.attempt, row.phase_rank) >= (seen.attempt, seen.rank):
            return
        news, now = mirrored(run, None, None), self._parts.millis
        await self._parts.database.write(
            lambda connection: take_news(connection, row.account, row.id, news, now=now)
        )

    async def _again(self, found: FoundRun) -> FoundRun:
        """The row as it is now: the status message may have changed while the request was held."""
        row = await self._parts.database.read(
            lambda connection: RunRows(connection, found.row.account).get(found.row.id)
        )
        if row is None or row.state != VISIBLE:
            raise not_found("Run")
        return FoundRun(row, found.namespace)

    def _may_use(self, caller: Caller, row: RunRow) -> bool:
        # A run that has ended may say a last word about itself, and about no other.
        restricted = caller.is_limited or Permission.READ not in caller.permissions
        if caller.run is None or not restricted:
            return True
        asking = self._parts.directory.by_uid(caller.run.uid)
        asking_id = ids(asking).run if asking is not None else ""
        return bool(asking_id) and asking_id in {row.id, row.parent}


def _find_to_read(connection: Connection, caller: Caller, run_id: str) -> FoundRun | None:
    """A visible run; one's own comes first, whatever another account has under the same id."""
    own = RunRows(connection, caller.account).get(run_id)
    if own is not None and own.state == VISIBLE:
        return FoundRun(own, caller.namespace)
    found = find_anywhere(connection, run_id)
    return FoundRun(*found) if found is not None else None


def is_over(state: RunState) -> bool:
    """Whether a run has ended as far as clients see, or is gone."""
    return not isinstance(state.run, RunView) or shown(state.run).is_finished
