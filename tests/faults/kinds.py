"""The kinds of faults that plans are made of."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from tests.faults.points import Pattern
from typing_extensions import override


class Moment(StrEnum):
    """When a fault strikes, seen from the request."""

    BEFORE = "before"
    """It has not reached the API server, and never will."""

    COMMITTED = "committed"
    """The API server has answered; the operator does not hear of it."""

    DURING = "during"
    """Half of the answer has been sent."""

    ANSWERED = "answered"
    """The operator has the answer, and has done nothing with it that others could see."""


def _is_point(text: str) -> str:
    Pattern.parse(text)
    return text


Point = Annotated[str, AfterValidator(_is_point)]
"""`VERB KIND NAME #N`, see `tests.faults.points`."""

Seconds = Annotated[float, Field(ge=0, le=300)]


Disturbance = Literal["kill", "stop"]
"""What is done to an API server."""


class Part(BaseModel):
    """A part of a plan."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(Part):
    """One kind of fault."""

    @override
    def __str__(self) -> str:
        """Its name, its point, and what is not as ever."""
        said = self.model_dump(mode="json", exclude_defaults=True, exclude={"fault", "at"})
        words = ", ".join(f"{name} {value}" for name, value in said.items())
        name, point = getattr(self, "fault", ""), getattr(self, "at", "")
        place = f"{name} at {point}" if point else name
        return f"{place} ({words})" if words else place


class Crash(Kind):
    """F1-F3, F23: the operator ends, and is started again in its place, as a kubelet would."""

    fault: Literal["crash"] = "crash"
    at: Point
    moment: Moment = Moment.COMMITTED
    signal: Literal["KILL", "TERM"] = "KILL"
    """After TERM the request goes on: the operator ends in order."""

    away: Seconds = 0.2
    """Until it is started again."""


class Freeze(Kind):
    """F22: the operator does not run for a while, and does not know of it."""

    fault: Literal["freeze"] = "freeze"
    at: Point
    moment: Literal[Moment.BEFORE, Moment.COMMITTED] = Moment.BEFORE
    """Whether the request reaches the API server in the end, or at once."""

    seconds: Seconds


class Refuse(Kind):
    """F5, F6: the API server refuses a request."""

    fault: Literal["refuse"] = "refuse"
    at: Point
    code: int = 500
    times: int = 1
    """How many requests from the point on."""

    retry_after: int | None = None
    """Value of the header, in seconds."""

    applied: bool = False
    """Whether it has carried the request out all the same."""


class Conflict(Kind):
    """F4: another client changes the object first, so that a lock fails for real."""

    fault: Literal["conflict"] = "conflict"
    at: Point
    times: int = 1


class Silence(Kind):
    """F7: there is no answer until the operator gives up."""

    fault: Literal["silence"] = "silence"
    at: Point
    applied: bool = False
    times: int = 1


class Reset(Kind):
    """F8: the connection is reset."""

    fault: Literal["reset"] = "reset"
    at: Point
    moment: Moment = Moment.BEFORE
    times: int = 1


class Outage(Kind):
    """F6, F9, F10: all requests are refused for a while; after 401 only another token helps."""

    fault: Literal["outage"] = "outage"
    at: Point
    code: Literal[401, 403, 429, 500, 502, 503, 504] = 503
    seconds: Seconds = 3


class Does(StrEnum):
    """What happens to watches."""

    DELAY = "delay"
    """F11, F12: each line is late, for the rest of the plan."""

    STALL = "stall"
    """F13: nothing comes for a while, then all of it."""

    CUT = "cut"
    """They end in order."""

    RESET = "reset"
    """They end without."""

    ONE_EACH = "one-each"
    """F14: each ends after the first event that it tells, for the rest of the plan."""

    GONE_EVENT = "gone-event"
    """F15: nothing comes for a while, it is lost, and the next watch is told 410 as an event."""

    GONE_STATUS = "gone-status"
    """F15: the same, and the next watch is refused with 410."""

    ERROR_500 = "error-500"
    """F17: an event says that the API server has failed."""

    ERROR_504 = "error-504"
    HALF_LINE = "half-line"
    """F17: the next line ends in its middle, and the watch with it."""


class Watch(Kind):
    """F11-F15, F17: something happens to the watches of some kinds, once a request is answered."""

    fault: Literal["watch"] = "watch"
    at: Point
    does: Does
    kinds: tuple[str, ...] = ("actorruns", "pods")
    """Plurals."""

    seconds: Seconds = 1.0
    """For how long, or how late."""


class Slow(Kind):
    """F20: every answer takes its time, by chance between these limits."""

    fault: Literal["slow"] = "slow"
    least: Seconds = 0.1
    most: Seconds = 1.0


class Clock(Kind):
    """F21: the operator's clock is wrong, and jumps."""

    fault: Literal["clock"] = "clock"
    before: float = 0.0
    """Seconds by which it is ahead."""

    after: float = 0.0
    """The same after the jump."""

    jump: Seconds = 0.0
    """When it jumps: seconds after the start of the process."""


class Twin(Kind):
    """F22: there is a second replica from the start on."""

    fault: Literal["twin"] = "twin"


class Server(Kind):
    """F16, F18: something happens to the API server itself, and to all who use it."""

    fault: Literal["server"] = "server"
    at: Point
    does: Disturbance = "kill"
    """It is killed, its history is removed, and it is started again; or it stands still."""

    seconds: Seconds = 1.0
    """For how long."""


AtPoint = Crash | Freeze | Refuse | Conflict | Silence | Reset | Outage | Watch | Server
"""Faults that strike at a point."""
