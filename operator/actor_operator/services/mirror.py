"""Rows follow the objects of runs, whoever made those: changes are gathered and written in batches.

Any number of replicas may do it. A run that ``kubectl`` made gets its row here; the row of a run
whose object is gone is a tombstone, which nobody finds and which is removed later.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import RunView
from actor_operator.constants import API_RUN, LABEL_API
from actor_operator.desired.names import ids, object_id
from actor_operator.desired.resolve import actor_reference
from actor_operator.errors import RetryableError
from actor_operator.log import logger
from actor_operator.services.errors import ApiError
from actor_operator.services.mirror_rows import expected_options, mirrored, new_row
from actor_operator.services.run_parts import RunParts
from actor_operator.services.run_shown import shown
from actor_operator.services.run_verdict import refusal
from actor_operator.storage.run_ends import bury, take_news
from actor_operator.storage.runs import GONE, Mirrored, RunRow, RunRows, live_accounts

log = logger(__name__)

BATCH = 200
"""Most runs that one transaction writes."""

GATHER_SECONDS = 0.05
"""How long changes are gathered before they are written."""

RETRY_SECONDS = 1.0
"""Pause after a failure."""

MOST_VANISHED = 100
"""More runs than this never vanish at once: something is wrong with what we are told."""

FEW_VANISHED = 10
"""So many may always vanish at once, whatever their share is."""

VANISHED_SHARE = 0.05
"""Nor does a larger share of them."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written of one run: how it is, or that it has vanished."""

    account: int
    run_id: str
    news: Mirrored | None = None
    row: RunRow | None = None
    """The row, should there be none."""


