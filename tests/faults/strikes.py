"""What each kind of fault does to the request that it strikes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from tests.faults.kinds import (
    AtPoint,
    Conflict,
    Crash,
    Does,
    Freeze,
    Moment,
    Outage,
    Refuse,
    Reset,
    Server,
    Silence,
    Watch,
)
from tests.faults.points import Asked
from tests.faults.replies import Reply, error_event, refusal, status
from tests.faults.streams import Ending, Gate

if TYPE_CHECKING:
    from tests.faults.director import Director, Seat

ANSWER_SECONDS = 0.05
"""How long an operator that has an answer may take to show what it does with it."""

LATE_SECONDS = 0.5
"""How long before a replica runs again its request comes to the API server."""

GONE = Reply(410, msgspec.json.encode(status(410)))
"""How a watch is refused whose history is gone."""

Act = Callable[[], Awaitable[Reply | None]]


class CutError(Exception):
    """The connection is to be reset, without an answer."""


@dataclass(frozen=True, slots=True)
class Strike:
    """Something that happens to one request."""

    moment: Moment
    act: Act
    """A reply stands for the API server's, None lets the request go on. May raise `CutError`."""


def strike_of(  # noqa: PLR0911 -- one for each kind
    fault: AtPoint, director: "Director", seat: "Seat", asked: Asked
) -> Strike:
    """What a fault does to a request that it strikes."""
    match fault:
        case Crash(moment=moment):
            return Strike(moment, partial(_crash, fault, director, seat))
        case Freeze(moment=moment):
            return Strike(moment, partial(_freeze, fault, director, seat))
        case Refuse(applied=applied):
            return Strike(_when(applied=applied), partial(_refuse, fault, asked))
        case Conflict():
            return Strike(Moment.BEFORE, partial(_touch, director, asked))
        case Silence(applied=applied):
            return Strike(_when(applied=applied), _wait_for_ever)
        case Reset(moment=moment):
            return Strike(moment, _cut)
        case Outage():
            return Strike(Moment.BEFORE, partial(_begin_outage, fault, director, seat, asked))
        case Watch():
            return Strike(Moment.COMMITTED, partial(_watch, fault, director, seat))
        case Server():
            return Strike(Moment.BEFORE, partial(_disturb, fault, director))


def _when(*, applied: bool) -> Moment:
    return Moment.COMMITTED if applied else Moment.BEFORE


async def _crash(fault: Crash, director: "Director", seat: "Seat") -> Reply | None:
    if fault.signal == "TERM":
        seat.replica.ask_to_stop()
        director.later(seat.replica.come_back(fault.away))
        return None
    if fault.moment is Moment.ANSWERED:
        seat.hush = asyncio.Event()
        with suppress(TimeoutError):
            await asyncio.wait_for(seat.hush.wait(), ANSWER_SECONDS)
    seat.replica.kill()
    seat.hush = None
    director.later(seat.replica.come_back(fault.away))
    raise CutError


async def _freeze(fault: Freeze, director: "Director", seat: "Seat") -> Reply | None:
    seat.replica.freeze()
    director.later(seat.replica.thaw(fault.seconds))
    # On its way for as long: it comes late, and before its sender knows that it is late.
    await asyncio.sleep(max(0.0, fault.seconds - LATE_SECONDS))
    return None


async def _refuse(fault: Refuse, asked: Asked) -> Reply | None:
    return refusal(fault.code, asked, fault.retry_after)


async def _touch(director: "Director", asked: Asked) -> Reply | None:
    await asyncio.to_thread(director.touch, asked.path)
    return None


async def _wait_for_ever() -> Reply | None:
    """Until the operator gives up, which cancels this."""
    await asyncio.get_running_loop().create_future()
    return None


async def _cut() -> Reply | None:
    raise CutError


async def _begin_outage(
    fault: Outage, director: "Director", seat: "Seat", asked: Asked
) -> Reply | None:
    director.begin_outage(fault, seat)
    return refusal(fault.code, asked)


async def _disturb(fault: Server, director: "Director") -> Reply | None:
    director.later(director.disturb(fault.does, fault.seconds))
    return None


async def _watch(fault: Watch, director: "Director", seat: "Seat") -> Reply | None:
    for kind in fault.kinds:
        gate = seat.streams[kind]
        match fault.does:
            case Does.DELAY:
                gate.delay = fault.seconds
            case Does.ONE_EACH:
                gate.one_each = True
            case Does.HALF_LINE:
                gate.half = True
            case Does.STALL:
                gate.open.clear()
                director.later(_reopen(gate, fault.seconds))
            case Does.GONE_EVENT | Does.GONE_STATUS:
                gate.open.clear()
                as_event = fault.does is Does.GONE_EVENT
                gone = Reply(200, error_event(410)) if as_event else GONE
                director.later(_lose(seat, kind, gone, fault.seconds))
            case Does.CUT:
                gate.end(Ending())
            case Does.RESET:
                gate.end(Ending(abrupt=True))
            case Does.ERROR_500 | Does.ERROR_504:
                code = 500 if fault.does is Does.ERROR_500 else 504
                gate.end(Ending(last=error_event(code)))
    return None


async def _reopen(gate: Gate, seconds: float) -> None:
    await asyncio.sleep(seconds)
    gate.open.set()


async def _lose(seat: "Seat", kind: str, gone: Reply, seconds: float) -> None:
    """What came in the meantime is never told; the next watch is told that it is too late."""
    await asyncio.sleep(seconds)
    gate = seat.streams[kind]
    seat.gone[kind] = gone
    gate.end(Ending(abrupt=True))
    gate.open.set()
