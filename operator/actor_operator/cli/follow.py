"""Runs as they change, across cuts of the connection: the engine's informer for one command."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from typing_extensions import override

from actor_operator.cli.objects import Run, decode_run
from actor_operator.cli.problems import cause_of
from actor_operator.cli.session import Session
from actor_operator.engine.informer import Informer
from actor_operator.engine.store import Change, Store
from actor_operator.kube.errors import (
    ApiError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthorizedError,
)
from actor_operator.kube.runs import ACTOR_RUNS
from actor_operator.kube.source import KindSource

FINAL = (ForbiddenError, InvalidError, NotFoundError, UnauthorizedError)
"""Refusals that trying again does not change; an informer alone would try for ever."""

OUTAGE = 2
"""Failures in a row that are worth telling of: a single cut is daily life."""

RunChange = Change[Run]
"""A run before and after."""

_Told = RunChange | ApiError | None
"""What the source and the informer tell; ``None``: the cluster answers."""


class _ToldSource(KindSource):
    """A source that also tells the command of what fails."""

    def __init__(
        self,
        session: Session,
        *,
        namespace: str | None,
        field_selector: str,
        tell: Callable[[ApiError | None], None],
    ) -> None:
        super().__init__(
            session.client, ACTOR_RUNS, namespace=namespace, field_selector=field_selector
        )
        self._tell = tell

    @override
    async def list_page(self, continue_token: str) -> bytes:
        try:
            return await super().list_page(continue_token)
        except ApiError as error:
            self._tell(error)
            raise

    @override
    @asynccontextmanager
    async def watch(self, resource_version: str) -> AsyncIterator[AsyncIterator[bytes]]:
        try:
            async with super().watch(resource_version) as lines:
                self._tell(None)
                yield lines
        except ApiError as error:
            self._tell(error)
            raise


@asynccontextmanager
async def follow_runs(
    session: Session,
    known: Iterable[Run],
    *,
    namespace: str | None,
    field_selector: str,
) -> AsyncIterator[AsyncIterator[RunChange]]:
    """Follow runs; the value yields each change from what is known, for ever.

    Parameters
    ----------
    session
        Of which cluster.
    known
        The runs as they were read already: they are told of only when they have changed since,
        also when they are gone since.
    namespace, field_selector
        Which runs.

    Raises
    ------
    ApiError
        From the changes, when going on is useless; an outage is waited through.
    """
    told: asyncio.Queue[_Told] = asyncio.Queue()
    store: Store[Run] = Store()
    for run in known:
        store.apply(run)
    source = _ToldSource(
        session, namespace=namespace, field_selector=field_selector, tell=told.put_nowait
    )
    informer = Informer(
        source=source,
        store=store,
        decode=decode_run,
        on_change=lambda old, new: told.put_nowait(Change(old, new)),
    )
    task = asyncio.create_task(informer.run())
    try:
        yield _changes(session, told)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def follow_run(session: Session, run: Run) -> AbstractAsyncContextManager[AsyncIterator[RunChange]]:
    """Follow one run that was read already, as :func:`follow_runs` does."""
    return follow_runs(
        session, [run], namespace=run.namespace, field_selector=f"metadata.name={run.name}"
    )


async def _changes(session: Session, told: "asyncio.Queue[_Told]") -> AsyncIterator[RunChange]:
    """The changes; of an outage the user is told once, of a single cut never."""
    failures = 0
    while True:
        item = await told.get()
        if isinstance(item, FINAL):
            raise item
        if isinstance(item, Change):
            yield item
        elif item is None:
            failures = 0
        else:
            failures += 1
            if failures == OUTAGE:
                session.tell(f"The cluster does not answer, still trying: {cause_of(item.message)}")
