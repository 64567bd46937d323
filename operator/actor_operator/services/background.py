"""Work that is done again and again while the process lives."""

import asyncio
from collections.abc import Awaitable, Callable

from actor_operator.errors import RetryableError, WaitingError
from actor_operator.log import logger

log = logger(__name__)


async def repeat(what: str, work: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Do something for ever; what fails is told, and done again after the pause.

    Parameters
    ----------
    what
        What it is, for the log.
    work
        Does it once.
    seconds
        Pause between two times.
    """
    while True:
        try:
            await work()
        except (RetryableError, WaitingError) as error:
            log.warning("Work in the background was put off.", work=what, cause=str(error))
        await asyncio.sleep(seconds)
