"""Waiting for the end of a run."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from actor_operator.api.views.run import RunView
from actor_operator.cli.follow import follow_run
from actor_operator.cli.logreader import LogReader
from actor_operator.cli.objects import Run
from actor_operator.cli.problems import CommandError
from actor_operator.cli.progress import Progress
from actor_operator.cli.session import Session

TICK_SECONDS = 0.2
"""How often a live line moves."""

LOG_END_SECONDS = 15.0
"""How long the log may go on after the run is finished: the node may be gone."""

See = Callable[[RunView], None]
"""Told of the run as it is at first and after each change."""


async def wait_for_end(session: Session, run: Run, *see: See, attempt: int = 1) -> Run:
    """Wait until a run is finished; returns it as it is then.

    Parameters
    ----------
    session
        Of which cluster.
    run
        As it was read last.
    see
        Who is told of each state.
    attempt
        Which attempt, or a later one: the end and the states of those before are passed over.

    Raises
    ------
    CommandError
        When the run is deleted meanwhile.
    """
    if _is_end(see, run, attempt):
        return run
    async with follow_run(session, run) as changes:
        async for change in changes:
            if change.new is None or change.new.uid != run.uid:
                raise CommandError(f"The run {run.name} was deleted before it was finished.")
            if _is_end(see, change.new, attempt):
                return change.new
    raise AssertionError("changes never end")


async def wait_with_progress(
    session: Session, run: Run, progress: Progress, *see: See, attempt: int = 1
) -> Run:
    """Wait as :func:`wait_for_end` does, and let the progress know that time passes."""
    ticker = asyncio.create_task(_tick(progress))
    try:
        return await wait_for_end(session, run, progress.see, *see, attempt=attempt)
    finally:
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker


async def wait_with_log(
    session: Session, wait: Callable[[See], Awaitable[Run]], reader: LogReader
) -> Run:
    """Wait while the log is read; returns when both have ended.

    Raises
    ------
    ApiError
        When the log may not be read.
    """
    reading = asyncio.create_task(reader.run())
    waiting = asyncio.ensure_future(wait(reader.see))
    try:
        await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
        final = await waiting
        reader.close()
        try:
            await asyncio.wait_for(reading, LOG_END_SECONDS)
        except TimeoutError:
            session.tell("The end of the log cannot be read: its node does not answer.")
        return final
    finally:
        reading.cancel()
        waiting.cancel()
        await asyncio.gather(reading, waiting, return_exceptions=True)


def _is_end(see: tuple[See, ...], run: Run, attempt: int) -> bool:
    """Tell of a state of the attempt; whether it is the last one."""
    status = run.view.status
    if status.attempt < attempt:
        return False
    for each in see:
        each(run.view)
    return status.finished


async def _tick(progress: Progress) -> None:
    while True:
        await asyncio.sleep(TICK_SECONDS)
        progress.tick()