class Mirror:
    """Keeps rows equal to objects.

    Parameters
    ----------
    parts
        What it works with.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts
        self._changed: dict[str, RunView] = {}
        self._vanished: dict[str, RunView] = {}
        self._just_vanished: dict[str, RunView] = {}
        self._noted: dict[str, float] = {}
        self._news = asyncio.Event()
        self.halted = 0
        """Runs that vanished all at once: their rows stay until somebody has looked."""
        parts.directory.on_change(self._note)

    @property
    def lag_seconds(self) -> float:
        """How long the oldest change has waited that is not written yet."""
        oldest = min(self._noted.values(), default=None)
        return time.monotonic() - oldest if oldest is not None else 0.0

    async def run(self) -> None:
        """Write changes, for ever."""
        while True:
            # What could not be written yet is looked at again also without news.
            left = bool(self._changed or self._vanished)
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS if left else None):
                    await self._news.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._news.clear()
            try:
                await self.flush()
            except (RetryableError, ApiError) as error:
                log.warning("Rows of runs could not be written.", cause=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def flush(self) -> None:
        """Write what was gathered; runs of namespaces that are not known yet stay gathered.

        Raises
        ------
        RetryableError
            When that is impossible now; nothing that was gathered is lost.
        """
        for batch in _batches(self._changed):
            await self._write(batch)
        for batch in _batches(self._vanished):
            await self._bury(batch)

    async def look_for_missing(self) -> None:
        """Find rows whose object vanished while nobody watched.

        To be called once the informer has listed all runs, and now and then. Kubernetes is asked
        for each run: another replica may have started it a moment ago.

        Raises
        ------
        RetryableError
            When the database or Kubernetes does not answer.
        """
        self.halted = 0
        for account, namespace in await self._parts.database.read(live_accounts):
            known = await self._parts.database.read(partial(_visible_names, account))
            missing = {
                run_id: name
                for run_id, name in known.items()
                if self._parts.directory.by_id(run_id) is None
            }
            if self._too_many(len(missing), len(known)):
                self._halt(len(missing), namespace)
                continue
            gone = [
                Change(account, run_id)
                for run_id, name in missing.items()
                if await self._parts.directory.read(namespace, name) is None
            ]
            if gone:
                await self._parts.database.write(partial(_bury, gone, self._parts.millis))

    # Gathering

    def _note(self, old: RunView | None, new: RunView | None) -> None:
        if new is not None:
            self._changed[new.uid] = new
            self._noted.setdefault(new.uid, time.monotonic())
        if old is not None and (new is None or new.uid != old.uid):
            self._changed.pop(old.uid, None)
            self._noted.pop(old.uid, None)
            if not self._just_vanished:
                asyncio.get_running_loop().call_soon(self._judge_vanished)
            self._just_vanished[old.uid] = old
        self._news.set()

    def _judge_vanished(self) -> None:
        """Look at what vanished in one go.

        A list tells at once of all that it no longer has, a watch of one after the other.
        """
        gone, self._just_vanished = self._just_vanished, {}
        if self._too_many(len(gone), len(self._parts.directory) + len(gone)):
            self._halt(len(gone), "")
        else:
            self._vanished.update(gone)
            self._noted.update(dict.fromkeys(gone, time.monotonic()))
        self._news.set()

    @staticmethod
    def _too_many(vanished: int, known: int) -> bool:
        share = vanished > FEW_VANISHED and vanished > VANISHED_SHARE * known
        return vanished > MOST_VANISHED or share

    def _halt(self, number: int, namespace: str) -> None:
        self.halted += number
        log.error(
            "Many runs have vanished at once: their rows stay. Look whether the kind ActorRun is"
            " still served.",
            vanished=number,
            namespace=namespace,
        )

    # Writing

    async def _write(self, batch: list[RunView]) -> None:
        found = [(run, await self._change(run)) for run in batch]
        changes = [change for _, change in found if change is not None]
        newer = await self._parts.database.read(lambda connection: _newer(connection, changes))
        if newer:
            await self._parts.database.write(partial(_apply, newer, self._parts.millis))
        foreign = self._parts.accounts.is_foreign
        done = [run for run, change in found if change is not None or foreign(run.namespace)]
        self._done(self._changed, done)

    async def _bury(self, batch: list[RunView]) -> None:
        changes = []
        for run in batch:
            account = await self._parts.accounts.number(run.namespace)
            if account is not None:  # else the namespace has gone with its runs
                changes.append(Change(account, ids(run).run))
        await self._parts.database.write(partial(_bury, changes, self._parts.millis))
        self._done(self._vanished, batch)

    def _done(self, gathered: dict[str, RunView], batch: list[RunView]) -> None:
        for run in batch:
            # It may have changed while it was written.
            if gathered.get(run.uid) is run:
                del gathered[run.uid]
                self._noted.pop(run.uid, None)
            elif run.uid in gathered:
                self._noted[run.uid] = time.monotonic()

    async def _change(self, run: RunView) -> Change | None:
        """What is to be written of a run; None: its namespace is not known yet, or not ours."""
        account = await self._parts.accounts.number(run.namespace)
        if account is None:
            return None
        actors = self._parts.actors
        key = "/".join(actor_reference(run))
        actor, number = actors.named(key), run.status.build_number
        news = mirrored(
            run,
            actors.build_id_of(key, number) if number is not None else None,
            expected_options(run, actor, self._parts.settings),
        )
        if not _deserves_row(run):
            return Change(account, ids(run).run, news)
        # An Actor that is not there, or not ours, has no row; the run still needs an id for it.
        if actor is not None and self._parts.accounts.is_foreign(actor.namespace):
            actor = None
        if actor is not None and await self._parts.accounts.number(actor.namespace) is None:
            return None
        actor_id = await actors.id_of(actor) if actor is not None else object_id("actor", key)
        row = new_row(run, account, key, actor_id, news)
        return Change(account, ids(run).run, news, row)


def _batches(gathered: dict[str, RunView]) -> list[list[RunView]]:
    runs = list(gathered.values())
    return [runs[begin : begin + BATCH] for begin in range(0, len(runs), BATCH)]


def _deserves_row(run: RunView) -> bool:
    """Whether a run gets a row here if it has none.

    A run of the API has had one since before it existed. If it has none, its start was refused or
    taken back, and the object is about to be deleted; unless it really runs.
    """
    if run.metadata.labels.get(LABEL_API) != API_RUN:
        return True
    if refusal(run) is not None:
        return False
    return run.status.is_true(ConditionType.ADMITTED) or shown(run).phase is not Phase.READY


def _newer(connection: Connection, changes: list[Change]) -> list[Change]:
    """The changes that rows do not have yet: after a restart all are told again."""
    needed = []
    for change in changes:
        row = RunRows(connection, change.account).get(change.run_id)
        if row is None:
            if change.row is not None:
                needed.append(change)
        elif change.news is not None and (
            row.state == GONE
            or (row.attempt, row.phase_rank) < (change.news.attempt, change.news.phase_rank)
        ):
            needed.append(change)
    return needed


def _apply(changes: list[Change], now: int, connection: Connection) -> None:
    for change in sorted(changes, key=lambda change: (change.account, change.run_id)):
        if change.news is not None:
            take_news(
                connection, change.account, change.run_id, change.news, row=change.row, now=now
            )


def _visible_names(account: int, connection: Connection) -> dict[str, str]:
    return RunRows(connection, account).visible_names()


def _bury(changes: list[Change], now: int, connection: Connection) -> None:
    for change in sorted(changes, key=lambda change: (change.account, change.run_id)):
        bury(connection, change.account, change.run_id, now)
