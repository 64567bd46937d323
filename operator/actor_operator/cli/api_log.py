"""The log of a run as the API streams it, across cuts of the connection."""

import asyncio
from collections.abc import Callable

from actor_operator.cli.api_client import PASSING
from actor_operator.cli.api_errors import ApiRefusalError, ApiUnreachableError
from actor_operator.cli.api_session import ApiSession

RETRY_SECONDS = 1.0
"""Pause before a log whose stream was cut is opened once more."""


async def print_log(session: ApiSession, run_id: str, write: Callable[[bytes], None]) -> None:
    """Write the log of a run as it is now.

    Raises
    ------
    CommandError
        When it cannot be read, or not to its end.
    """
    async with session.client.stream(f"/actor-runs/{run_id}/log", {"raw": "true"}) as pieces:
        async for piece in pieces:
            write(piece)


async def follow_log(session: ApiSession, run_id: str, write: Callable[[bytes], None]) -> None:
    """Write the log of a run while it grows; returns at its end.

    A log begins with the same bytes each time: after a cut what was written is passed over.

    Raises
    ------
    ApiRefusalError
        When the log may not be read.
    """
    written = 0

    def take(piece: bytes, seen: int) -> None:
        nonlocal written
        fresh = piece[max(0, written - seen) :]
        if fresh:
            write(fresh)
            written += len(fresh)

    while not await _read(session, run_id, take):  # noqa: ASYNC110 -- nobody could tell
        await asyncio.sleep(RETRY_SECONDS)


async def _read(session: ApiSession, run_id: str, take: Callable[[bytes, int], None]) -> bool:
    """Read a log from its beginning; whether its end was reached."""
    seen = 0
    params = {"stream": "true", "raw": "true"}
    try:
        async with session.client.stream(
            f"/actor-runs/{run_id}/log", params, endless=True
        ) as pieces:
            async for piece in pieces:
                take(piece, seen)
                seen += len(piece)
    except ApiUnreachableError:
        return False
    except ApiRefusalError as error:
        if error.status not in PASSING:
            raise
        return False
    return True
