"""Carries out one plan: meets each request of the operator, and lets faults strike."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, get_args

from tests.faults.kinds import AtPoint, Disturbance, Moment, Outage, Slow
from tests.faults.plan import Plan
from tests.faults.points import Asked
from tests.faults.replica import Replica
from tests.faults.replies import Reply, refusal
from tests.faults.script import Armed, Trace
from tests.faults.streams import Ending, Streams
from tests.faults.strikes import CutError, Strike, strike_of


class Director:
    """Decides what becomes of each request.

    Parameters
    ----------
    plan
        What goes wrong.
    touch
        Changes the object at a path as another client would; blocking.
    rotate
        Gives the operator another token; blocking.
    disturb
        Kills or stops the API server for some seconds; blocking, until all that was committed
        meanwhile is recorded: an operator that was faster would leave a gap in the recording.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        touch: Callable[[str], None],
        rotate: Callable[[], None],
        disturb: Callable[[Disturbance, float], None],
    ) -> None:
        self.trace = Trace()
        self.touch = touch
        self._disturb = disturb
        self._rotate = rotate
        self._armed = [
            Armed.of(fault) for fault in plan.faults if isinstance(fault, get_args(AtPoint))
        ]
        self._slow = next((fault for fault in plan.faults if isinstance(fault, Slow)), None)
        self._random = random.Random(plan.seed)  # noqa: S311 -- no secret
        self._outage: Outage | None = None
        self._bad_token = ""
        self._passable = asyncio.Event()
        """While it is not set, nothing comes through."""
        self._passable.set()
        self._later: set[asyncio.Task[None]] = set()
        self.last_write = 0.0
        """When the last write of work came, time of the event loop."""

    @property
    def missed(self) -> list[str]:
        """Faults whose point never came."""
        return [str(armed.fault) for armed in self._armed if not armed.struck]

    async def meet(self, seat: "Seat", asked: Asked, authorization: str) -> Strike | None:
        """What strikes a request of a replica, None for nothing. Raises `CutError`."""
        if seat.hush is not None:
            # It is to die before anybody sees what it does with its last answer.
            seat.hush.set()
            raise CutError
        await self._passable.wait()
        seat.authorization = authorization
        self.trace.note(asked)
        if asked.is_work:
            self.last_write = asyncio.get_running_loop().time()
        # All of them count, and the first strikes.
        taken = [armed.fault for armed in self._armed if armed.takes(asked)]
        if self._slow is not None:
            await asyncio.sleep(self._random.uniform(self._slow.least, self._slow.most))
        if self._outage is not None and self._refuses(self._outage, authorization):
            return _answered(refusal(self._outage.code, asked))
        if asked.verb == "watch" and asked.kind in seat.gone:
            return _answered(seat.gone.pop(asked.kind))
        return strike_of(taken[0], self, seat, asked) if taken else None

    async def disturb(self, does: Disturbance, seconds: float) -> None:
        """Disturb the API server, and let the operator reach it again after all others."""
        self._passable.clear()
        await asyncio.to_thread(self._disturb, does, seconds)
        self._passable.set()

    def begin_outage(self, outage: Outage, seat: "Seat") -> None:
        """Refuse all requests from now on."""
        self._outage = outage
        self._bad_token = seat.authorization
        if outage.code >= 500:
            seat.streams.end_all(Ending(abrupt=True))
        self.later(self._end_outage(outage))

    async def _end_outage(self, outage: Outage) -> None:
        await asyncio.sleep(outage.seconds)
        if outage.code == 401:
            # The old token stays bad.
            await asyncio.to_thread(self._rotate)
        else:
            self._outage = None

    def _refuses(self, outage: Outage, authorization: str) -> bool:
        """Whether an outage holds for a request: after 401 only for those with the old token."""
        return outage.code != 401 or authorization == self._bad_token

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the request that is being met."""
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def settle(self) -> None:
        """Wait until all that was begun is over: who crashed is back, what was away, too."""
        while self._later:
            await asyncio.gather(*self._later)


@dataclass(eq=False)
class Seat:
    """What a proxy asks: one replica's place before the director."""

    replica: Replica
    director: Director
    streams: Streams = field(default_factory=Streams)
    gone: dict[str, Reply] = field(default_factory=dict)
    """How the next watch of a kind is answered."""

    hush: asyncio.Event | None = None
    """While there is one, the replica is about to die: its next request sets it."""

    authorization: str = ""
    """What its last request had."""

    async def meet(self, asked: Asked, authorization: str) -> Strike | None:
        """What strikes a request that has just come, None for nothing. Raises `CutError`."""
        return await self.director.meet(self, asked, authorization)


def _answered(reply: Reply) -> Strike:
    async def act() -> Reply | None:
        return reply

    return Strike(Moment.BEFORE, act)
