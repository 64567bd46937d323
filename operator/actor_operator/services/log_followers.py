"""Sees to it that one replica follows each log, and that runs say when theirs is archived."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy import Connection

from actor_operator.api.views.run import RunView
from actor_operator.constants import ANNOTATION_ARCHIVED
from actor_operator.desired.names import ids
from actor_operator.engine.backoff import Backoff
from actor_operator.errors import ActorOperatorError, StaleError
from actor_operator.kube.run_requests import RunRequests
from actor_operator.log import logger
from actor_operator.services.events import has_ended
from actor_operator.services.log_follower import AttemptFollower, PodLogSource
from actor_operator.services.log_tails import Key, Tail
from actor_operator.services.log_writer import LogStore, LogWriter
from actor_operator.services.run_watch import RunHub, attempt_of
from actor_operator.storage.logs import LogOwners, LogRow, LogSegments

log = logger(__name__)

LEASE_MILLIS = 30_000
"""How long a log belongs to a replica after it last said so."""

PROLONG_SECONDS = 10.0
"""How often a replica says so."""

RETRY = Backoff(first=1.0, cap=30.0)
"""Pauses before a log is looked at again, after a failure."""

AT_ONCE = 20
"""Logs of runs that have ended long ago that are looked at at once, after a start."""

FindAccount = Callable[[str], Awaitable[int | None]]
"""Gives the account of a namespace; None: there is none (yet)."""


class LogFollowers:
    """Follows the logs of all runs.

    Parameters
    ----------
    hub
        Tells of runs and pods.
    source
        Where logs come from.
    store
        Where they are stored.
    requests
        Writes that a log is archived.
    account_of
        Gives the account of a namespace.
    is_foreign
        Says of a namespace that it is another installation's.
    """

    def __init__(
        self,
        hub: RunHub,
        source: PodLogSource,
        store: LogStore,
        requests: RunRequests,
        account_of: FindAccount,
        is_foreign: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._hub = hub
        self._source = source
        self._store = store
        self._requests = requests
        self._account_of = account_of
        self._is_foreign = is_foreign
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._marked: dict[str, int] = {}  # attempts whose mark the informer has not told of yet
        self._held: set[Key] = set()
        self._old = asyncio.Semaphore(AT_ONCE)
        hub.listen(self._on_change)

    @property
    def following(self) -> int:
        """How many runs are followed at this moment."""
        return len(self._tasks)

    async def run(self) -> None:
        """Follow logs for ever, once the stores of the hub were filled.

        What is not stored when this is cancelled is read again by whoever follows next.
        """
        self._changed.update(self._hub.uids())
        self._wake.set()
        prolonging = asyncio.create_task(self._prolong())
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                changed, self._changed = self._changed, set()
                for uid in changed:
                    if uid not in self._tasks and self._wanted(uid):
                        self._tasks[uid] = asyncio.create_task(self._keep_following(uid))
        finally:
            tasks = [prolonging, *self._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _on_change(self, uid: str) -> None:
        if uid in self._marked and not self._is_marked_late(uid):
            del self._marked[uid]
        if uid not in self._tasks:
            self._changed.add(uid)
            self._wake.set()

    def _is_marked_late(self, uid: str) -> bool:
        """Whether the run's mark was written and is still to be heard of."""
        run = self._hub.state(uid).run
        return isinstance(run, RunView) and archived_attempt(run) < self._marked[uid]

    def _wanted(self, uid: str) -> bool:
        """Whether a run has a log that is not archived, or will have one soon."""
        state = self._hub.state(uid)
        run = state.run
        if not isinstance(run, RunView) or self._is_foreign(run.namespace):
            return False
        attempt = run.status.attempt
        if attempt in {archived_attempt(run), self._marked.get(uid)}:
            return False
        return has_ended(run, attempt) or any(attempt_of(pod) == attempt for pod in state.pods)

    async def _keep_following(self, uid: str) -> None:
        """Follow the run's attempts, one after the other, whatever fails."""
        failures = 0
        try:
            while self._wanted(uid):
                try:
                    if await self._follow(uid):
                        failures = 0
                        continue
                except StaleError:
                    log.info("Another replica follows the log now.", uid=uid)
                except ActorOperatorError as error:
                    log.warning("A log cannot be followed.", uid=uid, error=str(error))
                except Exception:
                    log.exception("Following a log has failed.", uid=uid)
                failures += 1
                await asyncio.sleep(RETRY.delay(failures))
        finally:
            del self._tasks[uid]

    async def _follow(self, uid: str) -> bool:
        """Follow the current attempt to its end; False: not now."""
        state = self._hub.state(uid)
        run = state.run
        if not isinstance(run, RunView):
            return True
        account = await self._account_of(run.namespace)
        if account is None:
            return False
        if state.pods or not has_ended(run, run.status.attempt):
            return await self._own(run, account)
        async with self._old:
            return await self._own(run, account)

    async def _own(self, run: RunView, account: int) -> bool:
        """Follow while the log is ours."""
        key = (account, ids(run).run)
        if not await self._take(key):
            return False
        self._held.add(key)
        try:
            await self._write(run, key)
        finally:
            self._held.discard(key)
            await self._release(key)
        return True

    async def _write(self, run: RunView, key: Key) -> None:
        """Follow an attempt to its end, and say so on the run."""
        account, run_id = key
        attempt = run.status.attempt
        row = await self._store.database.read(
            lambda connection: LogSegments(connection, account).row(run_id, attempt)
        ) or LogRow(attempt=attempt)
        if not row.complete:
            await self._follow_attempt(run.uid, key, row)
        if await self._requests.mark_archived(run, attempt):
            self._marked[run.uid] = attempt

    async def _follow_attempt(self, uid: str, key: Key, row: LogRow) -> None:
        tail = Tail(row.attempt, row.characters)
        writer = LogWriter(self._store, key, row, tail)
        with self._store.tails.opened(key, tail):
            follower = AttemptFollower(self._source, writer, uid, row.attempt)
            following = asyncio.create_task(follower.run())
            storing = asyncio.create_task(writer.keep_storing())
            try:
                await asyncio.wait({following, storing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                following.cancel()
                storing.cancel()
                await asyncio.gather(following, storing, return_exceptions=True)
            for task in (storing, following):
                if task.done() and not task.cancelled():
                    task.result()

    async def _take(self, key: Key) -> bool:
        account, run_id = key
        owner, now = self._store.owner, self._store.now()
        return await self._store.database.write(
            lambda connection: LogOwners(connection, account).take(
                run_id, owner, now, now + LEASE_MILLIS
            )
        )

    async def _prolong(self) -> None:
        """Keep the logs that are ours, with one statement for all of an account.

        A log that was lost all the same is noticed by the next write to it.
        """
        while True:
            await asyncio.sleep(PROLONG_SECONDS)
            until = self._store.now() + LEASE_MILLIS
            for account in {account for account, _ in self._held}:
                try:
                    await self._store.database.write(
                        partial(_prolong, account=account, owner=self._store.owner, until=until)
                    )
                except ActorOperatorError as error:
                    log.warning("Logs cannot be kept.", account=account, error=str(error))

    async def _release(self, key: Key) -> None:
        account, run_id = key
        try:
            await self._store.database.write(
                lambda connection: LogOwners(connection, account).release(run_id, self._store.owner)
            )
        except ActorOperatorError as error:
            log.info("A log is given up late.", run=run_id, error=str(error))


def _prolong(connection: Connection, *, account: int, owner: str, until: int) -> None:
    LogOwners(connection, account).prolong(owner, until)


def archived_attempt(run: RunView) -> int:
    """The attempt whose log is archived, as the run says; 0: none."""
    text = run.metadata.annotations.get(ANNOTATION_ARCHIVED, "")
    return int(text) if text.isascii() and text.isdigit() else 0
